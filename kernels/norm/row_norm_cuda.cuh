// Residual sum and row norm in one pass. A row lives in the registers of one block; every tensor is touched once.
//
// Bytes per row: (reads of x, y) + (writes of sum, norm), each width·sizeof(T); the float32 vectors of a time step are
// shared by all rows and come from L1. Statistics are two-pass in float32, over registers.
#pragma once

#include <algorithm>

#include "kernels/cuda/vector.cuh"
#include "kernels/norm/norm_cuda.h"

namespace rubato::kernels::cuda {

template <int N, typename T>
__device__ inline void load_weight(const void* p, bool is_float, int column, float (&out)[N]) {
  if (is_float) {
    load_shared_by_rows<N>(static_cast<const float*>(p) + column, out);
  } else {
    load_shared_by_rows<N>(static_cast<const T*>(p) + column, out);
  }
}

__device__ inline const float* at_row(const RowVector& v, std::int64_t batch, std::int64_t token) {
  return v.data + batch * v.batch_stride + static_cast<std::uint32_t>(token) / v.tokens_each * v.group_stride;
}

// N elements per access, kPacks accesses per thread: column of pack i is (i·threads + thread)·N.
template <typename T, int N, int kPacks, RowNorm kNorm, bool kResidual>
__global__ void __launch_bounds__(512) row_norm_kernel(const RowNormArgs a) {
  __shared__ float shared[32];
  const std::int64_t token = blockIdx.x, batch = blockIdx.y;
  const std::int64_t row = (batch * a.tokens + token) * a.width;  // of the contiguous outputs
  const T* x = static_cast<const T*>(a.x.data) + batch * a.x.batch_stride + token * a.x.token_stride;
  const auto column_of = [](int i) { return static_cast<int>(i * blockDim.x + threadIdx.x) * N; };

  Pack<T, N> in[kPacks];
#pragma unroll
  for (int i = 0; i < kPacks; ++i)
    if (column_of(i) < a.width) in[i] = load_once<T, N>(x + column_of(i));

  float v[kPacks][N];
  if constexpr (kResidual) {
    const T* y = static_cast<const T*>(a.y.data) + batch * a.y.batch_stride + token * a.y.token_stride;
    Pack<T, N> add[kPacks];
#pragma unroll
    for (int i = 0; i < kPacks; ++i)
      if (column_of(i) < a.width) add[i] = load_once<T, N>(y + column_of(i));
    const float* gates = a.gate.data != nullptr ? at_row(a.gate, batch, token) : nullptr;
#pragma unroll
    for (int i = 0; i < kPacks; ++i) {
      const int column = column_of(i);
      if (column >= a.width) continue;
      float gate[N];
      if (gates != nullptr) {
        load_shared_by_rows<N>(gates + column, gate);
      } else {
#pragma unroll
        for (int j = 0; j < N; ++j) gate[j] = 1;
      }
#pragma unroll
      for (int j = 0; j < N; ++j) {
        in[i].v[j] = from_float<T>(fmaf(to_float(add[i].v[j]), gate[j], to_float(in[i].v[j])));
      }
      store(static_cast<T*>(a.sum) + row + column, in[i]);
    }
  }
  if constexpr (kNorm == RowNorm::None) return;

  float mean = 0;
#pragma unroll
  for (int i = 0; i < kPacks; ++i)
#pragma unroll
    for (int j = 0; j < N; ++j) v[i][j] = column_of(i) < a.width ? to_float(in[i].v[j]) : 0.0f;
  if constexpr (kNorm != RowNorm::Rms) {
    float sum = 0;
#pragma unroll
    for (int i = 0; i < kPacks; ++i)
#pragma unroll
      for (int j = 0; j < N; ++j) sum += v[i][j];
    mean = block_sum(sum, shared) / static_cast<float>(a.width);
  }
  float squares = 0;
#pragma unroll
  for (int i = 0; i < kPacks; ++i) {
    if (column_of(i) >= a.width) continue;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      v[i][j] -= mean;
      squares += v[i][j] * v[i][j];
    }
  }
  const float inverse = rsqrtf(block_sum(squares, shared) / static_cast<float>(a.width) + a.eps);

#pragma unroll
  for (int i = 0; i < kPacks; ++i) {
    const int column = column_of(i);
    if (column >= a.width) continue;
    float factor[N], offset[N];
    if constexpr (kNorm == RowNorm::LayerModulated) {
      load_shared_by_rows<N>(at_row(a.scale, batch, token) + column, factor);
      load_shared_by_rows<N>(at_row(a.shift, batch, token) + column, offset);
#pragma unroll
      for (int j = 0; j < N; ++j) factor[j] += 1;
    } else {
      load_weight<N, T>(a.weight, a.weight_is_float, column, factor);
      if constexpr (kNorm == RowNorm::LayerAffine) load_weight<N, T>(a.bias, a.weight_is_float, column, offset);
    }
    Pack<T, N> out;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      const float n = v[i][j] * inverse;
      out.v[j] = from_float<T>(kNorm == RowNorm::Rms ? n * factor[j] : fmaf(n, factor[j], offset[j]));
    }
    store(static_cast<T*>(a.norm) + row + column, out);
  }
}

