// How much memory decoding takes, from the configuration alone, so that a plan can be made before anything is loaded.
#pragma once

#include <cstdint>

#include "engine/models/wan_vae/config.h"

namespace rubato {

struct DecodeSize {
  std::int64_t width = 0, height = 0;  // pixels of the clip
  std::int64_t frames = 1;
  std::int64_t tile = 0;  // pixels; 0 = whole frames
  std::int64_t latents_at_a_time = 1;
  std::int64_t bytes_per_value = 4;  // of the dtype that the VAE computes in
};

// Estimated peak bytes besides the weights, for one sample: the histories of all convolutions plus the widest moment of
// the pass. Tensors only: what a convolution library takes for itself comes on top. Measured against libtorch's
// allocator in tests/unit/engine/wan_vae_test.cpp.
std::uint64_t decode_bytes(const WanVaeConfig& config, const DecodeSize& size);

// The largest number of latent frames in one pass that is still fast: few enough that the activations stay near the
// processor's caches, many enough that small frames fill its threads. Measured on the CPU; 1 elsewhere.
std::int64_t fast_latents_at_a_time(const WanVaeConfig& config, std::int64_t width, std::int64_t height, bool on_cpu);

}  // namespace rubato
