#include "kernels/norm/channel_norm_rows.h"

#include <bit>
#include <cmath>

// One body for every instruction set; the loader picks the best clone for the processor it runs on.
#if defined(__x86_64__) && defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
#define RUBATO_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define RUBATO_CLONES
#endif

namespace rubato::kernels::detail {
namespace {

// exp(x) for x in [-87, 88] with a relative error below 2e-7: 2^n · e^r with |r| ≤ ln2 / 2 and e^r by its Taylor
// series. Written so that a loop over it becomes vector code, which a call of std::exp does not.
[[gnu::always_inline]] inline float fast_exp(float x) {
  constexpr float kLog2e = 1.44269504f, kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
  constexpr float kRound = 12582912.0f;  // 1.5·2^23: adding it rounds to the nearest integer
  const float n = (x * kLog2e + kRound) - kRound;
  const float r = (x - n * kLn2High) - n * kLn2Low;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const auto scale = static_cast<std::int32_t>(n) + 127;
  return p * std::bit_cast<float>(scale << 23);
}

// v / (1 + e^-v). A NaN stays a NaN: the clamp turns it into a number in the divisor only.
[[gnu::always_inline]] inline float silu_of(float v) {
  float t = -v;
  t = t < 87.0f ? t : 87.0f;
  t = t > -87.0f ? t : -87.0f;
  return v / (1.0f + fast_exp(t));
}

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
