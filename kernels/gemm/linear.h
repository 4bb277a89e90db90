// Linear layers, with the activation in the GEMM's epilogue where the library offers it.
#pragma once

#include <ATen/core/Tensor.h>

namespace rubato::kernels {

// x·wᵀ + b; x [...,K], w [N,K], b [N] or undefined; all of one dtype. Result [...,N].
at::Tensor linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b);

// gelu(x·wᵀ + b) with the tanh form of GELU. CUDA: one cuBLASLt call, no pass of its own for the activation.
at::Tensor linear_gelu_tanh(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b);

}  // namespace rubato::kernels
