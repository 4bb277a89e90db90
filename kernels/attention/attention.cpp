#include "kernels/attention/attention.h"

#include "engine/base/check.h"

namespace rubato::kernels {
namespace {

// cuDNN's fused attention is the fastest dense one on Hopper (measured: 1.7 times FlashAttention-2), but libtorch's
// own order of preference may put it last, so it is asked for by name where it can serve.
bool cudnn_takes(const at::Tensor& q, const AttentionOptions& options) {
  const bool half = q.scalar_type() == at::kHalf || q.scalar_type() == at::kBFloat16;
  return q.is_cuda() && half && !options.bias.defined() && q.size(3) % 8 == 0 && q.size(3) <= 128 && q.size(1) > 1;
}

}  // namespace

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const AttentionOptions& options) {
  RUBATO_CHECK(q.dim() == 4 && k.dim() == 4 && v.sizes() == k.sizes(), "attention: q ", q.sizes(), ", k ", k.sizes(),
               ", v ", v.sizes());
  RUBATO_CHECK(q.size(0) == k.size(0) && q.size(2) == k.size(2) && q.size(3) == k.size(3), "attention: k ", k.sizes(),
               " does not fit q ", q.sizes());
  // One set of queries for several samples: cuDNN wants them with a distance between the samples.
  const at::Tensor dense_q = q.is_cuda() && q.size(0) > 1 && q.stride(0) == 0 ? q.contiguous() : q;
  const at::Tensor query = dense_q.transpose(1, 2), key = k.transpose(1, 2), value = v.transpose(1, 2);  // [B,H,S,d]
  at::Tensor out;
  if (cudnn_takes(q, options)) {
    out = std::get<0>(at::_scaled_dot_product_cudnn_attention(query, key, value, /*attn_bias=*/{},
                                                              /*compute_log_sumexp=*/false,
                                                              /*dropout_p=*/0.0, /*is_causal=*/false,
                                                              /*return_debug_mask=*/false, options.scale));
  } else {
    const auto bias = options.bias.defined() ? std::optional<at::Tensor>(options.bias) : std::nullopt;
    out = at::scaled_dot_product_attention(query, key, value, bias, 0.0, false, options.scale);
  }
  return out.transpose(1, 2).reshape({q.size(0), q.size(1), q.size(2) * q.size(3)});
}

}  // namespace rubato::kernels
