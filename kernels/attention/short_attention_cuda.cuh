// Attention of many queries over a few keys: bound by reading q and writing out once.
//
// A block keeps all keys and values of one head in shared memory and walks over a stretch of the queries. From there on
// its warps have nothing to do with each other: each takes 16 queries at a time straight from memory into the registers
// of the matrix unit, goes over the keys 64 at a time with a running maximum and sum, and writes 16 results.
//
// Every thread moves 16 contiguous bytes, though the fragments of mma.m16n8k16 are pairs of elements that lie apart: a
// sum over the head width is the same in any order, and so is a product's order of columns. So thread c of the four
// that share a row takes elements 8c..8c+7 of each 32 as its pairs of two products; keys are read the same way, and
// values are stored with each 32 columns as a transposed 4x4 of pairs, so that the results come out in that order, too.
#pragma once

#include <algorithm>

#include "kernels/attention/short_attention_cuda.h"
#include "kernels/cuda/mma.cuh"

namespace rubato::kernels::cuda {

inline constexpr int kKeysAtOnce = 64, kRowsOfWarp = 16;
// 12 warps on a multiprocessor leave each thread 168 registers, which holds 16 rows of results, scores and queries.
inline constexpr int kWarpsOfMultiprocessor = 12;

__host__ __device__ constexpr int padded_keys(int keys) { return (keys + kKeysAtOnce - 1) / kKeysAtOnce * kKeysAtOnce; }

// Keys and values, and a bias for each key.
inline constexpr int short_attention_bytes(int keys, int width) {
  return padded_keys(keys) * (2 * width * 2 + static_cast<int>(sizeof(float)));
}

// Place of a 16-byte chunk of a row in shared memory. Eight rows' equal chunks lie in different banks (values are read
// so), and so do four neighbouring chunks of two neighbouring rows (keys).
__device__ inline int swizzled(int row, int chunk) { return chunk ^ ((row & 1) << 2 | (row >> 1 & 3)); }

// c += a·b; a 16x16, b 16x8, c 16x8 float32, spread over the warp.
template <typename T>
__device__ inline void multiply_add(float (&c)[4], std::uint32_t a0, std::uint32_t a1, std::uint32_t a2,
                                    std::uint32_t a3, std::uint32_t b0, std::uint32_t b1) {
  if constexpr (std::is_same_v<T, __half>) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
  } else {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
  }
}

// Four 8x8 matrices, transposed; each thread names one row.
__device__ inline uint4 load_transposed(const void* shared_row) {
  uint4 out;
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(out.x), "=r"(out.y), "=r"(out.z), "=r"(out.w)
               : "r"(static_cast<std::uint32_t>(__cvta_generic_to_shared(shared_row))));
  return out;
}

template <typename T>
__device__ inline T* row_of(const HeadRows& r, std::int64_t batch, std::int64_t token, int head) {
  return static_cast<T*>(r.data) + batch * r.batch_stride + token * r.token_stride + head * r.head_stride;
}

// All keys, values and biases of a head; rows past the last key are zeros that no query sees.
template <typename T, int kWidth>
__device__ inline void load_keys(const ShortAttentionArgs& a, std::int64_t batch, int head, uint4* keys, uint4* values,
                                 float* biases) {
  constexpr int kChunks = kWidth / 8;
  const int rows = padded_keys(a.keys);
  for (int i = static_cast<int>(threadIdx.x); i < rows * kChunks; i += static_cast<int>(blockDim.x)) {
    const int row = i / kChunks, chunk = i % kChunks;
    uint4 k{};
    if (row < a.keys) k = reinterpret_cast<const uint4*>(row_of<T>(a.k, batch, row, head))[chunk];
    keys[row * kChunks + swizzled(row, chunk)] = k;
  }
  for (int i = static_cast<int>(threadIdx.x); i < rows * kChunks / 4; i += static_cast<int>(blockDim.x)) {
    const int row = i / (kChunks / 4), first = i % (kChunks / 4) * 4;
    uint4 v[4] = {};
    if (row < a.keys) {
      const auto* from = reinterpret_cast<const uint4*>(row_of<T>(a.v, batch, row, head)) + first;
#pragma unroll
      for (int j = 0; j < 4; ++j) v[j] = from[j];
    }
    uint4* to = values + row * kChunks;
    to[swizzled(row, first)] = {v[0].x, v[1].x, v[2].x, v[3].x};
    to[swizzled(row, first + 1)] = {v[0].y, v[1].y, v[2].y, v[3].y};
    to[swizzled(row, first + 2)] = {v[0].z, v[1].z, v[2].z, v[3].z};
    to[swizzled(row, first + 3)] = {v[0].w, v[1].w, v[2].w, v[3].w};
  }
  for (int i = static_cast<int>(threadIdx.x); i < rows; i += static_cast<int>(blockDim.x)) {
    const float bias = a.key_bias != nullptr && i < a.keys ? a.key_bias[i] * kLog2E : 0.0f;
    biases[i] = i < a.keys ? bias : -INFINITY;
  }
}

