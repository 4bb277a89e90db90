#include "pipelines/job/memory_forecast.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "engine/base/text.h"
#include "engine/files/model_memory.h"
#include "engine/files/safetensors.h"
#include "engine/files/weight_set.h"
#include "pipelines/job/gpu_memory.h"

namespace rubato {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMiB = 1ull << 20;
// A worker on the CPU that has rendered the smallest clip, without the model: 178 MB of libraries that were touched and
// what they allocate (measured: peak of a 32x32 frame less the weights).
constexpr std::uint64_t kHostBase = 180 * kMiB;
// Allowances, not measurements: libcuda, cuBLAS and cuDNN in the host's memory; a context with their workspaces on the
// device.
constexpr std::uint64_t kHostBaseCuda = 2560 * kMiB;
constexpr std::uint64_t kDeviceBase = 700 * kMiB;
// The device's allocator holds more than it hands out, and so does malloc.
constexpr double kSlack = 1.05;

// ---- The model, from its files ------------------------------------------------------------------------------------

std::int64_t integer(const json& config, const char* key, std::int64_t otherwise) {
  const auto at = config.find(key);
  return at != config.end() && at->is_number_integer() ? std::max<std::int64_t>(at->get<std::int64_t>(), 1) : otherwise;
}

WanShape wan_shape(const json& config) {
  WanShape shape;
  shape.heads = integer(config, "num_attention_heads", shape.heads);
  shape.width = shape.heads * integer(config, "attention_head_dim", 128);
  shape.ffn_width = integer(config, "ffn_dim", shape.ffn_width);
  shape.layers = integer(config, "num_layers", shape.layers);
  shape.in_channels = integer(config, "in_channels", shape.in_channels);
  shape.out_channels = integer(config, "out_channels", shape.out_channels);
  shape.text_width = integer(config, "text_dim", shape.text_width);
  if (const auto patch = config.find("patch_size"); patch != config.end() && patch->is_array() && patch->size() == 3)
    for (std::size_t i = 0; i < 3; ++i)
      if ((*patch)[i].is_number_integer()) shape.patch[i] = std::max<std::int64_t>((*patch)[i].get<std::int64_t>(), 1);
  return shape;
}

WanVaeShape vae_shape(const json& config) {
  WanVaeShape shape;
  shape.decoder_base_dim = integer(config, "decoder_base_dim", integer(config, "base_dim", shape.decoder_base_dim));
  shape.z_dim = integer(config, "z_dim", shape.z_dim);
  shape.num_res_blocks = integer(config, "num_res_blocks", shape.num_res_blocks);
  shape.patch_size = integer(config, "patch_size", shape.patch_size);
  shape.is_residual = config.value("is_residual", json(false)) == json(true);
  const auto list = [&](const char* key) {
    return config.contains(key) && config[key].is_array() ? config[key] : json::array();
  };
  if (const auto mult = list("dim_mult"); mult.size() >= 2 && mult.size() <= 8) {
    shape.dim_mult.clear();
    for (const auto& m : mult)
      shape.dim_mult.push_back(m.is_number_integer() ? std::max<std::int64_t>(m.get<std::int64_t>(), 1) : 1);
  }
  if (const auto down = list("temperal_downsample"); !down.empty()) {
    shape.temporal_downsample.clear();
    for (const auto& d : down) shape.temporal_downsample.push_back(d == json(true));
  }
  shape.temporal_downsample.resize(shape.dim_mult.size() - 1, false);
  return shape;
}

Umt5Shape text_shape(const json& config) {
  Umt5Shape shape;
  shape.width = integer(config, "d_model", 512);
  shape.heads = integer(config, "num_heads", 6);
  shape.head_width = integer(config, "d_kv", 64);
  shape.ffn_width = integer(config, "d_ff", 1024);
  return shape;
}

// Parameters that stay in float32 whatever the job computes in (nn::Precision::Full).
bool full_precision(std::string_view name) {
  for (const char* sign : {"norm", "gamma", "scale_shift_table", "time_embedder", "resample.1.weight"})
    if (name.find(sign) != std::string_view::npos) return true;
  return false;
}

// "blocks.12." -> "12", also under "encoder.block."; "" for what lies outside of the blocks.
std::string block_of(std::string_view name) {
  for (const std::string_view list : {"blocks.", "encoder.block."}) {
    if (!name.starts_with(list)) continue;
    name.remove_prefix(list.size());
    return std::string(name.substr(0, name.find('.')));
  }
  return {};
}

Result<MemoryForecast::Part> read_part(const PipelineFolder& folder, std::string_view name,
                                       std::uint64_t bytes_per_value) {
  MemoryForecast::Part part{.name = std::string(name)};
  const bool text = name == "text_encoder";
  RUBATO_TRY(weights, find_weights(folder.find(name)->folder));
  std::map<std::string, std::uint64_t> blocks;
  for (const auto& file : weights.files) {
    RUBATO_TRY(header, read_safetensors_header(file));
    const bool both_names = header.tensors.contains("shared.weight");
    for (const auto& [tensor, info] : header.tensors) {
      // What the encoder leaves out of a whole T5 model, and the second name of its embedding.
      if (text && (tensor.starts_with("decoder.") || tensor == "lm_head.weight" ||
                   (both_names && tensor == "encoder.embed_tokens.weight")))
        continue;
      const auto bytes = info.bytes() / size_of(info.dtype) * (full_precision(tensor) ? 4 : bytes_per_value);
      part.stored_bytes += info.bytes();
      part.loaded_bytes += bytes;
      if (const auto block = block_of(tensor); !block.empty() && name != "vae") blocks[block] += bytes;
    }
  }
  for (const auto& [block, bytes] : blocks) {
    part.blocks_bytes += bytes;
    part.block_bytes = std::max(part.block_bytes, bytes);
  }
  return part;
}

// ---- One model and one job ------------------------------------------------------------------------------------------

struct Peaks {
  std::uint64_t device = 0, host = 0;
};

class Planner {
 public:
  static Result<Planner> read(const VideoModel& model, const VideoJob& job, bool on_cpu, KnownWeights& known) {
    Planner p;
    p.on_cpu_ = on_cpu;
    p.bytes_ = job.dtype == "float32" || (job.dtype == "auto" && on_cpu) ? 4 : 2;
    p.ratio_ = model.temporal_ratio;
    p.guided_ = *job.guidance > 1;
    p.text_tokens_ = *job.max_sequence_length;
    p.prompt_tokens_ = std::min<std::int64_t>(static_cast<std::int64_t>(job.prompt.size()) + 1, p.text_tokens_);
    RUBATO_TRY(transformer, model.folder.config("transformer"));
    RUBATO_TRY(vae, model.folder.config("vae"));
    RUBATO_TRY(text, model.folder.config("text_encoder"));
    p.transformer_ = wan_shape(transformer);
    p.vae_ = vae_shape(vae);
    p.text_ = text_shape(text);
    const auto key = fmt::format("{}|{}", p.bytes_, model.folder.root.string());
    if (const auto found = known.find(key); found != known.end()) {
      p.parts = found->second;
      return p;
    }
    for (const char* name : {"text_encoder", "transformer", "transformer_2", "vae"}) {
      if (model.folder.find(name) == nullptr) continue;
      RUBATO_TRY(part, read_part(model.folder, name, static_cast<std::uint64_t>(p.bytes_)));
      p.parts.push_back(std::move(part));
    }
    known[key] = p.parts;
    return p;
  }

