// VideoWriter: frames in, one finished file out, or nothing.
//
// The extension of the final path decides the container:
//   .mp4   H.264, yuv420p, BT.709, key frame at least every second, closed GOPs; width and height even
//   .webm  VP9, or AV1 on request
//   .gif   animated, one palette of 256 colours for the whole clip
//   .webp  animated
//   .png   one frame; or many: shot_####.png, shot_%04d.png, or a folder frames/ (numbers count from 0)
//
// While frames arrive, everything stands under temporary names in the same folder (.NAME.XXXXXX.tmp). A video is
// written there as fragments, so that the temporary file of a killed render still plays. finish() remuxes it
// with metadata and the index at the front, syncs it and renames it. Without finish() the destructor removes
// every temporary. Same frames and options give the same bytes on any number of cores.
//
// Threads: one writer belongs to one thread at a time. Memory: a few frames, except animated WebP, which keeps
// the encoded clip; GIF spools raw frames to a nameless file in the output folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/files.h"
#include "pipelines/media/metadata.h"

namespace rubato {

enum class Container { Mp4, WebM, Gif, WebP, Png, PngFrames };
enum class VideoCodec { Auto, H264, Vp9, Av1 };  // Auto: H.264 in .mp4, VP9 in .webm

struct VideoFormat {
  int width = 0, height = 0;
  int fps_num = 16, fps_den = 1;  // frames per second as a fraction
  VideoCodec codec = VideoCodec::Auto;
  int quality = -1;                  // constant rate factor of the codec (H.264 0..51, VP9 and AV1 0..63, lower is
                                     // better) or WebP quality (0..100, higher is better); -1: high quality
  std::int64_t expected_frames = 0;  // if known: lets create() refuse 65 frames for one .png at once
  bool sidecar = true;               // write OUT.json beside the output when there is metadata
};

// By extension (any case) and form of the path. Usage error naming the known extensions and the nearest one.
Result<Container> container_of(const std::filesystem::path& output);
// ".mp4", ".webm", …: what container_of knows.
const std::vector<std::string>& known_extensions();
// "h264", "vp9", "av1", "auto" -> codec; Usage error naming the nearest.
Result<VideoCodec> codec_from_name(std::string_view name);

// Which encoders this FFmpeg has: {"h264": true, "vp9": true, "av1": true, "gif": true}.
std::map<std::string, bool> encoder_support();

// Everything that can be said before a long render: extension, codec, size, frame count, folder, existing files.
Result<Container> check_output(const std::filesystem::path& output, const VideoFormat& format, Overwrite overwrite);

class VideoWriter {
 public:
  // check_output, then opens the encoder and the temporary file.
  static Result<std::unique_ptr<VideoWriter>> create(const std::filesystem::path& output, const VideoFormat& format,
                                                     Overwrite overwrite);
  ~VideoWriter();
  VideoWriter(const VideoWriter&) = delete;
  VideoWriter& operator=(const VideoWriter&) = delete;

  // One frame, RGB24, width * height * 3 bytes, rows without padding. CannotWrite when the disk is full; after an
  // error the writer only can be destroyed.
  Result<> add_frame(std::span<const std::uint8_t> rgb24);

  // Of all frames: no frame may follow. finish() itself puts it into the metadata as "frames_sha256", with
  // "frame_count".
  std::string frames_sha256() const;
  std::int64_t frames() const;

  // Completes the output and, with metadata and format.sidecar, OUT.json. Needs at least one frame. Returns the
  // paths of the finished files, the output first (each file for PNG frames), the sidecar last.
  Result<std::vector<std::filesystem::path>> finish(const Metadata& metadata);

  // The temporary that a killed render leaves ("" for kinds that leave nothing playable).
  std::filesystem::path temporary_path() const;

 private:
  struct State;
  explicit VideoWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rubato
