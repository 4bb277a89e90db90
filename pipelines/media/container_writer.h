// ContainerWriter: one container behind VideoWriter. Internal to pipelines/media.
//
// VideoWriter checks the format, counts and hashes the frames and writes the sidecar; an output only encodes. The
// destructor of an unfinished output removes all its temporaries.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/files.h"
#include "engine/base/frame_names.h"
#include "pipelines/media/video_writer.h"

namespace rubato {

class ContainerWriter {
 public:
  virtual ~ContainerWriter() = default;
  // Frame number `index`, already checked to be width * height * 3 bytes.
  virtual Result<> add(std::int64_t index, std::span<const std::uint8_t> rgb24) = 0;
  // Completes the file; an empty text is left out. Returns the final paths.
  virtual Result<std::vector<std::filesystem::path>> finish(const Metadata& metadata) = 0;
  virtual std::filesystem::path temporary_path() const { return {}; }
};

using OutputResult = Result<std::unique_ptr<ContainerWriter>>;
OutputResult open_stream_output(const std::filesystem::path& output, const VideoFormat& format, Container container,
                                Overwrite overwrite);
OutputResult open_gif_output(const std::filesystem::path& output, const VideoFormat& format, Overwrite overwrite);
OutputResult open_webp_output(const std::filesystem::path& output, const VideoFormat& format, Overwrite overwrite);
OutputResult open_png_output(const std::filesystem::path& output, const VideoFormat& format, Overwrite overwrite);
OutputResult open_png_frames_output(const std::filesystem::path& output, const VideoFormat& format,
                                    Overwrite overwrite);

// What containers carry at most; larger metadata stays in the sidecar alone.
inline constexpr std::size_t kMaxContainerTag = 1u << 20;
inline constexpr std::size_t kMaxPngText = 4u << 20;
inline constexpr std::size_t kMaxSidecar = 16u << 20;

// OutputExists or CannotWrite, as check_writable for a single file.
Result<> check_frames_writable(const FrameTemplate& frames, Overwrite overwrite);

}  // namespace rubato
