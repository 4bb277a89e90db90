#include "engine/models/wan/blocks.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/nn/tap.h"
#include "kernels/attention/attention.h"
#include "kernels/gemm/linear.h"
#include "kernels/rope/rope.h"

namespace rubato::wan {
namespace {

// [..] -> [.., n]: cosines of t · 10000^(−i/(n/2)), then sines; a zero follows when n is odd.
at::Tensor sinusoid(const at::Tensor& t, std::int64_t n) {
  constexpr double kLongestPeriod = 10000.0;
  const std::int64_t half = n / 2;
  const auto options = at::TensorOptions().dtype(at::kFloat).device(t.device());
  const at::Tensor frequencies =
      at::exp(at::arange(half, options) * -std::log(kLongestPeriod) / static_cast<double>(half));
  const at::Tensor angles = t.to(at::kFloat).unsqueeze(-1) * frequencies;
  return at::constant_pad_nd(at::cat({angles.cos(), angles.sin()}, -1), {0, n % 2});
}

at::Tensor dense_attention(const Qkv& qkv) { return kernels::attention(qkv.q, qkv.k, qkv.v); }

// A prompt without its repeated padding, where that pays: on the CPU, when all heads' scores of a token then fit in
// the token's width (TextKv); on CUDA, when attention then has few enough keys. Elsewhere the text stays as it is.
Text without_repeated_padding(const at::Tensor& prompt, at::ScalarType element, std::int64_t heads,
                              std::int64_t width) {
  const std::int64_t tokens = prompt.size(1);
  const at::Tensor used = prompt.ne(0).any(-1).any(0).nonzero();
  const std::int64_t length = used.numel() > 0 ? used[-1].item<std::int64_t>() + 1 : 0;
  // Rows of scores that fill vector registers: a softmax over 15 takes ten times as long as one over 16.
  constexpr std::int64_t kLanes = 16;
  const std::int64_t kept = std::min((length / kLanes + 1) * kLanes, tokens);  // length + 1, rounded up
  const std::int64_t most =
      prompt.is_cpu() ? width / heads : kernels::most_short_keys(prompt.device(), element, width / heads);
  if (kept > most) return {prompt, {}};
  at::Tensor log_count = at::zeros({kept}, at::kFloat);
  log_count[kept - 1] = std::log(static_cast<double>(tokens - kept + 1));
  return {prompt.slice(1, 0, kept), log_count.to(prompt.device())};
}

// x, repeated where y has more samples.
at::Tensor for_each_sample_of(const at::Tensor& y, const at::Tensor& x) {
  return x.size(0) == y.size(0) ? x : x.expand({y.size(0), -1, -1}).contiguous();
}

}  // namespace

Conditioning::Conditioning(const Config& config)
    : frequencies_(config.time_frequencies),
      width_(config.width()),
      heads_(config.heads),
      time_1_(config.time_frequencies, config.width(), nn::Bias::Yes, nn::Precision::Full),
      time_2_(config.width(), config.width(), nn::Bias::Yes, nn::Precision::Full),
      time_proj_(config.width(), 6 * config.width()),
      text_1_(config.text_width, config.width()),
      text_2_(config.width(), config.width()) {}

Conditioning::Time Conditioning::time(const at::Tensor& timestep) const {
  const at::Tensor embedding = time_2_(at::silu(time_1_(sinusoid(timestep, frequencies_))));
  const at::Tensor modulation = time_proj_(at::silu(embedding).to(time_proj_.weight.scalar_type()));
  return {embedding, modulation.to(at::kFloat).unflatten(-1, {6, width_})};
}

Text Conditioning::text(const at::Tensor& prompt) const {
  const at::ScalarType element = text_1_.weight.scalar_type();
  const auto [tokens, log_count] = without_repeated_padding(prompt, element, heads_, width_);
  return {text_2_(kernels::linear_gelu_tanh(tokens.to(element), text_1_.weight, text_1_.bias)), log_count};
}

void Conditioning::declare(nn::Declaration& d) {
  d.child("time_embedder.linear_1", time_1_);
  d.child("time_embedder.linear_2", time_2_);
  d.child("time_proj", time_proj_);
  d.child("text_embedder.linear_1", text_1_);
  d.child("text_embedder.linear_2", text_2_);
}

SelfAttention::SelfAttention(const Config& config)
    : heads_(config.heads),
      to_qkv_({"to_q", "to_k", "to_v"}, config.width(), config.width()),
      to_out_(config.width(), config.width()),
      norm_q_(config.width(), config.eps),
      norm_k_(config.width(), config.eps) {}

at::Tensor SelfAttention::operator()(const at::Tensor& x, const RopeTable& rope, const Site& at,
                                     AttentionPolicy& policy) const {
  const auto parts = to_qkv_(x).chunk(3, -1);  // [B,V,D] each
  const int heads = static_cast<int>(heads_);
  const Qkv qkv{kernels::rms_norm_rope(parts[0], norm_q_.weight, norm_q_.eps(), rope.cos, rope.sin, heads),
                kernels::rms_norm_rope(parts[1], norm_k_.weight, norm_k_.eps(), rope.cos, rope.sin, heads),
                parts[2].unflatten(-1, {heads_, -1})};
  return to_out_(policy.attend(at, qkv, dense_attention));
}

void SelfAttention::declare(nn::Declaration& d) {
  d.inlined(to_qkv_);
  d.child("to_out.0", to_out_);
  d.child("norm_q", norm_q_);
  d.child("norm_k", norm_k_);
}

CrossAttention::CrossAttention(const Config& config)
    : heads_(config.heads),
      to_q_(config.width(), config.width()),
      to_out_(config.width(), config.width()),
      to_kv_({"to_k", "to_v"}, config.width(), config.width()),
      norm_q_(config.width(), config.eps),
      norm_k_(config.width(), config.eps) {}

TextKv CrossAttention::text_kv(const Text& text) const {
  const auto kv = to_kv_(text.tokens).chunk(2, -1);
  const at::Tensor k = norm_k_(kv[0]).unflatten(-1, {heads_, -1}), v = kv[1].unflatten(-1, {heads_, -1});
  if (!text.log_count.defined() || !k.is_cpu()) return {.k = k, .v = v, .v_out = {}, .log_count = text.log_count};
  const double scale = 1 / std::sqrt(static_cast<double>(k.size(3)));
  const at::Tensor out = to_out_.weight.unflatten(1, {heads_, -1});               // [D,H,d]
  const at::Tensor v_out = at::einsum("bthd,ohd->bhto", {v, out}).flatten(1, 2);  // [B,H·T,D]
  return {.k = (k * scale).permute({0, 2, 3, 1}).contiguous(), .v_out = v_out, .log_count = text.log_count};
}

at::Tensor CrossAttention::operator()(const at::Tensor& x, const TextKv& text) const {
  const at::Tensor q = norm_q_(to_q_(x)).unflatten(-1, {heads_, -1});  // [B,V,H,d]
  if (text.v_out.defined()) return attend_short(q, text);
  return to_out_(kernels::attention(q.expand({text.k.size(0), -1, -1, -1}), text.k, text.v, {.bias = text.log_count}));
}

// sum over heads of softmax(q·k)·(v·out) + bias
at::Tensor CrossAttention::attend_short(const at::Tensor& q, const TextKv& text) const {
  const at::Tensor scores = at::matmul(q.transpose(1, 2), text.k).add_(text.log_count);  // [B,H,V,T]
  const at::Tensor weights = at::softmax(scores, -1).transpose(1, 2).flatten(2);         // [B,V,H·T]
  return at::baddbmm(to_out_.bias, weights, text.v_out);
}

void CrossAttention::declare(nn::Declaration& d) {
  d.child("to_q", to_q_);
  d.inlined(to_kv_);
  d.child("to_out.0", to_out_);
  d.child("norm_q", norm_q_);
  d.child("norm_k", norm_k_);
}

kernels::ResidualNorm CrossNorm::operator()(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate) const {
  if (on_) return kernels::residual_norm_affine(x, y, gate, weight_, bias_, eps_);
  const at::Tensor sum = kernels::gated_residual(x, y, gate);
  return {sum, sum};
}

void CrossNorm::declare(nn::Declaration& d) {
  if (!on_) return;
  d.parameter("weight", weight_, {width_}, nn::Precision::Full);
  d.parameter("bias", bias_, {width_}, nn::Precision::Full);
}

FeedForward::FeedForward(const Config& config)
    : in_(config.width(), config.ffn_width), out_(config.ffn_width, config.width()) {}

at::Tensor FeedForward::operator()(const at::Tensor& x) const {
  return out_(kernels::linear_gelu_tanh(x, in_.weight, in_.bias));
}

void FeedForward::declare(nn::Declaration& d) {
  d.child("net.0.proj", in_);
  d.child("net.2", out_);
}

Block::Block(const Config& config)
    : width_(config.width()), eps_(config.eps), attn1_(config), attn2_(config), norm2_(config), ffn_(config) {}

Modulation Block::modulation(const at::Tensor& time_modulation) const {
  const auto m = (scale_shift_table_ + time_modulation).unbind(2);  // shift, scale, gate; shift, scale, gate
  return {{m[0], m[1]}, m[2], {m[3], m[4]}, m[5]};
}

kernels::ResidualNorm Block::operator()(const kernels::ResidualNorm& in, const Modulation& m, const AdaptiveNorm& next,
                                        const TextKv& text, const RopeTable& rope, const Site& at,
                                        AttentionPolicy& policy) const {
  const auto mixed = attn1_(in.n, rope, at, policy);
  nn::tap("blocks", at.layer, "attn1", mixed);
  const auto [x1, seen] = norm2_(in.x, mixed, m.attention_gate);

  const auto told = attn2_(seen, text);
  nn::tap("blocks", at.layer, "attn2", told);
  const auto [x2, n] =
      kernels::residual_norm_modulated(for_each_sample_of(told, x1), told, {}, m.ffn.shift, m.ffn.scale, eps_);

  const auto widened = ffn_(n);
  nn::tap("blocks", at.layer, "ffn", widened);
  return kernels::residual_norm_modulated(x2, widened, m.ffn_gate, next.shift, next.scale, eps_);
}

void Block::declare(nn::Declaration& d) {
  d.child("attn1", attn1_);
  d.child("attn2", attn2_);
  d.child("norm2", norm2_);
  d.child("ffn", ffn_);
  d.parameter("scale_shift_table", scale_shift_table_, {1, 6, width_}, nn::Precision::Full);
}

}  // namespace rubato::wan
