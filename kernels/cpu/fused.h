// The CPU path of norm.h, rope.h and linear.h for float32: row loops spread over the threads. Arguments as there, after
// their checks; what takes() refuses goes the plain ATen way.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/norm/norm.h"

namespace rubato::kernels::cpu {

// float32 on the CPU.
bool takes(const at::Tensor& x);

// An undefined y means no residual, an undefined gate 1. Affine weights are [D].
ResidualNorm layer_norm_modulated(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate,
                                  const at::Tensor& shift, const at::Tensor& scale, double eps);
ResidualNorm layer_norm_affine(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate,
                               const at::Tensor& weight, const at::Tensor& bias, double eps);
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps);
at::Tensor gated_residual(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate);
at::Tensor rms_norm_rope(const at::Tensor& x, const at::Tensor& weight, double eps, const at::Tensor& cos,
                         const at::Tensor& sin, int heads);
// In place on a contiguous tensor.
void gelu_tanh_(const at::Tensor& x);

}  // namespace rubato::kernels::cpu