// Where a thread stands after some of the keys, for its two rows: results to be divided by the sum in the end, the
// largest score in units of log 2, and its own share of the sum of 2^(score − largest).
template <int kWidth>
struct RunningRows {
  float out[kWidth / 8][4] = {};
  float largest[2] = {-1e30f, -1e30f};  // finite: its difference from itself is 0
  float sum[2] = {};
};

template <typename T, int kWidth>
__device__ inline void attend_keys(RunningRows<kWidth>& r, const uint4 (&q)[2][kWidth / 32], const uint4* keys,
                                   const uint4* values, const float* biases, float scale) {
  constexpr int kChunks = kWidth / 8, kTiles = kKeysAtOnce / 8;
  const int lane = static_cast<int>(threadIdx.x) % 32, row = lane / 4, column = lane % 4;

  float score[kTiles][4];
#pragma unroll
  for (int tile = 0; tile < kTiles; ++tile) {
    score[tile][0] = score[tile][1] = score[tile][2] = score[tile][3] = 0;
#pragma unroll
    for (int j = 0; j < kWidth / 32; ++j) {
      const uint4 k = keys[(tile * 8 + row) * kChunks + swizzled(row, 4 * j + column)];
      multiply_add<T>(score[tile], q[0][j].x, q[1][j].x, q[0][j].y, q[1][j].y, k.x, k.y);
      multiply_add<T>(score[tile], q[0][j].z, q[1][j].z, q[0][j].w, q[1][j].w, k.z, k.w);
    }
  }

  float largest[2] = {r.largest[0], r.largest[1]};
#pragma unroll
  for (int tile = 0; tile < kTiles; ++tile) {
    const float2 bias = *reinterpret_cast<const float2*>(biases + tile * 8 + 2 * column);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      score[tile][i] = fmaf(score[tile][i], scale, i % 2 == 0 ? bias.x : bias.y);
      largest[i / 2] = fmaxf(largest[i / 2], score[tile][i]);
    }
  }
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    largest[i] = fmaxf(largest[i], __shfl_xor_sync(0xffffffffu, largest[i], 1));
    largest[i] = fmaxf(largest[i], __shfl_xor_sync(0xffffffffu, largest[i], 2));
  }
  if (__any_sync(0xffffffffu, largest[0] > r.largest[0] || largest[1] > r.largest[1])) {
    const float shrink[2] = {power_of_two(r.largest[0] - largest[0]), power_of_two(r.largest[1] - largest[1])};
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      r.largest[i] = largest[i];
      r.sum[i] *= shrink[i];
    }
#pragma unroll
    for (int chunk = 0; chunk < kChunks; ++chunk)
#pragma unroll
      for (int i = 0; i < 4; ++i) r.out[chunk][i] *= shrink[i / 2];
  }
#pragma unroll
  for (int tile = 0; tile < kTiles; ++tile)
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      score[tile][i] = power_of_two(score[tile][i] - r.largest[i / 2]);
      r.sum[i / 2] += score[tile][i];
    }

  // The lane's row of the four 8x8 matrices: keys, keys + 8; the same of the next chunk.
  const int key = lane % 16, next = lane / 16;
#pragma unroll
  for (int step = 0; step < kTiles / 2; ++step) {
    const float(&p)[4] = score[2 * step], (&p8)[4] = score[2 * step + 1];
    const std::uint32_t a0 = packed<T>(p[0], p[1]), a1 = packed<T>(p[2], p[3]);
    const std::uint32_t a2 = packed<T>(p8[0], p8[1]), a3 = packed<T>(p8[2], p8[3]);
#pragma unroll
    for (int chunk = 0; chunk < kChunks; chunk += 2) {
      const uint4 v = load_transposed(values + (step * 16 + key) * kChunks + swizzled(key, chunk + next));
      multiply_add<T>(r.out[chunk], a0, a1, a2, a3, v.x, v.y);
      multiply_add<T>(r.out[chunk + 1], a0, a1, a2, a3, v.z, v.w);
    }
  }
}

