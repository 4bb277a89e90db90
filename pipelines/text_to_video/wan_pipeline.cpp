#include "pipelines/text_to_video/wan_pipeline.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "engine/base/check.h"
#include "engine/files/model_memory.h"
#include "engine/policies/attention.h"

namespace rubato {
namespace {

at::Tensor draw_noise(at::IntArrayRef shape, std::uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  return at::randn(shape, generator, at::TensorOptions().dtype(at::kFloat));
}

}  // namespace

// The first frame of a clip as a constraint on the latents (Wan 2.2 TI2V-5B): its latent replaces latent frame 0 in
// every model input, and its tokens are told that they are clean (time step 0). Without a picture it changes nothing.
class WanPipeline::FirstFrame {
 public:
  FirstFrame(const at::Tensor& picture_latent, const at::Tensor& latents, at::IntArrayRef patch, bool per_token_time)
      : picture_(picture_latent.defined() ? picture_latent.to(latents.device()) : at::Tensor{}),
        token_frames_(latents.size(2) / patch[0]),
        per_token_time_(per_token_time) {}

  at::Tensor blend(const at::Tensor& latents) const {  // [1, C, F, h, w]
    if (!picture_.defined()) return latents;
    return at::cat({picture_, latents.slice(2, 1)}, 2);
  }
  at::Tensor timestep(double t) const {  // [1], or [1, F] with one entry per frame of tokens
    auto time = at::full({1, per_token_time_ ? token_frames_ : 1}, t, at::kFloat);
    if (picture_.defined()) time.select(1, 0).zero_();
    return per_token_time_ ? time : time.flatten();
  }

