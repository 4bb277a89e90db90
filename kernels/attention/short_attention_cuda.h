// Launcher of attention over a short list of keys (attention.cpp) on raw device pointers. No torch, no device code.
#pragma once

#include <cuda_runtime_api.h>

#include "kernels/attention/head_rows.h"
#include "kernels/cuda/element.h"

namespace rubato::kernels::cuda {

// out = softmax(q·kᵀ·scale + key_bias)·v.
struct ShortAttentionArgs {
  int batch = 0, tokens = 0, heads = 0, width = 0, keys = 0;
  float scale = 0;
  HeadRows q, k, v, out;            // k, v: `keys` tokens
  const float* key_bias = nullptr;  // [keys], may be null
};

// How many keys the kernel takes at most on the current device; 0 where it cannot run: widths other than 64 and 128,
// devices older than Ampere.
int most_short_keys(int width);

// F16 and BF16.
cudaError_t launch_short_attention(Element element, const ShortAttentionArgs& args, cudaStream_t stream);

}  // namespace rubato::kernels::cuda
