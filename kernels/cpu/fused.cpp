#include "kernels/cpu/fused.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "kernels/cpu/row_loops.h"

namespace rubato::kernels::cpu {
namespace {

// Rows of a float tensor [B,G,D] seen as [batch,tokens,D]: token s reads row s / (tokens/G), and a batch of 1 serves
// all samples.
class Rows {
 public:
  Rows(const at::Tensor& t, std::int64_t tokens)
      : data_(t.const_data_ptr<float>()),
        sample_(t.size(0) == 1 ? 0 : t.stride(0)),
        row_(t.stride(1)),
        tokens_per_row_(std::max<std::int64_t>(tokens / std::max<std::int64_t>(t.size(1), 1), 1)) {}
  const float* operator()(std::int64_t sample, std::int64_t token) const {
    return data_ + sample * sample_ + token / tokens_per_row_ * row_;
  }

 private:
  const float* data_;
  std::int64_t sample_, row_, tokens_per_row_;
};

// Calls fn(sample, token, index of the row in a contiguous result) for every row of [B,S,D], in parallel.
template <typename Fn>
void for_each_row(const at::Tensor& x, const Fn& fn) {
  constexpr std::int64_t kWorthAThread = 1 << 14;  // elements
  const std::int64_t tokens = x.size(1),
                     grain = std::max<std::int64_t>(kWorthAThread / std::max<std::int64_t>(x.size(2), 1), 1);
  at::parallel_for(0, x.size(0) * tokens, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) fn(i / tokens, i % tokens, i);
  });
}

at::Tensor contiguous_like(const at::Tensor& x) { return at::empty(x.sizes(), x.options()); }

// One pass: the residual where there is a y, then the norm with (plus + weight) and bias.
ResidualNorm residual_norm(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate, const at::Tensor& weight,
                           float plus, const at::Tensor& bias, double eps) {
  const std::int64_t tokens = x.size(1), width = x.size(2);
  const Rows from(x, tokens), weights(weight, tokens), biases(bias, tokens);
  ResidualNorm out{y.defined() ? contiguous_like(x) : x, contiguous_like(x)};
  float* norm = out.n.mutable_data_ptr<float>();
  if (!y.defined()) {
    for_each_row(x, [&](std::int64_t b, std::int64_t s, std::int64_t i) {
      layer_norm(norm + i * width, from(b, s), weights(b, s), plus, biases(b, s), eps, width);
    });
    return out;
  }
  const Rows added(y, tokens), gates(gate.defined() ? gate : y, tokens);
  float* sum = out.x.mutable_data_ptr<float>();
  for_each_row(x, [&](std::int64_t b, std::int64_t s, std::int64_t i) {
    residual(sum + i * width, from(b, s), added(b, s), gate.defined() ? gates(b, s) : nullptr, width);
    layer_norm(norm + i * width, sum + i * width, weights(b, s), plus, biases(b, s), eps, width);
  });
  return out;
}

}  // namespace

bool takes(const at::Tensor& x) { return x.is_cpu() && x.scalar_type() == at::kFloat && x.numel() > 0; }

ResidualNorm layer_norm_modulated(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate,
                                  const at::Tensor& shift, const at::Tensor& scale, double eps) {
  return residual_norm(x, y, gate, scale, 1, shift, eps);
}

ResidualNorm layer_norm_affine(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate,
                               const at::Tensor& weight, const at::Tensor& bias, double eps) {
  return residual_norm(x, y, gate, weight.view({1, 1, -1}), 0, bias.view({1, 1, -1}), eps);
}

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps) {
  const std::int64_t width = x.size(2);
  const Rows from(x, x.size(1));
  const float* weights = weight.const_data_ptr<float>();
  at::Tensor result = contiguous_like(x);
  float* out = result.mutable_data_ptr<float>();
  for_each_row(x, [&](std::int64_t b, std::int64_t s, std::int64_t i) {
    cpu::rms_norm(out + i * width, from(b, s), weights, eps, width);
  });
  return result;
}

at::Tensor gated_residual(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate) {
  const std::int64_t tokens = x.size(1), width = x.size(2);
  const Rows from(x, tokens), added(y, tokens), gates(gate, tokens);
  at::Tensor result = contiguous_like(x);
  float* out = result.mutable_data_ptr<float>();
  for_each_row(x, [&](std::int64_t b, std::int64_t s, std::int64_t i) {
    residual(out + i * width, from(b, s), added(b, s), gates(b, s), width);
  });
  return result;
}

at::Tensor rms_norm_rope(const at::Tensor& x, const at::Tensor& weight, double eps, const at::Tensor& cos,
                         const at::Tensor& sin, int heads) {
  const std::int64_t width = x.size(2), pairs = cos.size(1);
  const Rows from(x, x.size(1));
  const float* weights = weight.const_data_ptr<float>();
  const float *cosines = cos.const_data_ptr<float>(), *sines = sin.const_data_ptr<float>();
  at::Tensor result = contiguous_like(x);
  float* out = result.mutable_data_ptr<float>();
  for_each_row(x, [&](std::int64_t b, std::int64_t s, std::int64_t i) {
    cpu::rms_norm_rope(out + i * width, from(b, s), weights, eps, cosines + s * pairs, sines + s * pairs, heads, pairs);
  });
  return result.view({x.size(0), x.size(1), heads, 2 * pairs});
}

void gelu_tanh_(const at::Tensor& x) {
  constexpr std::int64_t kGrain = 1 << 13;
  float* data = x.mutable_data_ptr<float>();
  at::parallel_for(0, x.numel(), kGrain,
                   [&](std::int64_t begin, std::int64_t end) { cpu::gelu_tanh(data + begin, end - begin); });
}

}  // namespace rubato::kernels::cpu
