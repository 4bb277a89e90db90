#include "pipelines/runner/verify_output.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/tensor/state_dict.h"
#include "pipelines/runner/media_output.h"

namespace rubato {
namespace {

bool is_tensors(const std::filesystem::path& clip) { return clip.extension() == ".safetensors"; }

// Whether the file gives back the frames that it was written from: tensors, and PNG files one or many.
bool is_lossless(const std::filesystem::path& clip) {
  std::error_code failed;
  return is_tensors(clip) || clip.extension() == ".png" || clip.extension() == ".PNG" ||
         std::filesystem::is_directory(clip, failed);
}

std::string sha256_of(const at::Tensor& rgb) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(rgb.const_data_ptr<std::uint8_t>(), static_cast<std::size_t>(rgb.numel()))));
  return hash.hex();
}

// 8-bit frames of the clip, also of a safetensors output.
Result<at::Tensor> frames_of(const std::filesystem::path& clip) {
  if (!is_tensors(clip)) return read_clip(clip);
  RUBATO_TRY(tensors, read_tensors(clip));
  const auto frames = tensors.find("frames");
  if (frames == tensors.end() || frames->second.dim() != 4)
    return Error{ErrorCode::VerifyMismatch,
                 fmt::format("{} holds no tensor 'frames' of shape [F, H, W, 3] any more", clip.string())};
  const auto values = frames->second.to(at::kFloat);
  // NaN fails this too. Outside 0..1 the conversion to 8 bits would wrap, and might come out right.
  if (!values.ge(0).logical_and_(values.le(1)).all().item<bool>())
    return Error{
        ErrorCode::VerifyMismatch,
        fmt::format("{}: the tensor 'frames' holds values outside 0..1, which Rubato never writes", clip.string())};
  return to_rgb8(values);
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
  nlohmann::json result{{"frames_sha256", frames_sha256()},
                        {"frames", ours.size(0)},
                        {"psnr_db", nullptr},
                        {"lossless", is_lossless(clip_)},
                        {"file_frames_sha256", sha256_of(theirs)}};
  if (mean > 0) result["psnr_db"] = 10 * std::log10(255.0 * 255.0 / mean);
  return result;
}

}  // namespace rubato
