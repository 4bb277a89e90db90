// Reading pictures and videos made by anyone: what a file holds, its frames, a thumbnail.
//
// Content decides, never the extension. Known: MP4/MOV, WebM/MKV, AVI, GIF, animated and still WebP, PNG, JPEG, with
// the usual codecs. Only the file itself is read: references to other files or addresses inside it are refused.
//
// Bounds: pictures and video frames at most 268 Mpx, WebP and still pictures at most 512 MiB on disk, collected
// frames at most ReadOptions::max_bytes. Alpha is dropped, as the reference loaders do. JPEG orientation is applied.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "pipelines/media/frame_sequence.h"

namespace rubato {

struct MediaInfo {
  std::string container;         // "mp4", "webm", "avi", "gif", "webp", "png", "png frames", "jpeg"
  std::string codec;             // "h264", "vp9", "av1", "gif", …
  std::string pixel_format;      // "yuv420p", …
  int width = 0, height = 0;     // as shown (after orientation)
  std::int64_t frames = 0;       // counted
  int fps_num = 0, fps_den = 1;  // average; 0/1 for a still picture
  double duration_s = 0;
  double max_keyframe_gap_s = 0;  // longest stretch from one key frame to the next (or to the end)
  bool has_audio = false;
  std::uint64_t bytes = 0;

  double fps() const { return fps_den > 0 ? static_cast<double>(fps_num) / fps_den : 0.0; }
};
nlohmann::json to_json(const MediaInfo& info);

// Tightly packed RGB24 frames.
struct Rgb8Frames {
  int width = 0, height = 0;
  std::int64_t count = 0;
  std::vector<std::uint8_t> pixels;  // [count, height, width, 3]
  std::vector<double> times_s;       // [count], presentation time of each frame

  std::size_t frame_bytes() const { return static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3; }
  std::span<const std::uint8_t> frame(std::int64_t index) const {
    return std::span(pixels).subspan(static_cast<std::size_t>(index) * frame_bytes(), frame_bytes());
  }
};

struct ReadOptions {
  std::int64_t start = 0;                // first frame, counted from 0
  std::int64_t count = -1;               // -1: to the end
  std::int64_t step = 1;                 // every step-th frame
  int max_side = 0;                      // scale down so that the longer side is at most this; 0 = as it is
  std::uint64_t max_bytes = 4ull << 30;  // of frames handed out together
};

// A file opened for reading: open it first, drop every right, then decode. Movable, closes itself.
class MediaFile {
 public:
  static Result<MediaFile> open(const std::filesystem::path& path);
  MediaFile(MediaFile&& other) noexcept;
  MediaFile& operator=(MediaFile&& other) noexcept;
  ~MediaFile();
  int fd() const { return fd_; }
  const std::filesystem::path& path() const { return path_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  MediaFile() = default;
  int fd_ = -1;
  std::uint64_t bytes_ = 0;
  std::filesystem::path path_;
};

Result<MediaInfo> probe(const MediaFile& file);
// Of a clip that is many files: what its first frame (open here) is, and how many there are. No rate: files have none.
Result<MediaInfo> probe(const MediaFile& first, const FrameSequence& sequence);
Result<MediaInfo> probe(const std::filesystem::path& path);

// Hands the chosen frames to `sink` in order, one at a time; an error of the sink ends the reading. A damaged tail
// gives the frames before it and then Corrupt.
using FrameSink = std::function<Result<>(int width, int height, std::span<const std::uint8_t> rgb24, double time_s)>;
Result<> read_frames(const MediaFile& file, const ReadOptions& options, const FrameSink& sink);
// By path also a folder or pattern of PNG frames.
Result<Rgb8Frames> read_frames(const std::filesystem::path& path, const ReadOptions& options = {});

// The first frame: an image input, or a video's cover. One frame in the result.
Result<Rgb8Frames> read_image(const std::filesystem::path& path);
Result<Rgb8Frames> thumbnail(const std::filesystem::path& path, int max_side);

}  // namespace rubato
