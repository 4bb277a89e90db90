// Sixteen bytes at a time, float32 in registers, and sums over a block: what the memory-bound kernels share.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <type_traits>

namespace rubato::kernels::cuda {

// Elements of T in one 16-byte access.
template <typename T>
inline constexpr int kPerVector = 16 / static_cast<int>(sizeof(T));

__device__ inline float to_float(float x) { return x; }
__device__ inline float to_float(__half x) { return __half2float(x); }
__device__ inline float to_float(__nv_bfloat16 x) { return __bfloat162float(x); }

template <typename T>
__device__ inline T from_float(float x) {
  if constexpr (sizeof(T) == 4) {
    return x;
  } else if constexpr (std::is_same_v<T, __half>) {
    return __float2half_rn(x);
  } else {
    return __float2bfloat16_rn(x);
  }
}

// N elements as they lie in memory; N·sizeof(T) is 16, or smaller where a caller is narrower.
template <typename T, int N>
struct alignas(N * sizeof(T)) Pack {
  T v[N];
};

// Data that is read once: keeps out of the way of what other blocks reuse.
template <typename T, int N>
__device__ inline Pack<T, N> load_once(const T* p) {
  Pack<T, N> out;
  if constexpr (sizeof(out) == 16) {
    *reinterpret_cast<uint4*>(&out) = __ldcs(reinterpret_cast<const uint4*>(p));
  } else {
    out = *reinterpret_cast<const Pack<T, N>*>(p);
  }
  return out;
}

// Data that every row reads again: modulation, weights, rotation tables.
template <int N, typename T>
__device__ inline void load_shared_by_rows(const T* __restrict__ p, float (&out)[N]) {
  constexpr int kStep = N * sizeof(T) >= 16 ? kPerVector<T> : N;
#pragma unroll
  for (int i = 0; i < N; i += kStep) {
    Pack<T, kStep> part;
    if constexpr (sizeof(part) == 16) {
      *reinterpret_cast<uint4*>(&part) = __ldg(reinterpret_cast<const uint4*>(p + i));
    } else {
      part = *reinterpret_cast<const Pack<T, kStep>*>(p + i);
    }
#pragma unroll
    for (int j = 0; j < kStep; ++j) out[i + j] = to_float(part.v[j]);
  }
}

template <typename T, int N>
__device__ inline void store(T* p, const Pack<T, N>& pack) {
  *reinterpret_cast<Pack<T, N>*>(p) = pack;
}

// The sum over all threads of the block, known to every thread. shared needs 32 floats, and may be used again only
// after another __syncthreads(), which the next call makes at its start.
__device__ inline float block_sum(float x, float* shared) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) x += __shfl_xor_sync(0xffffffffu, x, distance);
  const int warps = static_cast<int>(blockDim.x) / 32;
  if (warps == 1) return x;
  __syncthreads();
  if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = x;
  __syncthreads();
  float sum = 0;
  for (int i = 0; i < warps; ++i) sum += shared[i];
  return sum;
}

}  // namespace rubato::kernels::cuda
