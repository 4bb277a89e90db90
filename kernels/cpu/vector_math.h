// Pieces for loops on the CPU that are to become vector code. No torch header, nothing but inline functions: include it
// only in files that kernels/CMakeLists.txt compiles for that.
#pragma once

#include <bit>
#include <cstdint>

// One body, several instruction sets; the loader picks the best for the processor it runs on.
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define RUBATO_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define RUBATO_CLONES
#endif

namespace rubato::kernels::cpu {

// e^x with a relative error below 2e-7, for x clamped to [-87, 88]: 2^n by the exponent bits, e^r by its Taylor series
// with |r| <= ln(2)/2. Unlike std::exp, a loop over it vectorises. A NaN gives no NaN here: see to it outside.
[[gnu::always_inline]] inline float exp_of(float x) {
  constexpr float kLog2e = 1.44269504F, kLn2High = 0.693359375F, kLn2Low = -2.12194440e-4F;
  constexpr float kRound = 12582912.0F;  // 1.5·2^23: adding it and taking it away rounds to the nearest integer
  x = x < 88.0F ? x : 88.0F;
  x = x > -87.0F ? x : -87.0F;
  const float n = (x * kLog2e + kRound) - kRound;
  const float r = (x - n * kLn2High) - n * kLn2Low;
  float p = 1.0F / 5040;
  p = p * r + 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  const auto scale = static_cast<std::int32_t>(n) + 127;
  return p * std::bit_cast<float>(scale << 23);
}

}  // namespace rubato::kernels::cpu
