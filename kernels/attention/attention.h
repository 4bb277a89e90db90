// Dense attention, softmax(q·kᵀ·scale + bias)·v, by the fastest implementation there is for the device.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace rubato::kernels {

struct AttentionOptions {
  std::optional<double> scale;  // 1/sqrt(d) when unset
  // Added before the softmax, broadcast to [B,H,S,T]; or bool, false = not seen; may be undefined. A bias of [T] says
  // how many equal keys each one stands for: by its logarithm.
  at::Tensor bias;
};

// q [B,S,H,d]; k, v [B,T,H,d] (last dimension contiguous, other strides free). Result [B,S,H·d], contiguous.
//
// CUDA, float16 and bfloat16: few keys, with or without a float32 bias of [T], and on Hopper many keys without bias go
// to kernels of our own where these have the head width; else to cuDNN. Everything else is libtorch's own choice.
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const AttentionOptions& options = {});

// How many keys at most the kernel for few takes, so that a bias of [T] costs nothing; 0 where it does not run.
std::int64_t most_short_keys(at::Device device, at::ScalarType element, std::int64_t head_width);

}  // namespace rubato::kernels
