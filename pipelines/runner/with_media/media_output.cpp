#include "pipelines/runner/media_output.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "pipelines/media/media_reader.h"
#include "pipelines/media/metadata.h"
#include "pipelines/media/video_writer.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

VideoFormat to_video_format(const FrameFormat& format) {
  VideoFormat video;
  video.width = format.width;
  video.height = format.height;
  video.fps_num = format.fps;
  video.expected_frames = format.frames;
  video.sidecar = format.metadata;
  return video;
}

class MediaOutput final : public FrameOutput {
 public:
  explicit MediaOutput(std::unique_ptr<VideoWriter> writer) : writer_(std::move(writer)) {}

  Result<> add(const at::Tensor& frames) override {
    const auto rgb = to_rgb8(to_unit_frames(frames));  // [n, H, W, 3]
    const auto bytes = static_cast<std::size_t>(rgb.numel() / rgb.size(0));
    const auto* data = rgb.const_data_ptr<std::uint8_t>();
    for (std::int64_t i = 0; i < rgb.size(0); ++i)
      RUBATO_OK(writer_->add_frame({data + static_cast<std::size_t>(i) * bytes, bytes}));
    return {};
  }
  std::string frames_sha256() const override { return writer_->frames_sha256(); }
  Result<std::vector<fs::path>> finish(const nlohmann::json& metadata) override {
    return writer_->finish(metadata.is_null() ? Metadata{} : Metadata::from(metadata, metadata.value("comment", "")));
  }

 private:
  std::unique_ptr<VideoWriter> writer_;
};

at::Tensor to_tensor(const Rgb8Frames& frames) {
  return at::tensor(at::ArrayRef<std::uint8_t>(frames.pixels), at::kByte)
      .view({frames.count, frames.height, frames.width, 3});
}

}  // namespace

Result<> check_media_output(const fs::path& target, const FrameFormat& format, Overwrite overwrite) {
  RUBATO_TRY(container, check_output(target, to_video_format(format), overwrite));
  static_cast<void>(container);
  return {};
}

Result<std::unique_ptr<FrameOutput>> open_media_output(const fs::path& target, const FrameFormat& format,
                                                       Overwrite overwrite) {
  RUBATO_TRY(writer, VideoWriter::create(target, to_video_format(format), overwrite));
  return std::unique_ptr<FrameOutput>(std::make_unique<MediaOutput>(std::move(writer)));
}

Result<at::Tensor> read_picture(const fs::path& path, int width, int height) {
  RUBATO_TRY(picture, read_image(path));
  const auto pixels = to_tensor(picture)[0].permute({2, 0, 1}).unsqueeze(0).to(at::kFloat).div_(255);  // [1, 3, H, W]
  const double scale =
      std::max(static_cast<double>(width) / picture.width, static_cast<double>(height) / picture.height);
  const auto scaled_w = std::max<std::int64_t>(width, std::llround(picture.width * scale));
  const auto scaled_h = std::max<std::int64_t>(height, std::llround(picture.height * scale));
  auto scaled = at::_upsample_bicubic2d_aa(pixels, {scaled_h, scaled_w}, /*align_corners=*/false);
  scaled = scaled.slice(2, (scaled_h - height) / 2, (scaled_h - height) / 2 + height)
               .slice(3, (scaled_w - width) / 2, (scaled_w - width) / 2 + width);
  return scaled.clamp(0, 1)[0].permute({1, 2, 0}).contiguous();
}

Result<at::Tensor> read_clip(const fs::path& path) {
  RUBATO_TRY(frames, read_frames(path));
  return to_tensor(frames);
}

nlohmann::json media_libraries() { return media_library_versions(); }

}  // namespace rubato
