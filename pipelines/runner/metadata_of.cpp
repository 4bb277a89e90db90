#include "pipelines/runner/metadata_of.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/version.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/base/ids.h"
#include "engine/base/text.h"
#include "engine/base/version.h"
#include "engine/files/hub_place.h"
#include "engine/files/weight_set.h"
#include "kernels/device.h"
#include "pipelines/runner/media_output.h"

namespace rubato {
using Json = nlohmann::json;

Json seconds_of(const ProgressMeter& meter) {
  Json seconds = Json::object();
  for (const auto& [phase, s] : meter.seconds()) seconds[phase] = s;
  return seconds;
}

namespace {

// The names of clip and model go with it; the folders that they lay in say nothing about it, and are nobody's business.
VideoJob without_folders(VideoJob job, const VideoModel& model) {
  const auto hub = hub_place(model.folder.root);
  job.model = model.card && !model.card->name.empty() ? model.card->name : hub ? hub->repository : model.name;
  const std::filesystem::path out(job.out);
  job.out = out.has_filename() || out.empty() ? out.filename().string() : out.parent_path().filename().string() + "/";
  return job;
}

}  // namespace

Json metadata_of(const VideoJob& job, const VideoModel& model, const std::string& content_hash, at::Device device,
                 const ProgressMeter& meter) {
  Json libraries = media_libraries();
  libraries["libtorch"] = TORCH_VERSION;
  std::string device_model = "CPU";
  if (device.is_cuda())
    for (const auto& info : cuda_devices())
      if (info.name == device.str()) device_model = info.model;

  auto seconds = seconds_of(meter);
  seconds.erase("mux");  // is still to come: a file cannot say how long its own writing took
  return {{"version", 1},
          {"rubato", {{"version", kVersion}, {"revision", kGitRevision}, {"output_version", kOutputVersion}}},
          {"job", video_job_to_json(without_folders(job, model))},
          {"model",
           {{"name", model.name},
            {"class", model.folder.class_name},
            {"content_hash", content_hash},
            {"practice", model.practice()}}},
          {"device", {{"name", device.str()}, {"model", device_model}, {"threads", at::get_num_threads()}}},
          {"libraries", libraries},
          {"seconds", seconds},
          {"comment", fmt::format("{} — {}, seed {}", clip_utf8(job.prompt, 200), model.name, *job.seed)}};
}

std::string model_stamp(const PipelineFolder& folder) {
  Sha256 hash;
  for (const auto& [name, component] : folder.components) {
    if (!component.has_weights()) continue;
    const auto files = find_weights(component.folder);
    if (!files) continue;  // loading will say what is wrong
    for (const auto& file : files->files) {
      std::error_code failed;
      const auto size = std::filesystem::file_size(file, failed);
      const auto time = std::filesystem::last_write_time(file, failed).time_since_epoch().count();
      hash.update(fmt::format("{}|{}|{}\n", file.string(), size, time));
    }
  }
  return hash.hex();
}

namespace {

// pixels [..., C] float32 through one linear map: [..., 3].
at::Tensor apply_map(const at::Tensor& pixels, const std::vector<std::array<double, 3>>& matrix,
                     const std::array<double, 3>& bias) {
  std::vector<float> weights;
  for (const auto& row : matrix)
    for (const double w : row) weights.push_back(static_cast<float>(w));
  const std::vector<float> offset(bias.begin(), bias.end());
  const auto by = at::tensor(at::ArrayRef<float>(weights), at::kFloat).view({-1, 3});
  return at::matmul(pixels, by).add_(at::tensor(at::ArrayRef<float>(offset), at::kFloat));
}

}  // namespace

at::Tensor preview_rgb(const ModelCard::Preview& map, const at::Tensor& latents) {
  if (static_cast<std::int64_t>(map.matrix.size()) != latents.size(1)) return {};
  const auto pixels = latents[0].to(at::kCPU, at::kFloat).permute({1, 2, 3, 0});  // [F, h, w, C]
  auto rgb = apply_map(pixels, map.matrix, map.bias);
  if (!map.first_matrix.empty())
    rgb.select(0, 0).copy_(apply_map(pixels.select(0, 0), map.first_matrix, map.first_bias));
  return rgb.clamp_(0, 1).mul_(255).round_().to(at::kByte).contiguous();
}

}  // namespace rubato