// Any width and any alignment, one element at a time; the row is read again for each statistic (from cache).
template <typename T, RowNorm kNorm, bool kResidual>
__global__ void __launch_bounds__(512) row_norm_any_kernel(const RowNormArgs a) {
  __shared__ float shared[32];
  const std::int64_t token = blockIdx.x, batch = blockIdx.y;
  const std::int64_t row = (batch * a.tokens + token) * a.width;
  const int first = static_cast<int>(threadIdx.x), step = static_cast<int>(blockDim.x);
  const T* x = static_cast<const T*>(a.x.data) + batch * a.x.batch_stride + token * a.x.token_stride;
  if constexpr (kResidual) {
    const T* y = static_cast<const T*>(a.y.data) + batch * a.y.batch_stride + token * a.y.token_stride;
    T* sum = static_cast<T*>(a.sum) + row;
    for (int c = first; c < a.width; c += step) {
      const float gate = a.gate.data != nullptr ? at_row(a.gate, batch, token)[c] : 1.0f;
      sum[c] = from_float<T>(fmaf(to_float(y[c]), gate, to_float(x[c])));
    }
    x = sum;  // each thread reads back only what it wrote
  }
  if constexpr (kNorm == RowNorm::None) return;

  float mean = 0;
  if constexpr (kNorm != RowNorm::Rms) {
    float sum = 0;
    for (int c = first; c < a.width; c += step) sum += to_float(x[c]);
    mean = block_sum(sum, shared) / static_cast<float>(a.width);
  }
  float squares = 0;
  for (int c = first; c < a.width; c += step) squares += (to_float(x[c]) - mean) * (to_float(x[c]) - mean);
  const float inverse = rsqrtf(block_sum(squares, shared) / static_cast<float>(a.width) + a.eps);

  T* norm = static_cast<T*>(a.norm) + row;
  for (int c = first; c < a.width; c += step) {
    const float n = (to_float(x[c]) - mean) * inverse;
    float factor[1], offset[1] = {0};
    if constexpr (kNorm == RowNorm::LayerModulated) {
      factor[0] = at_row(a.scale, batch, token)[c] + 1;
      offset[0] = at_row(a.shift, batch, token)[c];
    } else {
      load_weight<1, T>(a.weight, a.weight_is_float, c, factor);
      if constexpr (kNorm == RowNorm::LayerAffine) load_weight<1, T>(a.bias, a.weight_is_float, c, offset);
    }
    norm[c] = from_float<T>(fmaf(n, factor[0], offset[0]));
  }
}

inline bool on_16_bytes(const void* p) { return reinterpret_cast<std::uintptr_t>(p) % 16 == 0; }

inline bool on_16_bytes(const RowVector& v) {
  return on_16_bytes(v.data) && v.batch_stride % 4 == 0 && v.group_stride % 4 == 0;
}

template <typename T>
bool on_16_bytes(const Rows& r) {
  constexpr int n = kPerVector<T>;
  return on_16_bytes(r.data) && r.batch_stride % n == 0 && r.token_stride % n == 0;
}

// How a row is dealt out: up to four packs a thread, so that its loads are in flight together, in whole warps.
struct RowDeal {
  int threads = 0, packs = 0;  // packs 0: too wide
};
inline RowDeal deal_row(int packs_in_row) {
  const int threads = ((packs_in_row + 3) / 4 + 31) / 32 * 32;
  if (threads > 512) return {};
  return {threads, (packs_in_row + threads - 1) / threads};
}

template <typename T, RowNorm kNorm, bool kResidual>
cudaError_t launch_row_norm_of(const RowNormArgs& a, cudaStream_t stream) {
  constexpr int n = kPerVector<T>;
  const dim3 grid(static_cast<unsigned>(a.tokens), static_cast<unsigned>(a.batch));
  const bool aligned = a.width % n == 0 && on_16_bytes<T>(a.x) && on_16_bytes<T>(a.y) && on_16_bytes(a.gate) &&
                       on_16_bytes(a.shift) && on_16_bytes(a.scale) && on_16_bytes(a.weight) && on_16_bytes(a.bias) &&
                       on_16_bytes(a.sum) && on_16_bytes(a.norm);
  const RowDeal deal = aligned ? deal_row(a.width / n) : RowDeal{};
  switch (deal.packs) {
    case 1:
      row_norm_kernel<T, n, 1, kNorm, kResidual><<<grid, deal.threads, 0, stream>>>(a);
      break;
    case 2:
      row_norm_kernel<T, n, 2, kNorm, kResidual><<<grid, deal.threads, 0, stream>>>(a);
      break;
    case 3:
      row_norm_kernel<T, n, 3, kNorm, kResidual><<<grid, deal.threads, 0, stream>>>(a);
      break;
    case 4:
      row_norm_kernel<T, n, 4, kNorm, kResidual><<<grid, deal.threads, 0, stream>>>(a);
      break;
    default:
      row_norm_any_kernel<T, kNorm, kResidual><<<grid, std::min(512, (a.width + 31) / 32 * 32), 0, stream>>>(a);
  }
  return cudaGetLastError();
}

template <typename T>
cudaError_t launch_row_norm_for(RowNorm norm, const RowNormArgs& a, cudaStream_t stream) {
  const bool residual = a.y.data != nullptr;
  switch (norm) {
    case RowNorm::None:
      return launch_row_norm_of<T, RowNorm::None, true>(a, stream);
    case RowNorm::Rms:
      return launch_row_norm_of<T, RowNorm::Rms, false>(a, stream);
    case RowNorm::LayerModulated:
      return residual ? launch_row_norm_of<T, RowNorm::LayerModulated, true>(a, stream)
                      : launch_row_norm_of<T, RowNorm::LayerModulated, false>(a, stream);
    case RowNorm::LayerAffine:
      return residual ? launch_row_norm_of<T, RowNorm::LayerAffine, true>(a, stream)
                      : launch_row_norm_of<T, RowNorm::LayerAffine, false>(a, stream);
  }
  return cudaErrorInvalidValue;
}

}  // namespace rubato::kernels::cuda
