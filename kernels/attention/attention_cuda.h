// Launcher of attention over a short list of keys (attention.cpp) on raw device pointers. No torch, no device code.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/cuda/element.h"

namespace rubato::kernels::cuda {

// [batch,tokens,heads,width] with contiguous width; distances in elements, multiples of one 16-byte access; the data
// begins on 16 bytes.
struct HeadRows {
  void* data = nullptr;
  std::int64_t batch_stride = 0, token_stride = 0, head_stride = 0;
};

// out = softmax(q·kᵀ·scale + key_bias)·v. With log_sum, out already holds the attention of q over other keys, and
// log_sum the logarithms of the sums of their exponentials; out becomes the attention over those keys and k's.
struct ShortAttentionArgs {
  int batch = 0, tokens = 0, heads = 0, width = 0, keys = 0;
  float scale = 0;
  HeadRows q, k, v, out;            // k, v: `keys` tokens
  const float* key_bias = nullptr;  // [keys], may be null
  const float* log_sum = nullptr;   // [batch,heads,tokens], may be null
};

// How many keys the kernel takes at most on the current device; 0 where it cannot run: widths other than 64 and 128,
// devices older than Ampere.
int most_short_keys(int width);

// F16 and BF16.
cudaError_t launch_short_attention(Element element, const ShortAttentionArgs& args, cudaStream_t stream);

}  // namespace rubato::kernels::cuda
