// Launcher of attention over many keys on Hopper (attention.cpp) on raw device pointers. No torch, no device code.
#pragma once

#include <cuda_runtime_api.h>

#include "kernels/attention/head_rows.h"
#include "kernels/cuda/element.h"

namespace rubato::kernels::cuda {

// out = softmax(q·kᵀ·scale)·v.
struct HopperAttentionArgs {
  int batch = 0, tokens = 0, heads = 0, keys = 0;  // at least one of each
  float scale = 0;                                 // above 0
  HeadRows q, k, v, out;                           // heads of 128; k, v: `keys` tokens
};

// Whether the current device runs it: compute capability 9.0, and this build has code for sm_90a.
bool hopper_attention_runs();

// F16 and BF16.
cudaError_t launch_hopper_attention(Element element, const HopperAttentionArgs& args, cudaStream_t stream);

}  // namespace rubato::kernels::cuda
