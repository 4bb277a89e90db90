#include "pipelines/job/video_model.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

namespace rubato {
namespace {

using nlohmann::json;

constexpr const char* kWan = "WanPipeline";
constexpr const char* kWanFromImage = "WanImageToVideoPipeline";

// A small positive integer of a configuration, or the class's default where the key is absent.
Result<int> small_integer(const json& config, const char* key, int otherwise, const std::string& file) {
  if (!config.contains(key) || config[key].is_null()) return otherwise;
  if (!config[key].is_number_integer() || config[key].get<std::int64_t>() < 1 || config[key].get<std::int64_t>() > 64)
    return Error{ErrorCode::ModelUnfit, fmt::format("{}: {} must be a whole number from 1 to 64", file, key)};
  return config[key].get<int>();
}

// Values of the family for fields that neither the job nor the card sets (methods: Wan 2.1 and 2.2 configurations).
json family_defaults(const VideoModel& model, bool per_token_time, bool job_sets_guidance) {
  json defaults{{"size", "832x480"},          {"frames", 81},         {"fps", 16}, {"steps", 50}, {"guidance", 5.0},
                {"max_sequence_length", 512}, {"negative_prompt", ""}};
  if (per_token_time) defaults.update(json{{"size", "1280x704"}, {"frames", 121}, {"fps", 24}});
  if (model.two_experts) {
    defaults["steps"] = 40;
    if (!job_sets_guidance) defaults.update(json{{"guidance", 4.0}, {"guidance_2", 3.0}});
  }
  return defaults;
}

}  // namespace

Result<VideoModel> open_video_model(const std::filesystem::path& root) {
  VideoModel model;
  RUBATO_TRY(folder, PipelineFolder::open(root));
  model.folder = std::move(folder);
  const auto& name = model.folder.class_name;
  if (name != kWan && name != kWanFromImage)
    return Error{ErrorCode::ModelUnfit,
                 fmt::format("{} holds a {}; video models that can be used are {} and {} (Wan 2.1 and 2.2)",
                             root.string(), name, kWan, kWanFromImage)};
  for (const char* part : {"transformer", "vae", "text_encoder", "tokenizer", "scheduler"})
    if (model.folder.find(part) == nullptr)
      return Error{ErrorCode::ModelMissing, fmt::format("{} names no {}; it is needed",
                                                        (model.folder.root / "model_index.json").string(), part)};

  RUBATO_TRY(card, ModelCard::load(model.folder.root));
  model.card = std::move(card);
  model.name = model.card && !model.card->name.empty() ? model.card->name : model.folder.root.filename().string();

  RUBATO_TRY(vae, model.folder.config("vae"));
  RUBATO_TRY(transformer, model.folder.config("transformer"));
  const auto vae_file = model.folder.find("vae")->config_path().string();
  RUBATO_TRY(spatial, small_integer(vae, "scale_factor_spatial", 8, vae_file));
  RUBATO_TRY(temporal, small_integer(vae, "scale_factor_temporal", 4, vae_file));
  int patch_h = 2, patch_w = 2;
  if (const auto patch = transformer.find("patch_size"); patch != transformer.end()) {
    const bool fine = patch->is_array() && patch->size() == 3 && (*patch)[1].is_number_integer() &&
                      (*patch)[2].is_number_integer() && (*patch)[1] >= 1 && (*patch)[2] >= 1 && (*patch)[1] <= 16 &&
                      (*patch)[2] <= 16;
    if (!fine)
      return Error{ErrorCode::ModelUnfit, fmt::format("{}: patch_size must be three small whole numbers",
                                                      model.folder.find("transformer")->config_path().string())};
    patch_h = (*patch)[1];
    patch_w = (*patch)[2];
  }
  RUBATO_TRY(channels,
             small_integer(transformer, "in_channels", 16, model.folder.find("transformer")->config_path().string()));
  model.latent_channels = channels;
  model.spatial_ratio = spatial;
  model.height_multiple = spatial * patch_h;
  model.width_multiple = spatial * patch_w;
  model.temporal_ratio = temporal;
  model.two_experts = model.folder.find("transformer_2") != nullptr;
  model.takes_image = model.folder.index.value("expand_timesteps", json(false)) == json(true);
  if (name == kWanFromImage && !model.takes_image)
    return Error{ErrorCode::ModelUnfit, fmt::format("{} is an image-to-video model with its own image encoder (Wan 2.1 "
                                                    "I2V), which this version cannot run yet; "
                                                    "Wan 2.2 TI2V-5B takes a first frame",
                                                    root.string())};
  return model;
}

Result<VideoJob> resolve_video_job(VideoJob job, const VideoModel& model) {
  const bool guided = job.guidance.has_value() || (model.card && model.card->defaults.guidance.has_value());
  if (job.guidance_2 && !model.two_experts)
    return Error{ErrorCode::JobInvalid,
                 fmt::format("guidance_2 is for models with two experts; {} has one, so leave it out", model.name)};
  if (model.card) RUBATO_OK(fill_unset(job, model.card->defaults.all, "rubato.json"));
  RUBATO_OK(fill_unset(job, family_defaults(model, model.takes_image, guided), "the model family"));
  if (model.two_experts && !job.guidance_2) job.guidance_2 = job.guidance;  // as the reference does

  RUBATO_OK(check_geometry(*job.size, *job.frames, std::max(model.width_multiple, model.height_multiple),
                           model.temporal_ratio));
  if (!job.image.empty() && !model.takes_image)
    return Error{ErrorCode::JobInvalid, fmt::format("{} makes video from text only; leave out --image, or use a model "
                                                    "that takes a first frame (Wan 2.2 TI2V-5B)",
                                                    model.name)};
  return job;
}

}  // namespace rubato
