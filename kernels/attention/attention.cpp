#include "kernels/attention/attention.h"

#include "engine/base/check.h"
#include "kernels/cuda_backend.h"

namespace rubato::kernels {
namespace {

// cuDNN's fused attention is the fastest dense one on Hopper (measured: 1.7 times FlashAttention-2), but libtorch's
// own order of preference may put it last, so it is asked for by name where it can serve.
bool cudnn_takes(const at::Tensor& q, const AttentionOptions& options) {
  const bool half = q.scalar_type() == at::kHalf || q.scalar_type() == at::kBFloat16;
  return q.is_cuda() && half && !options.bias.defined() && q.size(3) % 8 == 0 && q.size(3) <= 128 && q.size(1) > 1;
}

struct Attended {
  at::Tensor out;      // [B,S,H,d]
  at::Tensor log_sum;  // [B,H,S,1] float32, logarithm of the sum of exponentials; where asked for
};

Attended by_cudnn(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, bool with_log_sum,
                  const AttentionOptions& options) {
  const auto all = at::_scaled_dot_product_cudnn_attention(
      q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), /*attn_bias=*/{}, with_log_sum, /*dropout_p=*/0.0,
      /*is_causal=*/false, /*return_debug_mask=*/false, options.scale);
  return {std::get<0>(all).transpose(1, 2).contiguous(), std::get<1>(all)};
}

// cuDNN's Hopper kernel masks in every step when the last tile of keys is not whole: 11.7 instead of 10.4 ms for 32,760
// keys instead of 32,768 (H100, cuDNN 9.19). So with many keys, those past the last whole tile are attended to on their
// own and merged in, which costs five passes over the queries' size: less than what is saved from some 4,500 keys on.
constexpr std::int64_t kKeyTile = 128, kSplitFrom = 8192;

at::Tensor on_cudnn(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const AttentionOptions& options) {
  const std::int64_t keys = k.size(1), odd = keys % kKeyTile, whole = keys - odd;
  if (odd == 0 || keys < kSplitFrom || !on_cuda_backend(q)) return by_cudnn(q, k, v, false, options).out;
  Attended most = by_cudnn(q, k.narrow(1, 0, whole), v.narrow(1, 0, whole), true, options);
  const Attended rest = by_cudnn(q, k.narrow(1, whole, odd), v.narrow(1, whole, odd), true, options);
  cuda_backend()->merge_attention(most.out, most.log_sum.contiguous(), rest.out, rest.log_sum.contiguous());
  return most.out;
}

}  // namespace

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const AttentionOptions& options) {
  RUBATO_CHECK(q.dim() == 4 && k.dim() == 4 && v.sizes() == k.sizes(), "attention: q ", q.sizes(), ", k ", k.sizes(),
               ", v ", v.sizes());
  RUBATO_CHECK(q.size(0) == k.size(0) && q.size(2) == k.size(2) && q.size(3) == k.size(3), "attention: k ", k.sizes(),
               " does not fit q ", q.sizes());
  if (cudnn_takes(q, options)) {
    // One set of queries for several samples: cuDNN wants them with a distance between the samples.
    const at::Tensor dense_q = q.size(0) > 1 && q.stride(0) == 0 ? q.contiguous() : q;
    return on_cudnn(dense_q, k, v, options).flatten(2);
  }
  const auto bias = options.bias.defined() ? std::optional<at::Tensor>(options.bias) : std::nullopt;
  const at::Tensor out = at::scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), bias,
                                                          0.0, false, options.scale);  // [B,H,S,d]
  return out.transpose(1, 2).reshape({q.size(0), q.size(1), q.size(2) * q.size(3)});
}

}  // namespace rubato::kernels
