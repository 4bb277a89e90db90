// Launcher of the merge of two attentions (attention.cpp) on raw device pointers. No torch, no device code.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/cuda/element.h"

namespace rubato::kernels::cuda {

// a and b: attention of the same queries over two sets of keys, [batch,tokens,heads,width] contiguous, with the
// logarithms of the sums of their exponentials, float32 [batch,heads,tokens] contiguous. a becomes the attention over
// both: (a·e^la + b·e^lb) / (e^la + e^lb).
struct MergeArgs {
  std::int64_t batch = 0, tokens = 0;
  int heads = 0, width = 0;  // width a multiple of one 16-byte access
  void* a = nullptr;
  const void* b = nullptr;
  const float *log_sum_a = nullptr, *log_sum_b = nullptr;
};
cudaError_t launch_merge_attention(Element element, const MergeArgs& args, cudaStream_t stream);

}  // namespace rubato::kernels::cuda
