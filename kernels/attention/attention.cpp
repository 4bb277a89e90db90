#include "kernels/attention/attention.h"

#include <cmath>

#include "engine/base/check.h"
#include "kernels/cuda_backend.h"

namespace rubato::kernels {
namespace {

bool is_half(at::ScalarType element) { return element == at::kHalf || element == at::kBFloat16; }

double scale_of(const at::Tensor& q, const AttentionOptions& options) {
  return options.scale.value_or(1 / std::sqrt(static_cast<double>(q.size(3))));
}

void check(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  RUBATO_CHECK(q.dim() == 4 && k.dim() == 4 && v.sizes() == k.sizes(), "attention: q ", q.sizes(), ", k ", k.sizes(),
               ", v ", v.sizes());
  RUBATO_CHECK(q.size(0) == k.size(0) && q.size(2) == k.size(2) && q.size(3) == k.size(3), "attention: k ", k.sizes(),
               " does not fit q ", q.sizes());
}

// A kernel for few keys takes a bias that is the same for every query, which is float32 whatever the element type is.
bool is_key_bias(const at::Tensor& bias, std::int64_t keys) {
  return bias.dim() == 1 && bias.size(0) == keys && bias.scalar_type() == at::kFloat;
}

bool short_kernel_takes(const at::Tensor& q, const at::Tensor& k, const AttentionOptions& options) {
  if (!on_cuda_backend(q) || k.size(1) == 0 || (options.bias.defined() && !is_key_bias(options.bias, k.size(1))))
    return false;
  return k.size(1) <= most_short_keys(q.device(), q.scalar_type(), q.size(3));
}

// On an H100 with 32,760 queries, cuDNN is the faster for up to some two thousand keys.
bool hopper_kernel_takes(const at::Tensor& q, const at::Tensor& k, const AttentionOptions& options) {
  constexpr std::int64_t kFewestKeys = 2048, kHeadWidth = 128;
  return on_cuda_backend(q) && is_half(q.scalar_type()) && !options.bias.defined() && scale_of(q, options) > 0 &&
         k.size(1) >= kFewestKeys && q.size(3) == kHeadWidth && cuda_backend()->hopper_attention_runs(q.device());
}

// Where it serves, cuDNN's fused attention is faster than FlashAttention-2 (1.7 times on an H100), but libtorch's own
// order of preference may put it last, so it is asked for by name.
bool cudnn_takes(const at::Tensor& q, const AttentionOptions& options) {
  return q.is_cuda() && is_half(q.scalar_type()) && !options.bias.defined() && q.size(3) % 8 == 0 && q.size(3) <= 128 &&
         q.size(1) > 1;
}

at::Tensor by_cudnn(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const AttentionOptions& options) {
  // One set of queries for several samples: cuDNN wants them with a distance between the samples.
  const at::Tensor dense_q = q.size(0) > 1 && q.stride(0) == 0 ? q.contiguous() : q;
  const auto all = at::_scaled_dot_product_cudnn_attention(
      dense_q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), /*attn_bias=*/{}, /*compute_log_sumexp=*/false,
      /*dropout_p=*/0.0, /*is_causal=*/false, /*return_debug_mask=*/false, options.scale);
  return std::get<0>(all).transpose(1, 2);
}

// libtorch's attention, in the bias's type where that is wider than the elements'. -> [B,S,H,d]
at::Tensor by_libtorch(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const AttentionOptions& options) {
  std::optional<at::Tensor> mask;
  auto type = q.scalar_type();
  if (options.bias.defined()) {
    mask = options.bias.dim() == 1 ? options.bias.view({1, 1, 1, -1}) : options.bias;
    type = at::promote_types(type, mask->scalar_type());
  }
  const auto heads_first = [&](const at::Tensor& x) { return x.transpose(1, 2).to(type); };
  return at::scaled_dot_product_attention(heads_first(q), heads_first(k), heads_first(v), mask, 0.0, false,
                                          options.scale)
      .transpose(1, 2)
      .to(q.scalar_type());
}

}  // namespace

std::int64_t most_short_keys(at::Device device, at::ScalarType element, std::int64_t head_width) {
  if (!device.is_cuda() || !is_half(element) || cuda_backend() == nullptr) return 0;
  return cuda_backend()->most_short_keys(device, head_width);
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const AttentionOptions& options) {
  check(q, k, v);
  if (short_kernel_takes(q, k, options))
    return cuda_backend()->short_attention(q, k, v, options.bias, scale_of(q, options)).flatten(2);
  if (hopper_kernel_takes(q, k, options))
    return cuda_backend()->hopper_attention(q, k, v, scale_of(q, options)).flatten(2);
  const at::Tensor out = cudnn_takes(q, options) ? by_cudnn(q, k, v, options) : by_libtorch(q, k, v, options);
  return out.reshape({q.size(0), q.size(1), q.size(2) * q.size(3)});
}

}  // namespace rubato::kernels
