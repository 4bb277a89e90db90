#include "kernels/norm/channel_norm_rows.h"

#include <cmath>

#include "kernels/cpu/vector_math.h"

namespace rubato::kernels::detail {
namespace {

// v / (1 + e^-v). A NaN stays a NaN by the numerator.
[[gnu::always_inline]] inline float silu_of(float v) { return v / (1.0f + cpu::exp_of(-v)); }

constexpr int kLanes = 16;  // independent partial sums: one AVX-512 register

[[gnu::always_inline]] inline float sum_of_squares(const float* x, std::int64_t n) {
  float sum[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) sum[lane] += x[i + lane] * x[i + lane];
  }
  float total = 0;
  for (; i < n; ++i) total += x[i] * x[i];
  for (const float part : sum) total += part;
  return total;
}

}  // namespace

RUBATO_CLONES void channel_norm_rows(const float* x, const float* gain, float* y, std::int64_t rows,
                                     std::int64_t channels, bool silu) {
  for (std::int64_t row = 0; row < rows; ++row, x += channels, y += channels) {
    const float norm = std::sqrt(sum_of_squares(x, channels));
    const float inverse = 1.0f / (norm < 1e-12f ? 1e-12f : norm);
    if (silu) {
      for (std::int64_t i = 0; i < channels; ++i) y[i] = silu_of(x[i] * inverse * gain[i]);
    } else {
      for (std::int64_t i = 0; i < channels; ++i) y[i] = x[i] * inverse * gain[i];
    }
  }
}

}  // namespace rubato::kernels::detail