// Grid: stretches of tokens_each queries, heads, samples.
template <typename T, int kWidth>
__global__ void __launch_bounds__(kWarpsOfMultiprocessor * 32)
    short_attention_kernel(const ShortAttentionArgs a, const int tokens_each) {
  constexpr int kChunks = kWidth / 8, kGroups = kWidth / 32;
  extern __shared__ uint4 shared[];
  uint4 *keys = shared, *values = keys + padded_keys(a.keys) * kChunks;
  float* biases = reinterpret_cast<float*>(values + padded_keys(a.keys) * kChunks);
  const int head = static_cast<int>(blockIdx.y), batch = static_cast<int>(blockIdx.z);
  load_keys<T, kWidth>(a, batch, head, keys, values, biases);
  __syncthreads();

  const int warp = static_cast<int>(threadIdx.x) / 32, warps = static_cast<int>(blockDim.x) / 32;
  const int row = static_cast<int>(threadIdx.x) % 32 / 4, column = static_cast<int>(threadIdx.x) % 4;
  const int begin = static_cast<int>(blockIdx.x) * tokens_each, end = min(begin + tokens_each, a.tokens);
  for (int first = begin + warp * kRowsOfWarp; first < end; first += warps * kRowsOfWarp) {
    // Rows past the end repeat the last one and are not stored.
    const int token[2] = {min(first + row, end - 1), min(first + row + 8, end - 1)};
    uint4 q[2][kGroups];
#pragma unroll
    for (int i = 0; i < 2; ++i)
#pragma unroll
      for (int j = 0; j < kGroups; ++j)
        q[i][j] = __ldcs(reinterpret_cast<const uint4*>(row_of<T>(a.q, batch, token[i], head)) + 4 * j + column);

    RunningRows<kWidth> r;
    for (int key = 0; key < a.keys; key += kKeysAtOnce)
      attend_keys<T, kWidth>(r, q, keys + key * kChunks, values + key * kChunks, biases + key, a.scale * kLog2E);

#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float sum = r.sum[i];
      sum += __shfl_xor_sync(0xffffffffu, sum, 1);
      sum += __shfl_xor_sync(0xffffffffu, sum, 2);
      const float inverse = __fdividef(1.0f, sum);
      if (first + row + 8 * i >= end) continue;
      uint4* out = reinterpret_cast<uint4*>(row_of<T>(a.out, batch, token[i], head)) + column;
#pragma unroll
      for (int j = 0; j < kGroups; ++j) {
        const auto word = [&](int n) {
          return packed<T>(r.out[4 * j + n][2 * i] * inverse, r.out[4 * j + n][2 * i + 1] * inverse);
        };
        out[4 * j] = {word(0), word(1), word(2), word(3)};
      }
    }
  }
}

// How the queries are dealt out: blocks that together fill the device's places a whole number of times, or nearly.
struct ShortAttentionDeal {
  int warps = 0;      // of a block
  int stretches = 1;  // of the queries of one head
};
inline ShortAttentionDeal deal_queries(const ShortAttentionArgs& a, int bytes, int multiprocessors,
                                       int multiprocessor_bytes) {
  constexpr int kReserved = 1024;  // of shared memory, by the system for each block
  constexpr double kFullEnough = 0.95;
  const int blocks = std::clamp(multiprocessor_bytes / (bytes + kReserved), 1, 3);
  ShortAttentionDeal deal{kWarpsOfMultiprocessor / blocks, 1};
  const int places = multiprocessors * blocks, lists = a.batch * a.heads;
  const int round = deal.warps * kRowsOfWarp, most = (a.tokens + round - 1) / round;
  double best = 0;
  for (int waves = 1; waves <= 4 && best < kFullEnough; ++waves) {
    const int stretches = std::clamp(places * waves / lists, 1, most);
    const int rounds_of_places = (stretches * lists + places - 1) / places;
    const double full = static_cast<double>(stretches * lists) / static_cast<double>(rounds_of_places * places);
    if (full <= best) continue;
    best = full;
    deal.stretches = stretches;
  }
  return deal;
}

template <typename T, int kWidth>
cudaError_t launch_short_attention_for(const ShortAttentionArgs& a, cudaStream_t stream) {
  int device = 0, multiprocessors = 0, multiprocessor_bytes = 0;
  if (const auto error = cudaGetDevice(&device); error != cudaSuccess) return error;
  for (const auto& [value, attribute] :
       {std::pair{&multiprocessors, cudaDevAttrMultiProcessorCount},
        std::pair{&multiprocessor_bytes, cudaDevAttrMaxSharedMemoryPerMultiprocessor}}) {
    if (const auto error = cudaDeviceGetAttribute(value, attribute, device); error != cudaSuccess) return error;
  }
  const auto kernel = short_attention_kernel<T, kWidth>;
  const int bytes = short_attention_bytes(a.keys, kWidth);
  if (const auto error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
      error != cudaSuccess) {
    return error;
  }
  const ShortAttentionDeal deal = deal_queries(a, bytes, multiprocessors, multiprocessor_bytes);
  const int rows = (a.tokens + deal.stretches - 1) / deal.stretches;
  const int tokens_each = (rows + kRowsOfWarp - 1) / kRowsOfWarp * kRowsOfWarp;
  const dim3 grid(static_cast<unsigned>((a.tokens + tokens_each - 1) / tokens_each), static_cast<unsigned>(a.heads),
                  static_cast<unsigned>(a.batch));
  kernel<<<grid, deal.warps * 32, static_cast<unsigned>(bytes), stream>>>(a, tokens_each);
  return cudaGetLastError();
}

}  // namespace rubato::kernels::cuda
