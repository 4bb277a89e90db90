// The output of a job that verifies: nothing is written; the frames are compared with those of an existing clip.
#pragma once

#include <vector>

#include "engine/base/ids.h"
#include "pipelines/runner/frame_output.h"

namespace rubato {

class VerifyOutput final : public FrameOutput {
 public:
  explicit VerifyOutput(std::filesystem::path clip) : clip_(std::move(clip)) {}

  Result<> add(const at::Tensor& frames) override;
  std::string frames_sha256() const override { return Sha256(hash_).hex(); }
  // Writes nothing and gives no paths.
  Result<std::vector<std::filesystem::path>> finish(const nlohmann::json& metadata) override;

  // {"frames_sha256" (of the frames made now), "frames", "psnr_db" (of what the clip plays against them, over all
  // frames; null when they are equal), "lossless", "file_frames_sha256" (of what the clip plays, in 8 bits)}. A
  // lossless file must play what it was written from; for a lossy one the PSNR says how far its compression moved the
  // frames. VerifyMismatch when the clip has another size or length, or values that no output of ours has.
  Result<nlohmann::json> compare() const;

 private:
  std::filesystem::path clip_;
  std::vector<at::Tensor> parts_;  // 8-bit [n, H, W, 3]
  Sha256 hash_;
};

}  // namespace rubato
