// How a decode is cut in space so that it fits into the memory that is free.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "engine/models/wan_vae/vae.h"

namespace rubato {

// The largest tile (pixels; 0 = whole frames) whose estimated decode takes at most 80 % of `free_bytes`; the smallest
// tile when none does.
std::int64_t tile_that_fits(const AutoencoderKLWan& vae, std::int64_t width, std::int64_t height, std::int64_t frames,
                            std::uint64_t free_bytes);

// Memory that a job on this device may still take: of the GPU, or what the system calls available.
std::uint64_t free_memory(at::Device device);

}  // namespace rubato
