#include "kernels/norm/norm.h"

#include <ATen/TensorIterator.h>

#include <algorithm>
#include <cmath>

#include "engine/base/check.h"
#include "kernels/cpu/fused.h"
#include "kernels/cuda_backend.h"
#include "kernels/norm/channel_norm_rows.h"

namespace rubato::kernels {
namespace {

at::Tensor widened(const at::Tensor& x) { return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat); }

void check_rows(const char* what, const at::Tensor& x) {
  RUBATO_CHECK(x.dim() == 3 && x.stride(2) == 1, what, ": rows must be [B,S,D] with contiguous D, got ", x.sizes());
}

void check_modulation(const char* what, const at::Tensor& x, const at::Tensor& m) {
  const bool fits = m.dim() == 3 && (m.size(0) == 1 || m.size(0) == x.size(0)) && m.size(1) > 0 &&
                    x.size(1) % m.size(1) == 0 && m.size(2) == x.size(2) && m.stride(2) == 1 &&
                    m.device() == x.device();
  RUBATO_CHECK(fits, what, ": modulation ", m.sizes(), " does not fit x ", x.sizes());
  RUBATO_CHECK(m.scalar_type() == (x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat), what, ": modulation is ",
               m.scalar_type(), " for x of ", x.scalar_type());
}

void check_weight(const char* what, const at::Tensor& x, const at::Tensor& w) {
  const bool fits = w.dim() == 1 && w.size(0) == x.size(-1) && w.is_contiguous() && w.device() == x.device();
  RUBATO_CHECK(fits, what, ": weight ", w.sizes(), " does not fit x ", x.sizes());
  RUBATO_CHECK(w.scalar_type() == x.scalar_type() || w.scalar_type() == at::kFloat, what, ": weight is ",
               w.scalar_type(), " for x of ", x.scalar_type());
}

void check_residual(const char* what, const at::Tensor& x, const at::Tensor& y) {
  check_rows(what, y);
  RUBATO_CHECK(y.sizes() == x.sizes() && y.scalar_type() == x.scalar_type() && y.device() == x.device(), what, ": y ",
               y.sizes(), " is not like x ", x.sizes());
}

// The definitions, which are also the path of what has no fused one (float64, half precision on the CPU).
namespace ref {

// x [B,S,D] as [B,G,S/G,D], which a modulation [B,G,1,D] broadcasts over.
at::Tensor grouped(const at::Tensor& x, const at::Tensor& m) { return x.unflatten(1, {m.size(1), -1}); }

at::Tensor layer_norm(const at::Tensor& x, const std::optional<at::Tensor>& weight,
                      const std::optional<at::Tensor>& bias, double eps) {
  return std::get<0>(at::native_layer_norm(x, {x.size(-1)}, weight, bias, eps));
}

at::Tensor layer_norm_modulated(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale, double eps) {
  const at::Tensor wide = widened(x);
  if (scale.numel() == x.size(-1)) {  // one time step: the modulation is an affine norm, which is one pass
    return layer_norm(wide, (scale + 1).flatten(), shift.flatten(), eps).to(x.scalar_type());
  }
  at::Tensor n = layer_norm(wide, {}, {}, eps);
  at::Tensor rows = grouped(n, scale);
  rows.mul_((scale + 1).unsqueeze(2)).add_(shift.unsqueeze(2));
  return n.to(x.scalar_type());
}

at::Tensor layer_norm_affine(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps) {
  const at::Tensor wide = widened(x);
  return layer_norm(wide, weight.to(wide.scalar_type()), bias.to(wide.scalar_type()), eps).to(x.scalar_type());
}

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps) {
  const at::Tensor wide = widened(x);
  const at::Tensor norm = at::linalg_vector_norm(wide, 2, {-1}, /*keepdim=*/true);
  const at::Tensor inverse = norm.square_().div_(static_cast<double>(x.size(-1))).add_(eps).rsqrt_();
  return (wide * inverse).mul_(weight.to(wide.scalar_type())).to(x.scalar_type());
}

at::Tensor residual(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate) {
  const at::Tensor wide = widened(x);
  if (!gate.defined()) return (wide + widened(y)).to(x.scalar_type());
  const at::Tensor sum = at::addcmul(grouped(wide, gate), grouped(widened(y), gate), gate.unsqueeze(2));
  return sum.flatten(1, 2).to(x.scalar_type());
}

at::Tensor channel_norm(const at::Tensor& x, const at::Tensor& gamma, bool silu) {
  const at::Tensor wide = widened(x);
  std::vector<std::int64_t> per_channel(static_cast<std::size_t>(x.dim()), 1);
  per_channel[1] = x.size(1);
  const at::Tensor scaled =
      gamma.to(wide.scalar_type()).mul(std::sqrt(static_cast<double>(x.size(1)))).view(per_channel);
  at::Tensor out = (wide / at::linalg_vector_norm(wide, 2, {1}, /*keepdim=*/true).clamp_min_(1e-12)).mul_(scaled);
  return (silu ? at::silu_(out) : out).to(x.scalar_type());
}

}  // namespace ref
}  // namespace