  void set_size(const Size& size, int frames) {
    size_ = size;
    frames_ = frames;
  }

  std::uint64_t text() const { return slack(encode_text_bytes(text_, prompt_tokens_, bytes_)); }

  std::uint64_t denoise(const MemoryPlan& plan) const {
    DenoiseSize size;
    size.latent_frames = (frames_ - 1) / ratio_ + 1;
    size.rows = size_.height / vae_.spatial_ratio();
    size.columns = size_.width / vae_.spatial_ratio();
    size.text_tokens = text_tokens_;
    size.branches = guided_ ? 2 : 1;
    size.experts = parts.size() > 3 ? 2 : 1;
    size.bytes_per_value = bytes_;
    size.on_cpu = on_cpu_;
    const auto [pt, ph, pw] = transformer_.patch;
    const auto tokens = size.latent_frames * size.rows * size.columns / (pt * ph * pw);
    size.batched = !plan.branches_apart && branches_fit_one_batch(transformer_, tokens, bytes_);
    return slack(denoise_bytes(transformer_, size));
  }

  std::uint64_t decode(std::int64_t tile) const {
    const std::int64_t w = tile > 0 ? std::min<std::int64_t>(tile, size_.width) : size_.width;
    const std::int64_t h = tile > 0 ? std::min<std::int64_t>(tile, size_.height) : size_.height;
    return slack(rubato::decode_bytes(vae_, {.width = size_.width,
                                             .height = size_.height,
                                             .frames = frames_,
                                             .tile = tile,
                                             .latents_at_a_time = fast_latents_at_a_time(vae_, w, h, on_cpu_),
                                             .bytes_per_value = bytes_}));
  }

