// Trace of a run (`--trace FILE.safetensors`): every tensor that is needed to find the first difference from another
// implementation, under the names of the command line's documentation: prompt_ids, prompt_embeds,
// negative_prompt_embeds, initial_latents, timesteps, sigmas, velocity.000, latents.000, …
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>

#include "engine/base/error.h"
#include "engine/base/files.h"
#include "pipelines/text_to_video/wan_pipeline.h"

namespace rubato {

// Off, it keeps nothing and costs a branch.
class Trace {
 public:
  explicit Trace(bool on) : on_(on) {}
  bool on() const { return on_; }

  void text(const EncodedText& text);
  void start(const at::Tensor& latents);
  void schedule(const Scheduler& scheduler);
  void step(int step, const at::Tensor& velocity, const at::Tensor& latents);
  Result<> write(const std::filesystem::path& file, Overwrite overwrite) const;

 private:
  std::map<std::string, at::Tensor> tensors_;
  bool on_;
};

}  // namespace rubato