at::Tensor layer_norm_modulated(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale, double eps) {
  check_rows("layer_norm_modulated", x);
  check_modulation("layer_norm_modulated", x, shift);
  check_modulation("layer_norm_modulated", x, scale);
  RUBATO_CHECK(shift.sizes() == scale.sizes(), "layer_norm_modulated: shift ", shift.sizes(), ", scale ",
               scale.sizes());
  if (on_cuda_backend(x)) return cuda_backend()->layer_norm_modulated(x, {}, {}, shift, scale, eps).n;
  if (cpu::takes(x)) return cpu::layer_norm_modulated(x, {}, {}, shift, scale, eps).n;
  return ref::layer_norm_modulated(x, shift, scale, eps);
}

at::Tensor layer_norm_affine(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps) {
  check_rows("layer_norm_affine", x);
  check_weight("layer_norm_affine", x, weight);
  check_weight("layer_norm_affine", x, bias);
  if (on_cuda_backend(x)) return cuda_backend()->layer_norm_affine(x, {}, {}, weight, bias, eps).n;
  if (cpu::takes(x)) return cpu::layer_norm_affine(x, {}, {}, weight, bias, eps).n;
  return ref::layer_norm_affine(x, weight, bias, eps);
}

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps) {
  check_rows("rms_norm", x);
  check_weight("rms_norm", x, weight);
  if (on_cuda_backend(x)) return cuda_backend()->rms_norm(x, weight, eps);
  if (cpu::takes(x)) return cpu::rms_norm(x, weight, eps);
  return ref::rms_norm(x, weight, eps);
}

at::Tensor gated_residual(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate) {
  check_rows("gated_residual", x);
  check_residual("gated_residual", x, y);
  check_modulation("gated_residual", x, gate);
  if (on_cuda_backend(x)) return cuda_backend()->gated_residual(x, y, gate);
  if (cpu::takes(x)) return cpu::gated_residual(x, y, gate);
  return ref::residual(x, y, gate);
}

ResidualNorm residual_norm_modulated(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate,
                                     const at::Tensor& shift, const at::Tensor& scale, double eps) {
  check_rows("residual_norm_modulated", x);
  check_residual("residual_norm_modulated", x, y);
  if (gate.defined()) check_modulation("residual_norm_modulated", x, gate);
  check_modulation("residual_norm_modulated", x, shift);
  check_modulation("residual_norm_modulated", x, scale);
  RUBATO_CHECK(shift.sizes() == scale.sizes(), "residual_norm_modulated: shift ", shift.sizes(), ", scale ",
               scale.sizes());
  if (on_cuda_backend(x)) return cuda_backend()->layer_norm_modulated(x, y, gate, shift, scale, eps);
  if (cpu::takes(x)) return cpu::layer_norm_modulated(x, y, gate, shift, scale, eps);
  at::Tensor sum = ref::residual(x, y, gate);
  at::Tensor norm = ref::layer_norm_modulated(sum, shift, scale, eps);
  return {std::move(sum), std::move(norm)};
}

ResidualNorm residual_norm_affine(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate,
                                  const at::Tensor& weight, const at::Tensor& bias, double eps) {
  check_rows("residual_norm_affine", x);
  check_residual("residual_norm_affine", x, y);
  if (gate.defined()) check_modulation("residual_norm_affine", x, gate);
  check_weight("residual_norm_affine", x, weight);
  check_weight("residual_norm_affine", x, bias);
  if (on_cuda_backend(x)) return cuda_backend()->layer_norm_affine(x, y, gate, weight, bias, eps);
  if (cpu::takes(x)) return cpu::layer_norm_affine(x, y, gate, weight, bias, eps);
  at::Tensor sum = ref::residual(x, y, gate);
  at::Tensor norm = ref::layer_norm_affine(sum, weight, bias, eps);
  return {std::move(sum), std::move(norm)};
}

