// The CPU inner loop of channel_norm and channel_norm_silu: rows of float32 on raw pointers, no torch.
#pragma once

#include <cstdint>

namespace rubato::kernels::detail {

// For each of `rows` pixels of `channels` contiguous values: y = x / max(‖x‖₂, 1e-12) · gain, then SiLU if asked.
// gain already holds sqrt(C)·gamma. y may be x. Compiled for several instruction sets, chosen when the program starts.
void channel_norm_rows(const float* x, const float* gain, float* y, std::int64_t rows, std::int64_t channels,
                       bool silu);

}  // namespace rubato::kernels::detail
