// Launcher of rms_norm_rope (rope.h) on raw device pointers. No torch, no device code.
#pragma once

#include "kernels/norm/norm_cuda.h"

namespace rubato::kernels::cuda {

struct RmsNormRopeArgs {
  std::int64_t batch = 0, tokens = 0;
  int width = 0, head_width = 0;
  float eps = 0;
  Rows x;
  const void* weight = nullptr;
  bool weight_is_float = false;
  const float *cos = nullptr, *sin = nullptr;  // [tokens, head_width / 2]
  void* out = nullptr;                         // contiguous
};
cudaError_t launch_rms_norm_rope(Element element, const RmsNormRopeArgs& args, cudaStream_t stream);

}  // namespace rubato::kernels::cuda
