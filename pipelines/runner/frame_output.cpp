#include "pipelines/runner/frame_output.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "engine/base/ids.h"
#include "engine/tensor/state_dict.h"
#include "pipelines/runner/media_output.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

class TensorOutput final : public FrameOutput {
 public:
  TensorOutput(fs::path target, Overwrite overwrite) : target_(std::move(target)), overwrite_(overwrite) {}

  Result<> add(const at::Tensor& frames) override {
    parts_.push_back(to_unit_frames(frames));
    const auto rgb = to_rgb8(parts_.back());
    hash_.update(std::as_bytes(std::span(rgb.const_data_ptr<std::uint8_t>(), static_cast<std::size_t>(rgb.numel()))));
    return {};
  }

  std::string frames_sha256() const override { return Sha256(hash_).hex(); }

  Result<std::vector<fs::path>> finish(const nlohmann::json& metadata) override {
    std::map<std::string, std::string> texts;
    if (!metadata.is_null()) {
      auto complete = metadata;
      complete["frames_sha256"] = frames_sha256();
      texts["rubato"] = complete.dump();
    }
    RUBATO_OK(write_tensors(target_, {{"frames", at::cat(parts_, 0)}}, texts, overwrite_));
    return std::vector{target_};
  }

 private:
  fs::path target_;
  Overwrite overwrite_;
  std::vector<at::Tensor> parts_;  // [n, H, W, 3]
  Sha256 hash_;
};

bool is_tensor_file(const fs::path& target) { return target.extension() == ".safetensors"; }

}  // namespace

Result<> check_frame_output(const fs::path& target, const FrameFormat& format, Overwrite overwrite) {
  return is_tensor_file(target) ? check_writable(target, overwrite) : check_media_output(target, format, overwrite);
}

Result<std::unique_ptr<FrameOutput>> open_frame_output(const fs::path& target, const FrameFormat& format,
                                                       Overwrite overwrite) {
  RUBATO_OK(check_frame_output(target, format, overwrite));
  if (is_tensor_file(target)) return std::unique_ptr<FrameOutput>(std::make_unique<TensorOutput>(target, overwrite));
  return open_media_output(target, format, overwrite);
}

at::Tensor to_unit_frames(const at::Tensor& frames) {
  return frames[0].to(at::kCPU, at::kFloat).permute({1, 2, 3, 0}).mul(0.5).add_(0.5).clamp_(0, 1).contiguous();
}

at::Tensor to_rgb8(const at::Tensor& unit_frames) { return unit_frames.mul(255).round_().to(at::kByte).contiguous(); }

}  // namespace rubato
