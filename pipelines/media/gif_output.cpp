// GIF: one palette for the clip, so the frames wait in a nameless file until the last one is known.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/base/check.h"
#include "pipelines/media/av.h"
#include "pipelines/media/container_writer.h"
#include "pipelines/media/palette.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kHeaderBytes = 13 + 3 * 256;  // signature, screen, global palette

// Bytes appended to and read back from a file without a name, in a folder with room for the result.
class Spool {
 public:
  static Result<Spool> create(const fs::path& target) {
    const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
    int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {  // some network file systems have no nameless files
      std::string name = (folder / fmt::format(".{}.XXXXXX.tmp", target.filename().string())).string();
      fd = ::mkostemps(name.data(), 4, O_CLOEXEC);
      if (fd < 0) return write_error(target, errno);
      ::unlink(name.c_str());
    }
    return Spool(fd, target);
  }
  Spool(Spool&& other) noexcept : fd_(std::exchange(other.fd_, -1)), target_(std::move(other.target_)) {}
  Spool& operator=(Spool&&) = delete;
  ~Spool() {
    if (fd_ >= 0) ::close(fd_);
  }

  Result<> append(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
      const ssize_t put = ::write(fd_, bytes.data(), bytes.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return write_error(target_, errno);
      bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
    return {};
  }
  Result<> read(std::uint64_t offset, std::span<std::uint8_t> bytes) const {
    while (!bytes.empty()) {
      const ssize_t got = ::pread(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0)
        return Error{ErrorCode::CannotRead, fmt::format("the frames of {} could not be read back: {}", target_.string(),
                                                        got < 0 ? std::strerror(errno) : "the file is short")};
      offset += static_cast<std::uint64_t>(got);
      bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
    return {};
  }

 private:
  Spool(int fd, fs::path target) : fd_(fd), target_(std::move(target)) {}
  int fd_;
  fs::path target_;
};

// A comment extension: sub-blocks of at most 255 bytes.
std::string comment_extension(std::string_view text) {
  std::string block = "\x21\xFE";
  while (!text.empty()) {
    const auto part = text.substr(0, 255);
    block += static_cast<char>(part.size());
    block += part;
    text.remove_prefix(part.size());
  }
  block += '\0';
  return block;
}

class GifOutput final : public ContainerWriter {
 public:
  GifOutput(fs::path target, const VideoFormat& format, Spool spool, AtomicFile file)
      : target_(std::move(target)), format_(format), spool_(std::move(spool)), file_(std::move(file)) {}

  Result<> add(std::int64_t index, std::span<const std::uint8_t> rgb24) override {
    frames_ = index + 1;
    builder_.add(rgb24);
    return spool_.append(rgb24);
  }

  Result<std::vector<fs::path>> finish(const Metadata& metadata) override {
    Palette palette = builder_.build(255);  // the last place is for "unchanged since the frame before"
    colors_.fill(0);
    for (std::size_t i = 0; i < palette.colors.size(); ++i) {
      const Rgb8 c = palette.colors[i];
      colors_[i] = 0xFFu << 24 | static_cast<unsigned>(c.r) << 16 | static_cast<unsigned>(c.g) << 8 | c.b;
    }
    PaletteMapper mapper(std::move(palette));
    RUBATO_OK(open_encoder());
    RUBATO_OK(file_.write(header()));
    std::vector<std::uint8_t> rgb(static_cast<std::size_t>(format_.width) * static_cast<std::size_t>(format_.height) *
                                  3);
    std::vector<std::uint8_t> indices(rgb.size() / 3);
    for (std::int64_t i = 0; i < frames_; ++i) {
      RUBATO_OK(spool_.read(static_cast<std::uint64_t>(i) * rgb.size(), rgb));
      mapper.map(rgb, format_.width, indices);
      RUBATO_OK(encode(i, indices));
    }
    if (!metadata.json.empty()) RUBATO_OK(file_.write(comment_extension("rubato " + metadata.json)));
    if (!metadata.comment.empty()) RUBATO_OK(file_.write(comment_extension(metadata.comment)));
    RUBATO_OK(file_.write(";"));
    RUBATO_OK(file_.commit());
    return std::vector<fs::path>{target_};
  }

 private:
  // Signature, screen, global palette of 256, endless loop (Netscape extension).
  std::string header() const {
    std::string text = "GIF89a";
    const auto put16 = [&](int n) {
      text += static_cast<char>(n & 255);
      text += static_cast<char>(n >> 8 & 255);
    };
    put16(format_.width);
    put16(format_.height);
    text += '\xF7';  // global table, 8 bits a primary, 256 entries
    text += '\0';    // background
    text += '\0';    // square pixels
    for (const std::uint32_t c : colors_)
      for (const int shift : {16, 8, 0}) text += static_cast<char>(c >> shift & 255);
    if (frames_ > 1) {
      text += "\x21\xFF\x0BNETSCAPE2.0\x03\x01";
      put16(0);
      text += '\0';
    }
    return text;
  }

  Result<> open_encoder() {
    av::quiet();
    const AVCodec* gif = avcodec_find_encoder(AV_CODEC_ID_GIF);
    if (gif == nullptr) return Error{ErrorCode::Failed, "this FFmpeg has no GIF encoder; choose another format"};
    codec_.reset(avcodec_alloc_context3(gif));
    RUBATO_CHECK(codec_ != nullptr);
    codec_->width = format_.width;
    codec_->height = format_.height;
    codec_->pix_fmt = AV_PIX_FMT_PAL8;
    codec_->time_base = {1, 100};
    codec_->flags |= AV_CODEC_FLAG_BITEXACT;
    av::Options options;
    options.set("gifflags", "+offsetting+transdiff").set("global_palette", "1");
    if (const int code = avcodec_open2(codec_.get(), gif, options.out()); code < 0)
      return Error{ErrorCode::Failed, fmt::format("the GIF encoder did not start: {}", av::words(code))};
    return {};
  }

  // Hundredths of a second until frame `index` appears.
  std::int64_t centiseconds(std::int64_t index) const {
    return av_rescale(index, 100ll * format_.fps_den, format_.fps_num);
  }

  Result<> encode(std::int64_t index, std::span<const std::uint8_t> indices) {
    const av::Frame frame(av_frame_alloc());
    RUBATO_CHECK(frame != nullptr);
    frame->format = AV_PIX_FMT_PAL8;
    frame->width = format_.width;
    frame->height = format_.height;
    frame->pts = index;
    if (av_frame_get_buffer(frame.get(), 0) < 0)
      return Error{ErrorCode::OutOfMemory, "not enough memory for a GIF frame"};
    const auto width = static_cast<std::size_t>(format_.width);
    for (int y = 0; y < format_.height; ++y)
      std::memcpy(frame->data[0] + static_cast<std::ptrdiff_t>(y) * frame->linesize[0],
                  indices.data() + static_cast<std::size_t>(y) * width, width);
    std::memcpy(frame->data[1], colors_.data(), sizeof(colors_));

    if (const int code = avcodec_send_frame(codec_.get(), frame.get()); code < 0)
      return Error{ErrorCode::Failed, fmt::format("the GIF encoder could not take a frame: {}", av::words(code))};
    const av::Packet packet(av_packet_alloc());
    RUBATO_CHECK(packet != nullptr);
    const int code = avcodec_receive_packet(codec_.get(), packet.get());
    if (code < 0)
      return Error{ErrorCode::Failed, fmt::format("the GIF encoder could not encode a frame: {}", av::words(code))};
    // The first packet repeats the header. Then comes a graphic control extension, whose delay is ours to fill in,
    // and the image.
    const std::size_t skip = index == 0 ? kHeaderBytes : 0;
    const auto block = std::span(packet->data, static_cast<std::size_t>(packet->size)).subspan(skip);
    RUBATO_CHECK(block.size() > 8 && block[0] == 0x21 && block[1] == 0xF9);
    const auto delay = std::clamp<std::int64_t>(centiseconds(index + 1) - centiseconds(index), 2, 65535);
    block[4] = static_cast<std::uint8_t>(delay & 255);
    block[5] = static_cast<std::uint8_t>(delay >> 8);
    return file_.write(std::as_bytes(block));
  }

  fs::path target_;
  VideoFormat format_;
  Spool spool_;
  AtomicFile file_;
  PaletteBuilder builder_;
  av::Codec codec_;
  std::array<std::uint32_t, 256> colors_{};
  std::int64_t frames_ = 0;
};

}  // namespace

OutputResult open_gif_output(const fs::path& output, const VideoFormat& format, Overwrite overwrite) {
  RUBATO_TRY(file, AtomicFile::create(output, overwrite));
  RUBATO_TRY(spool, Spool::create(output));
  return OutputResult(std::make_unique<GifOutput>(output, format, std::move(spool), std::move(file)));
}

}  // namespace rubato
