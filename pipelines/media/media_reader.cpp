#include "pipelines/media/media_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/guard.h"
#include "engine/base/text.h"
#include "pipelines/media/decoders.h"

namespace rubato {
namespace fs = std::filesystem;

Result<MediaFile> MediaFile::open(const fs::path& path) {
  MediaFile file;
  file.path_ = path;
  file.fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a FIFO must not hold us up
  if (file.fd_ < 0)
    return Error{ErrorCode::CannotRead, fmt::format("cannot read {}: {}", path.string(), std::strerror(errno))};
  struct stat info{};
  if (::fstat(file.fd_, &info) != 0 || !S_ISREG(info.st_mode))
    return Error{ErrorCode::CannotRead, fmt::format("{} is not a regular file", path.string())};
  if (info.st_size == 0) return Error{ErrorCode::Corrupt, fmt::format("{} is empty", path.string())};
  file.bytes_ = static_cast<std::uint64_t>(info.st_size);
  return file;
}

MediaFile::MediaFile(MediaFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), bytes_(other.bytes_), path_(std::move(other.path_)) {}

MediaFile& MediaFile::operator=(MediaFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(bytes_, other.bytes_);
  std::swap(path_, other.path_);
  return *this;
}

MediaFile::~MediaFile() {
  if (fd_ >= 0) ::close(fd_);
}

bool is_past(const ReadOptions& options, std::int64_t index) {
  if (options.count < 0) return false;
  // The last chosen frame is start + (count - 1) * step; divided instead of multiplied, which cannot overflow.
  return options.count == 0 ||
         (index > options.start && (index - options.start - 1) / options.step >= options.count - 1);
}

bool is_chosen(const ReadOptions& options, std::int64_t index) {
  return index >= options.start && (index - options.start) % options.step == 0 && !is_past(options, index);
}

Result<> check_pixels(const MediaFile& file, std::int64_t width, std::int64_t height) {
  if (width >= 1 && height >= 1 && width <= kMaxPixels && height <= kMaxPixels && width * height <= kMaxPixels)
    return {};
  return Error{ErrorCode::Corrupt, fmt::format("{} announces pictures of {}x{}; 1x1 to 268 Mpx can be read",
                                               file.path().string(), width, height)};
}

Result<std::vector<std::uint8_t>> read_all(const MediaFile& file) {
  if (file.bytes() > kMaxStillBytes)
    return Error{ErrorCode::CannotRead, fmt::format("{} is larger than the {} that a picture may have",
                                                    file.path().string(), human_bytes(kMaxStillBytes))};
  std::vector<std::uint8_t> bytes(file.bytes());
  auto source = ByteSource::descriptor(file.fd(), file.bytes());
  if (!source.get(0, bytes)) return Error{ErrorCode::CannotRead, fmt::format("cannot read {}", file.path().string())};
  return bytes;
}

nlohmann::json to_json(const MediaInfo& info) {
  return {{"container", info.container},
          {"codec", info.codec},
          {"pixel_format", info.pixel_format},
          {"width", info.width},
          {"height", info.height},
          {"frames", info.frames},
          {"fps_num", info.fps_num},
          {"fps_den", info.fps_den},
          {"duration_s", info.duration_s},
          {"max_keyframe_gap_s", info.max_keyframe_gap_s},
          {"has_audio", info.has_audio},
          {"bytes", info.bytes}};
}

Result<MediaInfo> probe(const MediaFile& file) {
  return guard([&]() -> Result<MediaInfo> {
    auto source = ByteSource::descriptor(file.fd(), file.bytes());
    const FileKind kind = file_kind(source);
    if (kind == FileKind::Png || kind == FileKind::Jpeg) return probe_still(file, kind);
    return kind == FileKind::WebP ? probe_webp(file) : probe_video(file);
  });
}

Result<MediaInfo> probe(const MediaFile& first, const FrameSequence& sequence) {
  RUBATO_TRY(info, probe(first));
  info.container += " frames";
  info.frames = static_cast<std::int64_t>(sequence.files.size());
  info.bytes = sequence.bytes;
  return info;
}

Result<MediaInfo> probe(const fs::path& path) {
  if (names_sequence(path)) {
    RUBATO_TRY(sequence, frame_sequence(path));
    RUBATO_TRY(first, MediaFile::open(sequence.files.front()));
    return probe(first, sequence);
  }
  RUBATO_TRY(file, MediaFile::open(path));
  return probe(file);
}

Result<> read_frames(const MediaFile& file, const ReadOptions& options, const FrameSink& sink) {
  RUBATO_CHECK(options.start >= 0 && options.step >= 1 && options.max_side >= 0, "read options");
  return guard([&]() -> Result<> {
    std::uint64_t handed = 0;
    const FrameSink bounded = [&](int width, int height, std::span<const std::uint8_t> rgb24,
                                  double time_s) -> Result<> {
      handed += rgb24.size();
      if (handed > options.max_bytes)
        return Error{ErrorCode::OutOfMemory,
                     fmt::format("the frames of {} take more than {}; read fewer or smaller ones", file.path().string(),
                                 human_bytes(options.max_bytes))};
      return sink(width, height, rgb24, time_s);
    };
    auto source = ByteSource::descriptor(file.fd(), file.bytes());
    const FileKind kind = file_kind(source);
    if (kind == FileKind::Png || kind == FileKind::Jpeg) return read_still(file, kind, options, bounded);
    return kind == FileKind::WebP ? read_webp(file, options, bounded) : read_video(file, options, bounded);
  });
}

Result<Rgb8Frames> read_frames(const fs::path& path, const ReadOptions& options) {
  Rgb8Frames frames;
  const FrameSink collect = [&](int width, int height, std::span<const std::uint8_t> rgb24, double time_s) -> Result<> {
    if (frames.count == 0) {
      frames.width = width;
      frames.height = height;
    } else if (frames.width != width || frames.height != height) {
      return Error{ErrorCode::Corrupt,
                   fmt::format("the picture size of {} changes at frame {}", path.string(), frames.count)};
    }
    frames.pixels.insert(frames.pixels.end(), rgb24.begin(), rgb24.end());
    frames.times_s.push_back(time_s);
    ++frames.count;
    return {};
  };
  if (!names_sequence(path)) {
    RUBATO_TRY(file, MediaFile::open(path));
    RUBATO_OK(read_frames(file, options, collect));
    return frames;
  }
  RUBATO_TRY(sequence, frame_sequence(path));
  for (std::size_t i = 0; i < sequence.files.size(); ++i) {
    if (!is_chosen(options, static_cast<std::int64_t>(i))) continue;
    RUBATO_TRY(file, MediaFile::open(sequence.files[i]));
    const ReadOptions one{
        .count = 1,
        .max_side = options.max_side,
        .max_bytes = options.max_bytes - std::min<std::uint64_t>(options.max_bytes, frames.pixels.size())};
    RUBATO_OK(read_frames(file, one, collect));
  }
  return frames;
}

Result<Rgb8Frames> read_image(const fs::path& path) { return thumbnail(path, 0); }

Result<Rgb8Frames> thumbnail(const fs::path& path, int max_side) {
  RUBATO_TRY(frames, read_frames(path, {.count = 1, .max_side = max_side}));
  if (frames.count == 0) return Error{ErrorCode::Corrupt, fmt::format("{} holds no frame", path.string())};
  return frames;
}

}  // namespace rubato
