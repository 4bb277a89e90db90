#include "pipelines/runner/trace.h"

#include <fmt/format.h>

#include "engine/tensor/state_dict.h"

namespace rubato {
namespace {

at::Tensor kept(const at::Tensor& tensor) {
  return tensor.detach().to(at::kCPU, at::kFloat, /*non_blocking=*/false, /*copy=*/true);
}

}  // namespace

void Trace::text(const EncodedText& text) {
  if (!on_) return;
  tensors_["prompt_ids"] = text.prompt.ids.to(at::kInt);
  tensors_["prompt_embeds"] = kept(text.prompt.embeds);
  if (!text.negative) return;
  tensors_["negative_prompt_ids"] = text.negative->ids.to(at::kInt);
  tensors_["negative_prompt_embeds"] = kept(text.negative->embeds);
}

void Trace::start(const at::Tensor& latents) {
  if (on_) tensors_["initial_latents"] = kept(latents);
}

void Trace::schedule(const Scheduler& scheduler) {
  if (!on_) return;
  const std::vector<double> sigmas(scheduler.sigmas().begin(), scheduler.sigmas().end());
  tensors_["sigmas"] = at::tensor(at::ArrayRef<double>(sigmas), at::kDouble).to(at::kFloat);
  tensors_["timesteps"] = scheduler.timesteps().to(at::kFloat);
}

void Trace::step(int step, const at::Tensor& velocity, const at::Tensor& latents) {
  if (!on_) return;
  tensors_[fmt::format("velocity.{:03}", step)] = kept(velocity);
  tensors_[fmt::format("latents.{:03}", step)] = kept(latents);
}

Result<> Trace::write(const std::filesystem::path& file, Overwrite overwrite) const {
  if (!on_) return {};
  return write_tensors(file, tensors_, {}, overwrite);
}

}  // namespace rubato