namespace {

void check_channel_norm(const at::Tensor& x, const at::Tensor& gamma) {
  RUBATO_CHECK(x.dim() == 4 || x.dim() == 5, "channel_norm: x must be [B,C,H,W] or [B,C,F,H,W], got ", x.sizes());
  RUBATO_CHECK(gamma.numel() == x.size(1) && gamma.device() == x.device(), "channel_norm: gamma ", gamma.sizes(),
               " does not fit x ", x.sizes());
}

// float32 on the CPU with the channels of a pixel side by side.
bool has_channel_rows(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kFloat && (x.stride(1) == 1 || x.size(1) == 1);
}

// y and x: pixels in any order of strides, each a row of channels. libtorch's iterator shares the pixels out among its
// threads; at::parallel_for would need OpenMP in our own compilation.
void channel_norm_by_rows(at::Tensor& y, const at::Tensor& x, const at::Tensor& gamma, bool silu) {
  const std::int64_t channels = x.size(1);
  const at::Tensor weight = gamma.to(at::kFloat).contiguous();
  std::vector<float> gain(static_cast<std::size_t>(channels));
  const float scale = std::sqrt(static_cast<float>(channels));
  std::transform(weight.const_data_ptr<float>(), weight.const_data_ptr<float>() + channels, gain.begin(),
                 [&](float g) { return g * scale; });
  const at::Tensor to = y.select(1, 0), from = x.select(1, 0);
  auto pixels = at::TensorIteratorConfig()
                    .add_output(to)
                    .add_const_input(from)
                    .resize_outputs(false)
                    .set_check_mem_overlap(false)  // a pixel's other channels lie between the iterator's elements
                    .build();
  // n pixels, m times; strides in bytes: the output's and the input's within the n, then those between the m.
  const auto rows = [&](char** data, const std::int64_t* strides, std::int64_t n, std::int64_t m) {
    const auto row_bytes = channels * static_cast<std::int64_t>(sizeof(float));
    const bool dense = strides[0] == row_bytes && strides[1] == row_bytes;
    const std::int64_t at_once = dense ? n : 1;
    for (std::int64_t j = 0; j < m; ++j) {
      for (std::int64_t i = 0; i < n; i += at_once) {
        detail::channel_norm_rows(reinterpret_cast<const float*>(data[1] + i * strides[1] + j * strides[3]),
                                  gain.data(), reinterpret_cast<float*>(data[0] + i * strides[0] + j * strides[2]),
                                  at_once, channels, silu);
      }
    }
  };
  pixels.for_each(rows, std::max<std::int64_t>(1, 16384 / channels));
}

// y: x's shape, dtype and device; any strides.
void channel_norm_into(at::Tensor& y, const at::Tensor& x, const at::Tensor& gamma, bool silu) {
  const auto format = x.dim() == 5 ? at::MemoryFormat::ChannelsLast3d : at::MemoryFormat::ChannelsLast;
  const bool type_fits = gamma.scalar_type() == x.scalar_type() || gamma.scalar_type() == at::kFloat;
  if (has_channel_rows(x) && has_channel_rows(y)) {
    channel_norm_by_rows(y, x, gamma, silu);
  } else if (on_cuda_backend(x) && x.is_contiguous(format) && type_fits) {
    for (std::int64_t b = 0; b < x.size(0); ++b) {  // y is dense within a sample where it is part of a larger tensor
      at::Tensor part = y.narrow(0, b, 1);
      if (part.is_contiguous(format)) {
        cuda_backend()->channel_norm(part, x.narrow(0, b, 1), gamma, silu);
      } else {
        at::Tensor dense = at::empty_like(x.narrow(0, b, 1), format);
        cuda_backend()->channel_norm(dense, x.narrow(0, b, 1), gamma, silu);
        part.copy_(dense);
      }
    }
  } else {
    y.copy_(ref::channel_norm(x, gamma, silu));
  }
}

at::Tensor new_channel_norm(const at::Tensor& x, const at::Tensor& gamma, bool silu) {
  check_channel_norm(x, gamma);
  at::Tensor y = at::empty_like(x);
  channel_norm_into(y, x, gamma, silu);
  return y;
}

}  // namespace

at::Tensor channel_norm(const at::Tensor& x, const at::Tensor& gamma) { return new_channel_norm(x, gamma, false); }

at::Tensor channel_norm_silu(const at::Tensor& x, const at::Tensor& gamma) { return new_channel_norm(x, gamma, true); }

void channel_norm_silu_into(at::Tensor& y, const at::Tensor& x, const at::Tensor& gamma) {
  check_channel_norm(x, gamma);
  RUBATO_CHECK(y.sizes() == x.sizes() && y.scalar_type() == x.scalar_type() && y.device() == x.device(),
               "channel_norm_silu_into: y ", y.sizes(), " is not like x ", x.sizes());
  channel_norm_into(y, x, gamma, true);
}

}  // namespace rubato::kernels
