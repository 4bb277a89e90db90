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

void check(const char* what, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  RUBATO_CHECK(q.dim() == 4 && k.dim() == 4 && v.sizes() == k.sizes(), what, ": q ", q.sizes(), ", k ", k.sizes(),
               ", v ", v.sizes());
  RUBATO_CHECK(q.size(0) == k.size(0) && q.size(2) == k.size(2) && q.size(3) == k.size(3), what, ": k ", k.sizes(),
               " does not fit q ", q.sizes());
}

// The definition, for what no kernel takes; scores are written out.
namespace ref {

void attend_to_more(at::Tensor& out, const at::Tensor& log_sum, const at::Tensor& q, const at::Tensor& k,
                    const at::Tensor& v, const AttentionOptions& options) {
  const auto wide = [&](const at::Tensor& x) { return x.transpose(1, 2).to(log_sum.scalar_type()); };  // [B,H,S,d]
  at::Tensor scores = at::matmul(wide(q), wide(k).transpose(2, 3)).mul_(scale_of(q, options));         // [B,H,S,T]
  if (options.bias.defined()) scores.add_(options.bias);
  const at::Tensor sum = at::logsumexp(scores, {-1});                                     // [B,H,S]
  const at::Tensor more = at::matmul(at::softmax(scores, -1), wide(v));                   // [B,H,S,d]
  const at::Tensor all = wide(out).lerp(more, at::sigmoid(sum - log_sum).unsqueeze(-1));  // by more's share of the sum
  out.copy_(all.transpose(1, 2));
}

}  // namespace ref

// A kernel for few keys takes a bias that is the same for every query, which is float32 whatever the element type is.
bool is_key_bias(const at::Tensor& bias, std::int64_t keys) {
  return bias.dim() == 1 && bias.size(0) == keys && bias.scalar_type() == at::kFloat;
}

bool short_kernel_takes(const at::Tensor& q, const at::Tensor& k, const AttentionOptions& options) {
  if (!on_cuda_backend(q) || k.size(1) == 0 || (options.bias.defined() && !is_key_bias(options.bias, k.size(1))))
    return false;
  return k.size(1) <= most_short_keys(q.device(), q.scalar_type(), q.size(3));
}

// cuDNN's fused attention is the fastest dense one on Hopper (measured: 1.7 times FlashAttention-2), but libtorch's
// own order of preference may put it last, so it is asked for by name where it can serve.
bool cudnn_takes(const at::Tensor& q, const AttentionOptions& options) {
  return q.is_cuda() && is_half(q.scalar_type()) && !options.bias.defined() && q.size(3) % 8 == 0 && q.size(3) <= 128 &&
         q.size(1) > 1;
}

struct Attended {
  at::Tensor out;      // [B,S,H,d]
  at::Tensor log_sum;  // [B,H,S] float32, logarithm of the sum of exponentials; where asked for
};

Attended by_cudnn(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, bool with_log_sum,
                  const AttentionOptions& options) {
  const auto all = at::_scaled_dot_product_cudnn_attention(
      q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), /*attn_bias=*/{}, with_log_sum, /*dropout_p=*/0.0,
      /*is_causal=*/false, /*return_debug_mask=*/false, options.scale);
  Attended attended{std::get<0>(all).transpose(1, 2).contiguous(), {}};
  if (with_log_sum) attended.log_sum = std::get<1>(all).contiguous().view({q.size(0), q.size(2), q.size(1)});
  return attended;
}

// cuDNN's Hopper kernel masks in every step when the last tile of keys is not whole: 11.7 instead of 10.4 ms for 32,760
// keys instead of 32,768 (H100, cuDNN 9.19). So with many keys, those past the last whole tile follow on their own.
constexpr std::int64_t kKeyTile = 128, kSplitFrom = 4096;

at::Tensor on_cudnn(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const AttentionOptions& options) {
  const std::int64_t keys = k.size(1), odd = keys % kKeyTile, whole = keys - odd;
  const bool split = odd > 0 && keys >= kSplitFrom && most_short_keys(q.device(), q.scalar_type(), q.size(3)) >= odd;
  if (!split) return by_cudnn(q, k, v, false, options).out;
  Attended attended = by_cudnn(q, k.narrow(1, 0, whole), v.narrow(1, 0, whole), true, options);
  attend_to_more(attended.out, attended.log_sum, q, k.narrow(1, whole, odd), v.narrow(1, whole, odd), options);
  return attended.out;
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
  check("attention", q, k, v);
  if (short_kernel_takes(q, k, options)) {
    at::Tensor out = at::empty(q.sizes(), q.options());
    cuda_backend()->short_attention(out, {}, q, k, v, options.bias, scale_of(q, options));
    return out.flatten(2);
  }
  if (cudnn_takes(q, options)) {
    // One set of queries for several samples: cuDNN wants them with a distance between the samples.
    const at::Tensor dense_q = q.size(0) > 1 && q.stride(0) == 0 ? q.contiguous() : q;
    return on_cudnn(dense_q, k, v, options).flatten(2);
  }
  return by_libtorch(q, k, v, options).reshape({q.size(0), q.size(1), q.size(2) * q.size(3)});
}

void attend_to_more(at::Tensor& out, const at::Tensor& log_sum, const at::Tensor& q, const at::Tensor& k,
                    const at::Tensor& v, const AttentionOptions& options) {
  check("attend_to_more", q, k, v);
  RUBATO_CHECK(out.sizes() == q.sizes() && out.scalar_type() == q.scalar_type() && out.is_contiguous(),
               "attend_to_more: out ", out.sizes(), " does not fit q ", q.sizes());
  RUBATO_CHECK(log_sum.sizes() == at::IntArrayRef({q.size(0), q.size(2), q.size(1)}), "attend_to_more: log_sum ",
               log_sum.sizes(), " does not fit q ", q.sizes());
  if (short_kernel_takes(q, k, options)) {
    cuda_backend()->short_attention(out, log_sum, q, k, v, options.bias, scale_of(q, options));
  } else {
    ref::attend_to_more(out, log_sum, q, k, v, options);
  }
}

}  // namespace rubato::kernels
