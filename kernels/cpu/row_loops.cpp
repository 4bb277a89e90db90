#include "kernels/cpu/row_loops.h"

#include <cmath>

#include "kernels/cpu/vector_math.h"

namespace rubato::kernels::cpu {
namespace {

[[gnu::always_inline]] inline float inverse_rms(const float* x, double eps, std::int64_t n) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < n; ++i) sum += x[i] * x[i];
  return 1.0F / std::sqrt(sum / static_cast<float>(n) + static_cast<float>(eps));
}

}  // namespace

RUBATO_CLONES void gelu_tanh(float* x, std::int64_t n) {
  // 0.5·x·(1 + tanh(z)) = x / (1 + e^(−2z)), z = sqrt(2/π)·(x + 0.044715·x³)
  constexpr float kTwoRoot = 1.59576912F, kCubic = 0.044715F;
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) {
    const float v = x[i];
    x[i] = v / (1.0F + exp_of(-kTwoRoot * v * (1.0F + kCubic * v * v)));
  }
}

RUBATO_CLONES void residual(float* sum, const float* x, const float* y, const float* gate, std::int64_t n) {
  if (gate != nullptr) {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) sum[i] = x[i] + y[i] * gate[i];
  } else {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) sum[i] = x[i] + y[i];
  }
}

RUBATO_CLONES void layer_norm(float* out, const float* x, const float* weight, float plus, const float* bias,
                              double eps, std::int64_t n) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < n; ++i) sum += x[i];
  const float mean = sum / static_cast<float>(n);
  float squares = 0;
#pragma omp simd reduction(+ : squares)
  for (std::int64_t i = 0; i < n; ++i) squares += (x[i] - mean) * (x[i] - mean);
  const float inverse = 1.0F / std::sqrt(squares / static_cast<float>(n) + static_cast<float>(eps));
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) out[i] = (x[i] - mean) * inverse * (plus + weight[i]) + bias[i];
}

RUBATO_CLONES void rms_norm(float* out, const float* x, const float* weight, double eps, std::int64_t n) {
  const float inverse = inverse_rms(x, eps, n);
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) out[i] = x[i] * inverse * weight[i];
}

RUBATO_CLONES void rms_norm_rope(float* out, const float* x, const float* weight, double eps, const float* cos,
                                 const float* sin, std::int64_t heads, std::int64_t pairs) {
  const float inverse = inverse_rms(x, eps, heads * pairs * 2);
  for (std::int64_t h = 0; h < heads; ++h) {
    const std::int64_t at = h * pairs * 2;
#pragma omp simd
    for (std::int64_t i = 0; i < pairs; ++i) {
      const float a = x[at + 2 * i] * inverse * weight[at + 2 * i];
      const float b = x[at + 2 * i + 1] * inverse * weight[at + 2 * i + 1];
      out[at + 2 * i] = a * cos[i] - b * sin[i];
      out[at + 2 * i + 1] = a * sin[i] + b * cos[i];
    }
  }
}

}  // namespace rubato::kernels::cpu
