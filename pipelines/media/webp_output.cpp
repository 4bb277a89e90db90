// Animated WebP through libwebp's animation encoder; one frame gives a still WebP.
#include <fmt/format.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include "engine/base/check.h"
#include "pipelines/media/container_writer.h"
#include "pipelines/media/tag_text.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

constexpr int kWebpQuality = 92;

struct FreeEncoder {
  void operator()(WebPAnimEncoder* p) const { WebPAnimEncoderDelete(p); }
};
struct FreeMux {
  void operator()(WebPMux* p) const { WebPMuxDelete(p); }
};
struct Blob {
  WebPData data{};
  Blob() { WebPDataInit(&data); }
  Blob(const Blob&) = delete;
  Blob& operator=(const Blob&) = delete;
  ~Blob() { WebPDataClear(&data); }
};
struct Picture {
  WebPPicture p{};
  Picture() { RUBATO_CHECK(WebPPictureInit(&p) != 0); }
  Picture(const Picture&) = delete;
  Picture& operator=(const Picture&) = delete;
  ~Picture() { WebPPictureFree(&p); }
};

class WebpOutput final : public ContainerWriter {
 public:
  WebpOutput(fs::path target, const VideoFormat& format, AtomicFile file)
      : target_(std::move(target)), format_(format), file_(std::move(file)) {
    RUBATO_CHECK(WebPConfigPreset(&config_, WEBP_PRESET_PICTURE,
                                  static_cast<float>(format.quality >= 0 ? format.quality : kWebpQuality)) != 0);
    config_.method = 4;
    config_.use_sharp_yuv = 1;  // 4:2:0 without colour bleeding at edges
    WebPAnimEncoderOptions options;
    RUBATO_CHECK(WebPAnimEncoderOptionsInit(&options) != 0);
    encoder_.reset(WebPAnimEncoderNew(format.width, format.height, &options));
    RUBATO_CHECK(encoder_ != nullptr);
  }

  Result<> add(std::int64_t index, std::span<const std::uint8_t> rgb24) override {
    frames_ = index + 1;
    Picture picture;
    picture.p.use_argb = 1;
    picture.p.width = format_.width;
    picture.p.height = format_.height;
    if (WebPPictureImportRGB(&picture.p, rgb24.data(), format_.width * 3) == 0)
      return Error{ErrorCode::OutOfMemory, "not enough memory for a WebP frame"};
    if (WebPAnimEncoderAdd(encoder_.get(), &picture.p, milliseconds(index), &config_) == 0) return failed();
    return {};
  }

  Result<std::vector<fs::path>> finish(const Metadata& metadata) override {
    if (WebPAnimEncoderAdd(encoder_.get(), nullptr, milliseconds(frames_), nullptr) == 0) return failed();
    Blob animation;
    if (WebPAnimEncoderAssemble(encoder_.get(), &animation.data) == 0) return failed();
    encoder_.reset();
    if (metadata.json.empty() && metadata.comment.empty()) return publish(animation.data);

    const std::unique_ptr<WebPMux, FreeMux> mux(WebPMuxCreate(&animation.data, /*copy_data=*/0));
    RUBATO_CHECK(mux != nullptr);
    const std::string xmp = xmp_packet(metadata.json, metadata.comment);
    const WebPData chunk{reinterpret_cast<const std::uint8_t*>(xmp.data()), xmp.size()};
    Blob tagged;
    if (WebPMuxSetChunk(mux.get(), "XMP ", &chunk, /*copy_data=*/0) != WEBP_MUX_OK ||
        WebPMuxAssemble(mux.get(), &tagged.data) != WEBP_MUX_OK)
      return Error{ErrorCode::Failed, fmt::format("the metadata could not be put into {}", target_.string())};
    return publish(tagged.data);
  }

 private:
  int milliseconds(std::int64_t index) const {
    return static_cast<int>((index * 1000 * format_.fps_den + format_.fps_num / 2) / format_.fps_num);
  }
  Error failed() const {
    return {ErrorCode::Failed, fmt::format("the WebP encoder failed on {}: {}", target_.string(),
                                           WebPAnimEncoderGetError(encoder_.get()))};
  }
  Result<std::vector<fs::path>> publish(const WebPData& data) {
    RUBATO_OK(file_.write(std::as_bytes(std::span(data.bytes, data.size))));
    RUBATO_OK(file_.commit());
    return std::vector<fs::path>{target_};
  }

  fs::path target_;
  VideoFormat format_;
  AtomicFile file_;
  WebPConfig config_{};
  std::unique_ptr<WebPAnimEncoder, FreeEncoder> encoder_;
  std::int64_t frames_ = 0;
};

}  // namespace

OutputResult open_webp_output(const fs::path& output, const VideoFormat& format, Overwrite overwrite) {
  RUBATO_TRY(file, AtomicFile::create(output, overwrite));
  return OutputResult(std::make_unique<WebpOutput>(output, format, std::move(file)));
}

}  // namespace rubato
