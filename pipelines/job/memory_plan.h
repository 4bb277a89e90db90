// How a job spreads its model over memory: decided before it starts (memory_forecast.h), or step by step when memory
// runs out (the ladder). Nothing here changes a result but `branches_apart` and `tile`: products over one branch at a
// time and tiles blended into each other round differently.
#pragma once

#include <cstdint>
#include <string_view>

namespace rubato {

enum class Offload {
  None,    // every part stays on the device
  Parts,   // the text encoder and each expert are there only while they work; the VAE stays
  Layers,  // and only two blocks of them at a time: the next comes in while one computes (GPU only)
};

constexpr std::string_view offload_name(Offload offload) {
  return offload == Offload::None ? "none" : offload == Offload::Parts ? "parts" : "layers";
}

struct MemoryPlan {
  Offload offload = Offload::None;
  bool branches_apart = false;  // guidance: one branch after the other, even where both would go as one batch
  std::int64_t tile = 0;        // of the decode, pixels; 0 = whole frames
  bool operator==(const MemoryPlan&) const = default;
};

}  // namespace rubato