  Peaks peaks(const MemoryPlan& plan) const {
    std::uint64_t all = 0, expert = 0, encoder = 0, vae = 0, streamed = 0;
    for (const auto& part : parts) {
      all += part.loaded_bytes;
      const bool layers = plan.offload == Offload::Layers && part.blocks_bytes > 0;
      const auto here = layers ? part.loaded_bytes - part.blocks_bytes + 2 * part.block_bytes : part.loaded_bytes;
      if (layers) streamed += part.blocks_bytes;
      (part.name == "vae"            ? vae
       : part.name == "text_encoder" ? encoder
                                     : expert) = std::max(part.name == "vae"            ? vae
                                                          : part.name == "text_encoder" ? encoder
                                                                                        : expert,
                                                          here);
    }
    // The VAE is small beside the others and stays. On the CPU malloc keeps most of what denoising took when the decode
    // starts: peaks of whole renders are those of the sum (five sizes of the practice model: the forecast is 0.89
    // to 1.06 of what was measured).
    const auto denoising = denoise(plan), decoding = decode(plan.tile) + (on_cpu_ ? denoising : 0);
    const auto stages = plan.offload == Offload::None
                            ? all + std::max({text(), denoising, decoding})
                            : vae + std::max({encoder + text(), expert + denoising, decoding});
    // Frames on their way to the file: an encoder looks some 60 frames ahead (8-bit 4:2:0), and one chunk waits.
    const auto pixels = static_cast<std::uint64_t>(size_.width) * static_cast<std::uint64_t>(size_.height);
    const auto output =
        std::min<std::uint64_t>(static_cast<std::uint64_t>(frames_), 60) * pixels * 3 / 2 + 4 * pixels * 12;
    if (on_cpu_) return {0, kHostBase + stages + output};
    return {kDeviceBase + stages, kHostBaseCuda + streamed + output};
  }

  std::vector<MemoryForecast::Part> parts;

 private:
  static std::uint64_t slack(std::uint64_t bytes) {
    return static_cast<std::uint64_t>(kSlack * static_cast<double>(bytes));
  }

  bool on_cpu_ = true, guided_ = true;
  std::int64_t bytes_ = 4, ratio_ = 4, text_tokens_ = 512, prompt_tokens_ = 512;
  WanShape transformer_;
  WanVaeShape vae_;
  Umt5Shape text_;
  Size size_;
  std::int64_t frames_ = 1;
};

// ---- What fits ------------------------------------------------------------------------------------------------------

bool within(std::uint64_t bytes, const std::optional<std::uint64_t>& limit) { return !limit || bytes <= *limit; }

// From what costs nothing to what costs most time: smaller tiles, parts in turn, layers, branches apart.
struct Planned {
  MemoryPlan plan;
  Peaks peaks;
  bool fits = false;
};
Planned first_that_fits(const Planner& planner, const MemoryAvailable& available) {
  Planned last;
  // On the CPU there is nowhere for layers to wait but the memory that is short.
  const auto last_resort = available.device == "cpu" ? Offload::Parts : Offload::Layers;
  for (const bool apart : {false, true})
    for (const auto offload : {Offload::None, Offload::Parts, Offload::Layers}) {
      if (offload > last_resort || (apart && offload != last_resort)) continue;
      for (const auto tile : kDecodeTiles) {
        last.plan = {offload, apart, tile};
        last.peaks = planner.peaks(last.plan);
        last.fits = within(last.peaks.device, available.device_bytes) && within(last.peaks.host, available.host_bytes);
        if (last.fits) return last;
      }
    }
  return last;
}

// The longest shorter clip and the largest smaller picture that fit, whichever there are: "--frames 49", "--size
// 640x368".
std::string nearest_that_fits(Planner planner, const VideoModel& model, const VideoJob& job,
                              const MemoryAvailable& available) {
  const auto fits = [&](const Size& size, int frames) {
    planner.set_size(size, frames);
    return first_that_fits(planner, available).fits;
  };
  std::vector<std::string> ways;
  int low = 0, high = (*job.frames - 1) / model.temporal_ratio;  // in latent frames; more frames never take less
  if (fits(*job.size, 1)) {
    while (high - low > 1)
      (fits(*job.size, (low + high) / 2 * model.temporal_ratio + 1) ? low : high) = (low + high) / 2;
    ways.push_back(fmt::format("--frames {}", low * model.temporal_ratio + 1));
  }
  for (int percent = 95; percent >= 10; percent -= 5) {
    const auto scaled = [&](int side, int multiple) { return std::max(side * percent / 100 / multiple, 1) * multiple; };
    const Size size{scaled(job.size->width, model.width_multiple), scaled(job.size->height, model.height_multiple)};
    if (!fits(size, *job.frames)) continue;
    ways.push_back(fmt::format("--size {}x{}", size.width, size.height));
    break;
  }
  return join(ways, " or ");
}

std::string describe(const MemoryPlan& plan) {
  std::vector<std::string> steps;
  if (plan.offload == Offload::Parts) steps.push_back("each part of the model in memory only while it works");
  if (plan.offload == Offload::Layers) steps.push_back("its layers brought in one by one");
  if (plan.branches_apart) steps.push_back("the branches of guidance one after the other");
  if (plan.tile > 0) steps.push_back(fmt::format("frames decoded in tiles of {} pixels", plan.tile));
  return join(steps, ", ");
}

}  // namespace

