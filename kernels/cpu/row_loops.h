// The CPU path's loops over rows of float32: each is one pass in cache over what would be several ATen operations.
//
// Plain C++ on raw pointers, compiled once per instruction set (AVX-512, AVX2, baseline) and chosen when the program
// starts; no torch header. Rows are contiguous and do not overlap, but `out` may be the input itself where it says so.
// The ATen formulations in norm.cpp, rope.cpp and linear.cpp define what they compute.
#pragma once

#include <cstdint>

namespace rubato::kernels::cpu {

// x = gelu(x), tanh form, in place.
void gelu_tanh(float* x, std::int64_t n);

// sum = x + y·gate. gate may be null for 1. sum may be x or y.
void residual(float* sum, const float* x, const float* y, const float* gate, std::int64_t n);

// out = (x − mean)/sqrt(var + eps) · (plus + weight) + bias; out may be x.
void layer_norm(float* out, const float* x, const float* weight, float plus, const float* bias, double eps,
                std::int64_t n);

// out = x / sqrt(mean(x²) + eps) · weight; out may be x.
void rms_norm(float* out, const float* x, const float* weight, double eps, std::int64_t n);

// rms_norm of the whole row, then every head's pairs turned: cos and sin hold `pairs` values, the row heads · 2 ·
// pairs.
void rms_norm_rope(float* out, const float* x, const float* weight, double eps, const float* cos, const float* sin,
                   std::int64_t heads, std::int64_t pairs);

}  // namespace rubato::kernels::cpu
