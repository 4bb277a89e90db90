// Normalisation, and the elementwise work that always stands beside it in a diffusion transformer.
//
// B batch, S tokens, D width. x and y are [B,S,D] with a contiguous last dimension and one distance between rows.
// shift, scale and gate come from the time embedding: float32 (float64 with a float64 x), [B,G,D] with G a divisor of
// S: token s takes row s / (S/G), so G = 1 is one time step per sample, G = S one per token, and G = F one per frame (B
// may be 1 for all samples); slices of a larger tensor are taken as they are. Statistics and everything up to the
// result are float32; the result has x's dtype. Affine weights have x's dtype or float32.
//
// Plain ATen is the definition; for float32 on the CPU and on CUDA each function is one pass over memory. Misfitting shapes
// are bugs of the caller (InternalError).
#pragma once

#include <ATen/core/Tensor.h>

namespace rubato::kernels {

// LN(x)·(1 + scale) + shift: adaptive layer norm (DiT, "adaLN").
at::Tensor layer_norm_modulated(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale, double eps);

// LN(x)·weight + bias; weight and bias [D].
at::Tensor layer_norm_affine(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps);

// x / sqrt(mean(x²) + eps) · weight over the last dimension; weight [D].
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps);

// x + y·gate.
at::Tensor gated_residual(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate);

// A residual sum and the norm that follows it. The norm sees the sum as it is stored (rounded to x's dtype), so the
// pair equals the two functions called one after the other.
struct ResidualNorm {
  at::Tensor x;  // x + y·gate
  at::Tensor n;  // its norm
};

// An undefined gate means x + y.
ResidualNorm residual_norm_modulated(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate,
                                     const at::Tensor& shift, const at::Tensor& scale, double eps);
ResidualNorm residual_norm_affine(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate,
                                  const at::Tensor& weight, const at::Tensor& bias, double eps);

// The norm of the Wan VAEs: x / max(‖x‖₂ over channels, 1e-12) · sqrt(C) · gamma for every pixel; x [B,C,F,H,W] or
// [B,C,H,W], gamma with C elements. The result keeps x's memory format (fast in channels-last).
at::Tensor channel_norm(const at::Tensor& x, const at::Tensor& gamma);
// The same followed by SiLU.
at::Tensor channel_norm_silu(const at::Tensor& x, const at::Tensor& gamma);
// The same into y, which has x's shape and dtype and may be part of a larger tensor (the frames of a conv's input that
// follow its history).
void channel_norm_silu_into(at::Tensor& y, const at::Tensor& x, const at::Tensor& gamma);

}  // namespace rubato::kernels
