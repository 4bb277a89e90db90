// Dense attention, softmax(q·kᵀ·scale + bias)·v, by the fastest implementation libtorch has for the device.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace rubato::kernels {

struct AttentionOptions {
  std::optional<double> scale;  // 1/sqrt(d) when unset
  at::Tensor bias;  // added before the softmax, broadcast to [B,H,S,T]; or bool, false = not seen; may be undefined
};

// q [B,S,H,d]; k, v [B,T,H,d] (last dimension contiguous, other strides free). Result [B,S,H·d], contiguous.
//
// CUDA: cuDNN for float16 and bfloat16 with a head width it takes, without bias; else libtorch's own choice.
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const AttentionOptions& options = {});

}  // namespace rubato::kernels
