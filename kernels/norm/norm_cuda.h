// Launchers of the row norms (norm.h) and of the VAE's channel norm, on raw device pointers. No torch, no device code.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/cuda/element.h"

namespace rubato::kernels::cuda {

// Rows of `width` contiguous elements; distances in elements.
struct Rows {
  const void* data = nullptr;
  std::int64_t batch_stride = 0, token_stride = 0;
};

// A float32 vector of `width` for every `tokens_each` rows of a sample; distances in elements, 0 shares.
struct RowVector {
  const float* data = nullptr;
  std::int64_t batch_stride = 0, group_stride = 0;
  std::uint32_t tokens_each = 1;
};

enum class RowNorm { None, LayerModulated, LayerAffine, Rms };

// sum = x + y·gate (y or gate absent: without), rounded to the element type; norm = RowNorm(sum).
struct RowNormArgs {
  std::int64_t batch = 0, tokens = 0;
  int width = 0;
  float eps = 0;
  Rows x, y;
  RowVector gate, shift, scale;                   // LayerModulated: shift and scale
  const void *weight = nullptr, *bias = nullptr;  // LayerAffine: both; Rms: weight
  bool weight_is_float = false;                   // else of the element type
  void *sum = nullptr, *norm = nullptr;           // contiguous; sum only with y, norm unless None
};
cudaError_t launch_row_norm(Element element, RowNorm norm, const RowNormArgs& args, cudaStream_t stream);

// Pixels of `channels` contiguous elements: x / max(‖x‖, 1e-12) · sqrt(channels) · gamma, then SiLU if asked for.
struct ChannelNormArgs {
  std::int64_t pixels = 0;
  int channels = 0;
  const void *x = nullptr, *gamma = nullptr;
  bool gamma_is_float = false;
  void* out = nullptr;
};
cudaError_t launch_channel_norm(Element element, bool silu, const ChannelNormArgs& args, cudaStream_t stream);

}  // namespace rubato::kernels::cuda
