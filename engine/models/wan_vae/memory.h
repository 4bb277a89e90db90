// How much memory decoding takes (engine/files/model_memory.h), for a configuration that was read.
#pragma once

#include "engine/files/model_memory.h"
#include "engine/models/wan_vae/config.h"

namespace rubato {

WanVaeShape shape_of(const WanVaeConfig& config);

inline std::uint64_t decode_bytes(const WanVaeConfig& config, const DecodeSize& size) {
  return decode_bytes(shape_of(config), size);
}
inline std::int64_t fast_latents_at_a_time(const WanVaeConfig& config, std::int64_t width, std::int64_t height,
                                           bool on_cpu) {
  return fast_latents_at_a_time(shape_of(config), width, height, on_cpu);
}

}  // namespace rubato
