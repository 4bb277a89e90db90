// The FFmpeg side of FrameOutput. In a build without media (RUBATO_MEDIA=OFF) media_output_none.cpp stands in, which
// refuses with a sentence.
#pragma once

#include <filesystem>
#include <memory>

#include "pipelines/runner/frame_output.h"

namespace rubato {

Result<> check_media_output(const std::filesystem::path& target, const FrameFormat& format, Overwrite overwrite);
Result<std::unique_ptr<FrameOutput>> open_media_output(const std::filesystem::path& target, const FrameFormat& format,
                                                       Overwrite overwrite);

// A picture file as [H, W, 3] in 0..1, scaled to width × height (cropped to the aspect ratio, never stretched).
Result<at::Tensor> read_picture(const std::filesystem::path& path, int width, int height);

// 8-bit RGB frames of an existing clip, [n, H, W, 3]; for verify.
Result<at::Tensor> read_clip(const std::filesystem::path& path);

// Names and versions of the media libraries, for metadata; empty without them.
nlohmann::json media_libraries();

}  // namespace rubato
