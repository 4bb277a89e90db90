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
// CUDA, float16 and bfloat16: few keys, with or without a float32 bias of [T], go to a kernel of our own; many without
// bias to cuDNN where it takes the head width. Everything else is libtorch's own choice.
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const AttentionOptions& options = {});

// How many keys at most that kernel takes, so that a bias of [T] costs nothing; 0 where it does not run.
std::int64_t most_short_keys(at::Device device, at::ScalarType element, std::int64_t head_width);

// Goes on with an attention over more keys. out [B,S,H,d], contiguous: attention of q over other keys, whose sums of
// exponentials have the logarithms log_sum, [B,H,S] float32 (float64 for float64). It becomes the attention over those
// keys and k's: (out·e^log_sum + Σ e^score·v) / (e^log_sum + Σ e^score).
void attend_to_more(at::Tensor& out, const at::Tensor& log_sum, const at::Tensor& q, const at::Tensor& k,
                    const at::Tensor& v, const AttentionOptions& options = {});

}  // namespace rubato::kernels
