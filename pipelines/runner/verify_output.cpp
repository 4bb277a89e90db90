#include "pipelines/runner/verify_output.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/tensor/state_dict.h"
#include "pipelines/runner/media_output.h"

namespace rubato {
namespace {

// 8-bit frames of the clip, also of a safetensors output.
Result<at::Tensor> frames_of(const std::filesystem::path& clip) {
  if (clip.extension() != ".safetensors") return read_clip(clip);
  RUBATO_TRY(tensors, read_tensors(clip));
  const auto frames = tensors.find("frames");
  if (frames == tensors.end() || frames->second.dim() != 4)
    return Error{ErrorCode::JobInvalid,
                 fmt::format("{} holds no tensor 'frames' of shape [F, H, W, 3]", clip.string())};
  return to_rgb8(frames->second.to(at::kFloat));
}

}  // namespace

Result<> VerifyOutput::add(const at::Tensor& frames) {
  const auto rgb = to_rgb8(to_unit_frames(frames));
  hash_.update(std::as_bytes(std::span(rgb.const_data_ptr<std::uint8_t>(), static_cast<std::size_t>(rgb.numel()))));
  parts_.push_back(rgb);
  return {};
}

Result<std::vector<std::filesystem::path>> VerifyOutput::finish(const nlohmann::json&) {
  return std::vector<std::filesystem::path>{};
}

Result<nlohmann::json> VerifyOutput::compare() const {
  RUBATO_TRY(theirs, frames_of(clip_));
  const auto ours = at::cat(parts_, 0);
  if (ours.sizes() != theirs.sizes())
    return Error{ErrorCode::VerifyMismatch,
                 fmt::format("{} has frames of shape [{}], the job gives [{}]", clip_.string(),
                             fmt::join(theirs.sizes(), ", "), fmt::join(ours.sizes(), ", "))};
  double squares = 0;  // frame by frame: a difference of the whole clip in float would take four times its size
  for (std::int64_t i = 0; i < ours.size(0); ++i)
    squares += (ours[i].to(at::kFloat) - theirs[i].to(at::kFloat)).square_().sum(at::kDouble).item<double>();
  const double mean = squares / static_cast<double>(ours.numel());
  nlohmann::json result{{"frames_sha256", frames_sha256()}, {"frames", ours.size(0)}, {"psnr_db", nullptr}};
  if (mean > 0) result["psnr_db"] = 10 * std::log10(255.0 * 255.0 / mean);
  return result;
}

}  // namespace rubato
