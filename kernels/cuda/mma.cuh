// What kernels that feed the matrix units share: elements in pairs, and powers of two.
#pragma once

#include "kernels/cuda/vector.cuh"

namespace rubato::kernels::cuda {

inline constexpr float kLog2E = 1.4426950408889634f;

__device__ inline float power_of_two(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

// Two 16-bit elements as a fragment has them.
template <typename T>
__device__ inline std::uint32_t packed(float low, float high) {
  std::uint32_t pair;
  if constexpr (std::is_same_v<T, __half>) {
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  } else {
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  }
  return pair;
}

}  // namespace rubato::kernels::cuda
