// From tensors to what the launchers take.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "engine/base/check.h"
#include "kernels/cuda/element.h"
#include "kernels/norm/norm.h"
#include "kernels/norm/norm_cuda.h"

namespace rubato::kernels::cuda {

inline Element element_of(const at::Tensor& t) {
  switch (t.scalar_type()) {
    case at::kFloat:
      return Element::F32;
    case at::kHalf:
      return Element::F16;
    case at::kBFloat16:
      return Element::BF16;
    default:
      RUBATO_CHECK(false, "no CUDA kernel for ", t.scalar_type());
  }
  return Element::F32;
}

// [B,S,D] with contiguous D.
inline Rows rows_of(const at::Tensor& t) {
  return t.defined() ? Rows{t.const_data_ptr(), t.stride(0), t.stride(1)} : Rows{};
}

// [B or 1, G, D] for `tokens` rows a sample, of which each of the G groups has the same number.
inline RowVector row_vector_of(const at::Tensor& t, std::int64_t tokens) {
  if (!t.defined()) return {};
  return {t.const_data_ptr<float>(), t.size(0) == 1 ? 0 : t.stride(0), t.stride(1),
          static_cast<std::uint32_t>(tokens / t.size(1))};
}

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps);
ResidualNorm layer_norm_modulated(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate,
                                  const at::Tensor& shift, const at::Tensor& scale, double eps);
ResidualNorm layer_norm_affine(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate,
                               const at::Tensor& weight, const at::Tensor& bias, double eps);
at::Tensor gated_residual(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate);
void channel_norm(at::Tensor& y, const at::Tensor& x, const at::Tensor& gamma, bool silu);
at::Tensor rms_norm_rope(const at::Tensor& x, const at::Tensor& weight, double eps, const at::Tensor& cos,
                         const at::Tensor& sin, int heads);
std::int64_t most_short_keys(at::Device device, std::int64_t head_width);
at::Tensor short_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& key_bias,
                           double scale);
bool hopper_attention_runs(at::Device device);
at::Tensor hopper_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale);

}  // namespace rubato::kernels::cuda
