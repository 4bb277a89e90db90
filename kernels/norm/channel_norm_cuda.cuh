// The VAE's norm over channels, with SiLU. In channels-last a pixel is a short contiguous row (96 to 1024 elements), so
// a warp takes several pixels: 1 to 32 lanes each, at most eight 16-byte accesses a lane.
#pragma once

#include "kernels/norm/row_norm_cuda.cuh"

namespace rubato::kernels::cuda {

template <bool kSilu>
__device__ inline float activated(float x) {
  return kSilu ? x / (1.0f + __expf(-x)) : x;
}

template <typename T, int N, int kPacks, bool kSilu>
__global__ void __launch_bounds__(256) channel_norm_kernel(const ChannelNormArgs a, int lanes) {
  const int lane = static_cast<int>(threadIdx.x) % lanes;
  const std::int64_t pixel = (static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / lanes;
  const bool live = pixel < a.pixels;  // a warp stays whole for the shuffles
  const T* x = static_cast<const T*>(a.x) + pixel * a.channels;
  T* out = static_cast<T*>(a.out) + pixel * a.channels;

  Pack<T, N> in[kPacks] = {};
#pragma unroll
  for (int i = 0; i < kPacks; ++i) {
    const int column = (i * lanes + lane) * N;
    if (live && column < a.channels) in[i] = load_once<T, N>(x + column);
  }
  float squares = 0;
#pragma unroll
  for (int i = 0; i < kPacks; ++i)
#pragma unroll
    for (int j = 0; j < N; ++j) squares += to_float(in[i].v[j]) * to_float(in[i].v[j]);
  for (int distance = lanes / 2; distance > 0; distance /= 2)
    squares += __shfl_xor_sync(0xffffffffu, squares, distance);
  const float factor = sqrtf(static_cast<float>(a.channels)) / fmaxf(sqrtf(squares), 1e-12f);

#pragma unroll
  for (int i = 0; i < kPacks; ++i) {
    const int column = (i * lanes + lane) * N;
    if (!live || column >= a.channels) continue;
    float gamma[N];
    load_weight<N, T>(a.gamma, a.gamma_is_float, column, gamma);
    Pack<T, N> result;
#pragma unroll
    for (int j = 0; j < N; ++j) result.v[j] = from_float<T>(activated<kSilu>(to_float(in[i].v[j]) * factor * gamma[j]));
    store(out + column, result);
  }
}

// Any number of channels and any alignment: a warp per pixel, one element at a time.
template <typename T, bool kSilu>
__global__ void __launch_bounds__(256) channel_norm_any_kernel(const ChannelNormArgs a) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const std::int64_t pixel = (static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
  if (pixel >= a.pixels) return;
  const T* x = static_cast<const T*>(a.x) + pixel * a.channels;
  T* out = static_cast<T*>(a.out) + pixel * a.channels;
  float squares = 0;
  for (int c = lane; c < a.channels; c += 32) squares += to_float(x[c]) * to_float(x[c]);
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) squares += __shfl_xor_sync(0xffffffffu, squares, distance);
  const float factor = sqrtf(static_cast<float>(a.channels)) / fmaxf(sqrtf(squares), 1e-12f);
  for (int c = lane; c < a.channels; c += 32) {
    float gamma[1];
    load_weight<1, T>(a.gamma, a.gamma_is_float, c, gamma);
    out[c] = from_float<T>(activated<kSilu>(to_float(x[c]) * factor * gamma[0]));
  }
}

template <typename T, bool kSilu>
cudaError_t launch_channel_norm_of(const ChannelNormArgs& a, cudaStream_t stream) {
  constexpr int n = kPerVector<T>, threads = 256;
  const bool aligned = a.channels % n == 0 && on_16_bytes(a.x) && on_16_bytes(a.gamma) && on_16_bytes(a.out);
  const int packs_in_pixel = a.channels / n;
  int lanes = 1;
  while (lanes < 32 && lanes * 4 < packs_in_pixel) lanes *= 2;
  const int packs = (packs_in_pixel + lanes - 1) / lanes;
  const auto blocks = [&](int per_pixel) {
    return static_cast<unsigned>((a.pixels * per_pixel + threads - 1) / threads);
  };
  if (!aligned || packs > 8) {
    channel_norm_any_kernel<T, kSilu><<<blocks(32), threads, 0, stream>>>(a);
  } else if (packs > 4) {
    channel_norm_kernel<T, n, 8, kSilu><<<blocks(lanes), threads, 0, stream>>>(a, lanes);
  } else if (packs == 4) {
    channel_norm_kernel<T, n, 4, kSilu><<<blocks(lanes), threads, 0, stream>>>(a, lanes);
  } else if (packs == 3) {
    channel_norm_kernel<T, n, 3, kSilu><<<blocks(lanes), threads, 0, stream>>>(a, lanes);
  } else {
    channel_norm_kernel<T, n, 2, kSilu><<<blocks(lanes), threads, 0, stream>>>(a, lanes);
  }
  return cudaGetLastError();
}

template <typename T>
cudaError_t launch_channel_norm_for(bool silu, const ChannelNormArgs& a, cudaStream_t stream) {
  return silu ? launch_channel_norm_of<T, true>(a, stream) : launch_channel_norm_of<T, false>(a, stream);
}

}  // namespace rubato::kernels::cuda