 private:
  at::Tensor picture_;  // [1, C, 1, h, w]
  std::int64_t token_frames_;
  bool per_token_time_;
};

// What one expert needs beside the latents: the prompts as it sees them and its guidance.
struct WanPipeline::Branches {
  std::vector<wan::TextContext> contexts;  // one of both prompts, or one each, or only the prompt
  double guidance = 1;
};

Result<std::unique_ptr<WanPipeline>> WanPipeline::load(const PipelineFolder& folder, const LoadOptions& options,
                                                       const PartSink& on_part, std::stop_token stop) {
  std::unique_ptr<WanPipeline> pipeline(new WanPipeline);
  pipeline->options_ = options;
  const auto part = [&](const char* name, int done) -> Result<> {
    if (stop.stop_requested()) return Error{ErrorCode::Cancelled, "stopped while loading the model"};
    if (on_part) on_part(name, done, kParts);
    return {};
  };

  RUBATO_OK(part("text_encoder", 0));
  const auto* tokenizer_part = folder.find("tokenizer");
  RUBATO_TRY(tokenizer, Tokenizer::load(tokenizer_part->folder, tokenizer_part->class_name));
  pipeline->tokenizer_ = std::move(tokenizer);
  const bool stays = options.offload == Offload::None;
  const auto placement =
      options.offload == Offload::Layers ? nn::WeightPlacement::Streamed : nn::WeightPlacement::Resident;
  const auto transformer = [&](const std::filesystem::path& where) {
    return Part<wan::Transformer>(
        [=] { return wan::Transformer::load_folder(where, options.device, options.dtype, placement); }, stays);
  };
  pipeline->text_encoder_ = Part<umt5::Encoder>(
      [=, where = folder.find("text_encoder")->folder] {
        return umt5::Encoder::load_folder(where, options.device, options.dtype, placement);
      },
      stays);
  if (stays) RUBATO_OK(pipeline->text_encoder_.get());

  RUBATO_OK(part("transformer", 1));
  const auto where = folder.find("transformer")->folder;
  RUBATO_TRY(config, wan::Transformer::config_of(where));
  pipeline->transformer_config_ = config;
  pipeline->high_noise_ = transformer(where);
  if (stays) RUBATO_OK(pipeline->high_noise_.get());

  RUBATO_OK(part("transformer_2", 2));
  if (const auto* second = folder.find("transformer_2")) {
    pipeline->low_noise_ = transformer(second->folder);
    if (stays) RUBATO_OK(pipeline->low_noise_.get());
  }

  RUBATO_OK(part("vae", 3));
  RUBATO_TRY(vae, AutoencoderKLWan::load(folder.find("vae")->folder, options.device, options.dtype));
  pipeline->vae_ = std::move(vae);

  RUBATO_TRY(scheduler, folder.config("scheduler"));
  pipeline->scheduler_config_ = std::move(scheduler);
  RUBATO_TRY(schedule, make_scheduler(pipeline->scheduler_config_));  // refuses what it does not know, before any work
  const auto boundary = folder.index.find("boundary_ratio");
  if (pipeline->low_noise_.exists() && boundary != folder.index.end() && boundary->is_number())
    pipeline->boundary_timestep_ = boundary->get<double>() * static_cast<double>(schedule->train_timesteps());
  pipeline->expand_timesteps_ = folder.index.value("expand_timesteps", nlohmann::json(false)) == nlohmann::json(true);
  RUBATO_OK(part("vae", kParts));
  return pipeline;
}

Result<EncodedText> WanPipeline::encode_text(const VideoRequest& request) {
  EncodedText text;
  const InUse stage(text_encoder_);
  RUBATO_TRY(encoder, text_encoder_.get());
  RUBATO_TRY(prompt, encode_wan_prompt(*encoder, *tokenizer_, request.prompt, request.max_sequence_length));
  text.prompt = std::move(prompt);
  // The reference's rule: the first guidance alone decides whether there is a second branch.
  if (request.guidance > 1) {
    RUBATO_TRY(negative,
               encode_wan_prompt(*encoder, *tokenizer_, request.negative_prompt, request.max_sequence_length));
    text.negative = std::move(negative);
  }
  return text;
}

at::Tensor WanPipeline::initial_latents(const VideoRequest& request) const {
  const auto& vae = vae_->config();
  const std::array<std::int64_t, 5> shape{1, transformer_config_.in_channels,
                                          (request.frames - 1) / vae.temporal_ratio() + 1,
                                          request.height / vae.spatial_ratio(), request.width / vae.spatial_ratio()};
  return draw_noise(shape, request.seed);
}

at::Tensor WanPipeline::encode_image(const at::Tensor& image) const {
  const auto frame = image.permute({2, 0, 1}).unsqueeze(0).unsqueeze(2).mul(2).sub(1);  // [1, 3, 1, H, W]
  return vae_->normalise(vae_->encode(frame));
}

Result<std::unique_ptr<Scheduler>> WanPipeline::make_schedule(const VideoRequest& request) const {
  RUBATO_TRY(scheduler, make_scheduler(scheduler_config_));
  RUBATO_OK(scheduler->set_timesteps(request.steps));
  return scheduler;
}

Result<at::Tensor> WanPipeline::denoise(const VideoRequest& request, const EncodedText& text, DenoiseState start,
                                        const at::Tensor& first_frame_latent, const DenoiseObserver& observer) {
  RUBATO_TRY(scheduler, make_schedule(request));
  if (start.next_step > 0) {  // from a file everything comes to the CPU
    for (auto& [name, tensor] : start.scheduler.tensors) tensor = tensor.to(options_.device);
    RUBATO_OK(scheduler->restore(start.scheduler));
  }

  at::Tensor latents = start.latents.to(options_.device, at::kFloat);
  const FirstFrame first_frame(first_frame_latent, latents, transformer_config_.patch, expand_timesteps_);
  const wan::RopeTable rope =
      wan::rope_table(transformer_config_, latents.size(2), latents.size(3), latents.size(4), options_.device);
  DenseAttention attention;
  // The experts work one after the other, so what one needs is made when its time comes and goes with it.
  const InUse high_stage(high_noise_), low_stage(low_noise_);
  Part<wan::Transformer>* working = nullptr;
  wan::Transformer* expert = nullptr;
  Branches prompts;

  for (int step = start.next_step; step < request.steps; ++step) {
    if (observer.stop.stop_requested())
      return Error{ErrorCode::Cancelled, fmt::format("stopped after step {} of {}", step, request.steps)};
    const double t = scheduler->timestep(step);
    const bool high_noise = !boundary_timestep_ || t >= *boundary_timestep_;
    if (auto* const due = high_noise ? &high_noise_ : &low_noise_; due != working) {
      prompts = {};
      if (working != nullptr) working->done();
      working = due;
      RUBATO_TRY(loaded, due->get());
      expert = loaded;
      prompts = branches(*expert, text, high_noise ? request.guidance : request.guidance_2, latents);
    }
    const at::Tensor velocity =
        guided_velocity(*expert, prompts, first_frame.blend(latents), first_frame.timestep(t), rope, step, attention);
    latents = scheduler->step(velocity, step, latents);
    if (!at::isfinite(latents).all().item<bool>())
      return Error{
          ErrorCode::Numerics,
          fmt::format(
              "the latents are no longer finite after step {} of {}; try --dtype float32, and check the model's files "
              "with 'rubato-cli models check'",
              step + 1, request.steps)};
    if (observer.on_step) observer.on_step(step, velocity, {step + 1, latents, scheduler->save()});
  }
  return first_frame.blend(latents);
}

WanPipeline::Branches WanPipeline::branches(const wan::Transformer& expert, const EncodedText& text, double guidance,
                                            const at::Tensor& latents) const {
  Branches result;
  result.guidance = guidance;
  const at::Tensor& prompt = text.prompt.embeds;
  if (!text.negative) {
    result.contexts.push_back(expert.text_context(prompt));
    return result;
  }
  const at::Tensor& negative = text.negative->embeds;
  const auto& config = expert.config();
  const WanShape shape{.width = config.width(), .heads = config.heads, .ffn_width = config.ffn_width};
  const std::int64_t tokens = latents.numel() / latents.size(1) / config.patch_volume();
  const auto bytes_per_value = static_cast<std::int64_t>(c10::elementSize(options_.dtype));
  if (!options_.branches_apart && branches_fit_one_batch(shape, tokens, bytes_per_value)) {
    result.contexts.push_back(expert.text_context(at::cat({prompt, negative}, 0)));
  } else {
    result.contexts.push_back(expert.text_context(prompt));
    result.contexts.push_back(expert.text_context(negative));
  }
  return result;
}

// Classifier-free guidance: v = v_u + g (v_c − v_u).
at::Tensor WanPipeline::guided_velocity(const wan::Transformer& expert, const Branches& branches,
                                        const at::Tensor& input, const at::Tensor& timestep, const wan::RopeTable& rope,
                                        int step, AttentionPolicy& attention) const {
  std::vector<at::Tensor> velocities;
  for (const auto& context : branches.contexts)
    velocities.push_back(expert.forward({input, timestep, context, rope, step}, attention));
  const at::Tensor all = velocities.size() == 1 ? velocities[0] : at::cat(velocities, 0);  // [1 or 2, C, F, h, w]
  if (all.size(0) == 1) return all;
  const at::Tensor conditional = all.slice(0, 0, 1), unconditional = all.slice(0, 1, 2);
  return unconditional + branches.guidance * (conditional - unconditional);
}

void WanPipeline::decode(const at::Tensor& latents, const DecodeOptions& options,
                         const AutoencoderKLWan::Sink& sink) const {
  vae_->decode(vae_->denormalise(latents), sink, options);
}

std::uint64_t WanPipeline::parameter_bytes() const {
  std::uint64_t bytes = 0;
  for (nn::Module* module :
       std::initializer_list<nn::Module*>{text_encoder_.loaded(), high_noise_.loaded(), low_noise_.loaded()})
    if (module != nullptr) bytes += module->parameter_bytes();
  return bytes;
}

}  // namespace rubato
