// Video from a sentence with a Wan checkpoint (2.1, 2.2 A14B with two experts, 2.2 TI2V-5B), and from a sentence and
// a picture where the checkpoint can. Tensors in, tensors out; no files but the model's, no job.
//
// The stages are separate calls, in this order, so that whoever runs them can save what is finished in between:
//   encode_text → initial_latents → encode_image → denoise → decode
//
// Shapes: B batch, C latent channels, F latent frames, h×w latent cells, T text tokens, D text width.
// Threads: one job at a time. Errors: Cancelled from a stop token, Numerics at the first step whose latents are not
// finite; lack of memory is thrown (guard() at the border of a job turns it into an Error).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/files/pipeline_folder.h"
#include "engine/models/wan/transformer.h"
#include "engine/models/wan_vae/vae.h"
#include "engine/sampling/scheduler.h"
#include "engine/text/wan_text.h"
#include "pipelines/job/memory_plan.h"
#include "pipelines/text_to_video/part.h"

namespace rubato {

// What a picture of a video should be; every field is set (defaults are filled in by whoever made the job).
struct VideoRequest {
  std::string prompt, negative_prompt;
  std::int64_t width = 0, height = 0, frames = 0;  // pixels, pixel frames
  int steps = 0;
  double guidance = 1, guidance_2 = 1;  // at most 1: no second branch; _2: for the low-noise expert
  int max_sequence_length = 512;
  std::uint64_t seed = 0;
};

struct EncodedText {
  PromptEmbedding prompt;
  std::optional<PromptEmbedding> negative;  // absent without guidance
};

// Where a denoising loop stands: enough to go on from here and get the same result bit for bit.
struct DenoiseState {
  int next_step = 0;
  at::Tensor latents;  // [1, C, F, h, w] float32
  SchedulerState scheduler;
};

// Looks at a run from outside. Every member may be empty.
struct DenoiseObserver {
  std::stop_token stop;
  // After step i; velocity as the scheduler received it.
  std::function<void(int step, const at::Tensor& velocity, const DenoiseState& after)> on_step;
};

class WanPipeline {
 public:
  struct LoadOptions {
    at::Device device{at::kCPU};
    at::ScalarType dtype = at::kFloat;
    Offload offload = Offload::None;
    bool branches_apart = false;
  };
  // Told before each part is loaded ("text_encoder", 0, kParts) and after the last.
  using PartSink = std::function<void(const std::string& part, int done, int total)>;
  static constexpr int kParts = 4;
  // Loads all parts, or, with offload, what stays and the configurations of what comes later; ModelMissing or
  // ModelUnfit with every problem of a part named. A part that comes later may still be found unfit by its stage.
  static Result<std::unique_ptr<WanPipeline>> load(const PipelineFolder& folder, const LoadOptions& options,
                                                   const PartSink& on_part = {}, std::stop_token stop = {});

  Result<EncodedText> encode_text(const VideoRequest& request);

  // Noise [1, C, F, h, w] in float32 from torch's CPU generator: the same for every device.
  at::Tensor initial_latents(const VideoRequest& request) const;

  // Normalised latent [1, C, 1, h, w] of a first frame; image [H, W, 3] in 0..1 of the request's size.
  at::Tensor encode_image(const at::Tensor& image) const;

  // Final latents [1, C, F, h, w], before the VAE's de-normalisation. first_frame: from encode_image, or undefined.
  Result<at::Tensor> denoise(const VideoRequest& request, const EncodedText& text, DenoiseState start,
                             const at::Tensor& first_frame, const DenoiseObserver& observer);

  // Frames in order, a few at a time: [1, 3, n, H, W] in -1..1. Throws what the sink throws, and ErrorException with
  // Cancelled when stopped.
  void decode(const at::Tensor& latents, const DecodeOptions& options, const AutoencoderKLWan::Sink& sink) const;

  // The sampler's schedule for a request of n steps.
  Result<std::unique_ptr<Scheduler>> make_schedule(const VideoRequest& request) const;

  const AutoencoderKLWan& vae() const { return *vae_; }
  // Of the parts that are loaded now, the VAE apart.
  std::uint64_t parameter_bytes() const;

 private:
  class FirstFrame;
  struct Branches;
  WanPipeline() = default;
  Branches branches(const wan::Transformer& expert, const EncodedText& text, double guidance,
                    const at::Tensor& latents) const;
  at::Tensor guided_velocity(const wan::Transformer& expert, const Branches& branches, const at::Tensor& input,
                             const at::Tensor& timestep, const wan::RopeTable& rope, int step,
                             AttentionPolicy& attention) const;

  LoadOptions options_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  wan::Config transformer_config_;
  Part<umt5::Encoder> text_encoder_;
  Part<wan::Transformer> high_noise_, low_noise_;  // one-expert models have no low-noise one
  std::unique_ptr<AutoencoderKLWan> vae_;
  nlohmann::json scheduler_config_;
  std::optional<double> boundary_timestep_;  // at and above it, the high-noise expert works
  bool expand_timesteps_ = false;            // a time step per token (TI2V-5B)
};

}  // namespace rubato
