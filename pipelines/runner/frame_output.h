// Where finished frames go: a media file (pipelines/media), or a safetensors file for inspection and for hosts
// without FFmpeg. Either way nothing appears under the final name before finish().
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/files.h"

namespace rubato {

struct FrameFormat {
  int width = 0, height = 0;
  int fps = 16;
  std::int64_t frames = 0;  // how many will come
  bool metadata = true;     // write it into the file and beside it
};

// One output file in the making. Frames are [1, 3, n, H, W] in -1..1, in order, on any device.
class FrameOutput {
 public:
  virtual ~FrameOutput() = default;
  virtual Result<> add(const at::Tensor& frames) = 0;
  // SHA-256 of the 8-bit RGB frames so far; finish() puts it into the metadata as "frames_sha256".
  virtual std::string frames_sha256() const = 0;
  // Completes the file; gives the paths of what was written, the output first.
  virtual Result<std::vector<std::filesystem::path>> finish(const nlohmann::json& metadata) = 0;
};

// What can be said about a target before any work: extension, size, existing file, folder.
Result<> check_frame_output(const std::filesystem::path& target, const FrameFormat& format, Overwrite overwrite);

// Opens the output that the extension asks for: .safetensors (tensor `frames` float32 [F, H, W, 3] in 0..1), or what
// pipelines/media writes. Without media support any other extension is a Usage error that says so.
Result<std::unique_ptr<FrameOutput>> open_frame_output(const std::filesystem::path& target, const FrameFormat& format,
                                                       Overwrite overwrite);

// [1, 3, n, H, W] in -1..1 → [n, H, W, 3] in 0..1, contiguous on the CPU.
at::Tensor to_unit_frames(const at::Tensor& frames);
// [n, H, W, 3] in 0..1 → 8-bit, rounded.
at::Tensor to_rgb8(const at::Tensor& unit_frames);

}  // namespace rubato
