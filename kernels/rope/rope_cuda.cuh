// RMS norm over all heads and the rotation, in one pass: a row in the registers of one block, read once, written once.
#pragma once

#include <algorithm>

#include "kernels/norm/row_norm_cuda.cuh"
#include "kernels/rope/rope_cuda.h"

namespace rubato::kernels::cuda {

// N elements per access (whole pairs of one head), kPacks accesses per thread.
template <typename T, int N, int kPacks>
__global__ void __launch_bounds__(512) rms_norm_rope_kernel(const RmsNormRopeArgs a) {
  __shared__ float shared[32];
  const std::int64_t token = blockIdx.x, batch = blockIdx.y;
  const T* x = static_cast<const T*>(a.x.data) + batch * a.x.batch_stride + token * a.x.token_stride;
  T* out = static_cast<T*>(a.out) + (batch * a.tokens + token) * a.width;
  const std::int64_t table = token * (a.head_width / 2);
  const auto column_of = [](int i) { return static_cast<int>(i * blockDim.x + threadIdx.x) * N; };

  Pack<T, N> in[kPacks] = {};
#pragma unroll
  for (int i = 0; i < kPacks; ++i)
    if (column_of(i) < a.width) in[i] = load_once<T, N>(x + column_of(i));
  float squares = 0;
#pragma unroll
  for (int i = 0; i < kPacks; ++i)
#pragma unroll
    for (int j = 0; j < N; ++j) squares += to_float(in[i].v[j]) * to_float(in[i].v[j]);
  const float inverse = rsqrtf(block_sum(squares, shared) / static_cast<float>(a.width) + a.eps);

#pragma unroll
  for (int i = 0; i < kPacks; ++i) {
    const int column = column_of(i);
    if (column >= a.width) continue;
    const std::int64_t pair = table + column % a.head_width / 2;
    float weight[N], cos[N / 2], sin[N / 2];
    load_weight<N, T>(a.weight, a.weight_is_float, column, weight);
    load_shared_by_rows<N / 2>(a.cos + pair, cos);
    load_shared_by_rows<N / 2>(a.sin + pair, sin);
    Pack<T, N> result;
#pragma unroll
    for (int j = 0; j < N; j += 2) {
      const float even = to_float(in[i].v[j]) * inverse * weight[j];
      const float odd = to_float(in[i].v[j + 1]) * inverse * weight[j + 1];
      result.v[j] = from_float<T>(even * cos[j / 2] - odd * sin[j / 2]);
      result.v[j + 1] = from_float<T>(even * sin[j / 2] + odd * cos[j / 2]);
    }
    store(out + column, result);
  }
}

// Any even head width and any alignment: one pair at a time, the row read twice.
template <typename T>
__global__ void __launch_bounds__(512) rms_norm_rope_any_kernel(const RmsNormRopeArgs a) {
  __shared__ float shared[32];
  const std::int64_t token = blockIdx.x, batch = blockIdx.y;
  const int first = static_cast<int>(threadIdx.x), step = static_cast<int>(blockDim.x);
  const T* x = static_cast<const T*>(a.x.data) + batch * a.x.batch_stride + token * a.x.token_stride;
  T* out = static_cast<T*>(a.out) + (batch * a.tokens + token) * a.width;
  float squares = 0;
  for (int c = first; c < a.width; c += step) squares += to_float(x[c]) * to_float(x[c]);
  const float inverse = rsqrtf(block_sum(squares, shared) / static_cast<float>(a.width) + a.eps);
  for (int c = 2 * first; c < a.width; c += 2 * step) {
    const std::int64_t pair = token * (a.head_width / 2) + c % a.head_width / 2;
    float even_weight[1], odd_weight[1];
    load_weight<1, T>(a.weight, a.weight_is_float, c, even_weight);
    load_weight<1, T>(a.weight, a.weight_is_float, c + 1, odd_weight);
    const float even = to_float(x[c]) * inverse * even_weight[0];
    const float odd = to_float(x[c + 1]) * inverse * odd_weight[0];
    out[c] = from_float<T>(even * a.cos[pair] - odd * a.sin[pair]);
    out[c + 1] = from_float<T>(even * a.sin[pair] + odd * a.cos[pair]);
  }
}

template <typename T>
cudaError_t launch_rms_norm_rope_for(const RmsNormRopeArgs& a, cudaStream_t stream) {
  constexpr int n = kPerVector<T>;
  const dim3 grid(static_cast<unsigned>(a.tokens), static_cast<unsigned>(a.batch));
  const bool aligned = a.head_width % n == 0 && on_16_bytes<T>(a.x) && on_16_bytes(a.weight) && on_16_bytes(a.cos) &&
                       on_16_bytes(a.sin) && on_16_bytes(a.out);
  const RowDeal deal = aligned ? deal_row(a.width / n) : RowDeal{};
  switch (deal.packs) {
    case 1:
      rms_norm_rope_kernel<T, n, 1><<<grid, deal.threads, 0, stream>>>(a);
      break;
    case 2:
      rms_norm_rope_kernel<T, n, 2><<<grid, deal.threads, 0, stream>>>(a);
      break;
    case 3:
      rms_norm_rope_kernel<T, n, 3><<<grid, deal.threads, 0, stream>>>(a);
      break;
    case 4:
      rms_norm_rope_kernel<T, n, 4><<<grid, deal.threads, 0, stream>>>(a);
      break;
    default:
      rms_norm_rope_any_kernel<T><<<grid, std::min(512, (a.width + 31) / 32 * 32), 0, stream>>>(a);
  }
  return cudaGetLastError();
}

}  // namespace rubato::kernels::cuda
