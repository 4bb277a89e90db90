#include "pipelines/runner/memory_ladder.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/files/model_memory.h"
#include "kernels/device.h"

namespace rubato {
namespace {

const char* name_of(MemoryStage stage) {
  switch (stage) {
    case MemoryStage::Load:
      return "load";
    case MemoryStage::Text:
      return "text";
    case MemoryStage::Start:
      return "start";
    case MemoryStage::Denoise:
      return "denoise";
    case MemoryStage::Decode:
      return "decode";
  }
  return "";
}

}  // namespace

std::optional<std::string> MemoryLadder::next(MemoryStage stage, const std::string& where, std::int64_t tile) {
  if (caches_freed_for_ != stage) {  // first of all, once a stage
    caches_freed_for_ = stage;
    return take(stage, where, "free_caches", "cached memory is given back");
  }
  if (stage == MemoryStage::Decode) {
    const auto tried = tile > 0 ? tile : std::max(job_.width, job_.height);
    const auto smaller = std::ranges::find_if(kDecodeTiles, [&](auto side) { return side > 0 && side < tried; });
    if (smaller != kDecodeTiles.end()) {
      plan_.tile = *smaller;
      return take(stage, where, "smaller_tile", fmt::format("frames are decoded in tiles of {} pixels", plan_.tile));
    }
  }
  if (plan_.offload == Offload::None) {
    plan_.offload = Offload::Parts;
    return take(stage, where, "offload_parts", "each part of the model is loaded only while it works");
  }
  if (stage == MemoryStage::Decode) return std::nullopt;  // only the VAE is left
  if (plan_.offload == Offload::Parts && job_.on_gpu) {
    plan_.offload = Offload::Layers;
    return take(stage, where, "stream_layers", "the model's layers are brought in one by one");
  }
  if (stage == MemoryStage::Denoise && job_.guided && !plan_.branches_apart) {
    plan_.branches_apart = true;
    return take(stage, where, "branches_apart", "the branches of guidance are computed one after the other");
  }
  return std::nullopt;
}

std::optional<std::string> MemoryLadder::take(MemoryStage stage, const std::string& where, const char* name,
                                              const std::string& sentence) {
  steps_.push_back({stage, where, name});
  return fmt::format("memory ran out in {}{}{}: {}, and it is tried again", name_of(stage), where.empty() ? "" : " ",
                     where, sentence);
}

nlohmann::json MemoryLadder::report() const {
  auto steps = nlohmann::json::array();
  for (const auto& step : steps_)
    steps.push_back({{"stage", name_of(step.stage)}, {"where", step.where}, {"step", step.name}});
  return {{"plan",
           {{"offload", offload_name(plan_.offload)}, {"branches_apart", plan_.branches_apart}, {"tile", plan_.tile}}},
          {"steps", std::move(steps)}};
}

void free_memory_caches(at::Device device) {
  release_cached_memory(device);
  ::malloc_trim(0);
}

}  // namespace rubato