Result<MemoryForecast> forecast_memory(const VideoModel& model, const VideoJob& job, const MemoryAvailable& available,
                                       KnownWeights* known) {
  const bool on_cpu = available.device == "cpu";
  KnownWeights only_here;
  RUBATO_TRY(planner, Planner::read(model, job, on_cpu, known != nullptr ? *known : only_here));
  planner.set_size(*job.size, *job.frames);
  const auto resident = planner.peaks({});
  const auto found = first_that_fits(planner, available);

  MemoryForecast forecast;
  forecast.parts = planner.parts;
  forecast.plan = found.plan;
  forecast.text_bytes = planner.text();
  forecast.denoise_bytes = planner.denoise(found.plan);
  forecast.decode_bytes = planner.decode(found.plan.tile);
  forecast.device_bytes = found.peaks.device;
  forecast.host_bytes = found.peaks.host;
  forecast.resident_bytes = on_cpu ? resident.host : resident.device;
  forecast.fit = !found.fits ? Fit::DoesNotFit : found.plan == MemoryPlan{} ? Fit::Fits : Fit::FitsWithOffload;

  const bool host_lacks = !within(found.peaks.host, available.host_bytes);
  const auto& limit = on_cpu || host_lacks ? available.host_bytes : available.device_bytes;
  const std::string where = on_cpu       ? "memory"
                            : host_lacks ? "the computer's memory"
                                         : fmt::format("the memory of {}", available.device);
  const auto takes = human_bytes(on_cpu || host_lacks ? found.peaks.host : found.peaks.device);
  const auto have = limit ? human_bytes(*limit) : std::string{};
  const auto and_have = have.empty() ? "" : fmt::format(", and {} may be used", have);
  if (forecast.fit == Fit::Fits) {
    forecast.sentence = fmt::format("takes about {} of {}{}", takes, where, and_have);
  } else if (forecast.fit == Fit::FitsWithOffload) {
    forecast.sentence = fmt::format("would take about {} of {}{}; fits with about {}, and more slowly: {}",
                                    human_bytes(forecast.resident_bytes), where, and_have, takes, describe(found.plan));
  } else {
    const auto near = nearest_that_fits(planner, model, job, available);
    forecast.sentence = fmt::format("takes at least {} of {}, however its parts are loaded{}; {}", takes, where,
                                    have.empty() ? "" : fmt::format(", but only {} may be used", have),
                                    near.empty() ? "no size of this model fits" : fmt::format("{} would fit", near));
  }
  return forecast;
}

MemoryAvailable memory_available(const VideoJob& job) {
  MemoryAvailable found;
  if (job.device != "cpu") {
    const std::string device = job.device == "auto" || job.device == "cuda" ? "cuda:0" : job.device;
    if (const auto gpu = gpu_memory(device)) {
      found.device = device;
      found.device_bytes = gpu->free_bytes;
    } else if (job.device != "auto") {
      found.device = device;
    }
  }
  std::ifstream info("/proc/meminfo");
  std::string name, unit;
  for (std::uint64_t kib = 0; info >> name >> kib >> unit;)
    if (name == "MemAvailable:") found.host_bytes = kib * 1024;
  for (const char* file : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::uint64_t limit = 0;
    if (std::ifstream(file) >> limit && found.host_bytes) found.host_bytes = std::min(*found.host_bytes, limit);
  }
  if (found.device_bytes)
    found.device_bytes = *found.device_bytes - std::min(*found.device_bytes, job.reserve.value_or(0));
  if (job.max_ram) found.host_bytes = std::min(found.host_bytes.value_or(*job.max_ram), *job.max_ram);
  return found;
}

json to_json(const MemoryForecast& forecast) {
  json parts = json::object();
  for (const auto& part : forecast.parts)
    parts[part.name] = {{"stored_bytes", part.stored_bytes}, {"loaded_bytes", part.loaded_bytes}};
  return {{"fit", fit_name(forecast.fit)},
          {"sentence", forecast.sentence},
          {"device_bytes", forecast.device_bytes},
          {"host_bytes", forecast.host_bytes},
          {"resident_bytes", forecast.resident_bytes},
          {"weights", parts},
          {"text_bytes", forecast.text_bytes},
          {"denoise_bytes", forecast.denoise_bytes},
          {"decode_bytes", forecast.decode_bytes},
          {"plan",
           {{"offload", offload_name(forecast.plan.offload)},
            {"branches_apart", forecast.plan.branches_apart},
            {"tile", forecast.plan.tile}}}};
}

}  // namespace rubato
