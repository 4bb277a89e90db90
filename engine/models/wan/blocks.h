// Parts of the Wan transformer. Members are named as in diffusers' checkpoints.
//
// Shapes: B prompts, V video tokens, T text tokens, H heads, d head width, D = H·d, G time steps per sample (1, one
// per frame, or one per token). x is [B,V,D]; until the first cross-attention it may have batch 1 for all prompts,
// since branches of guidance differ in their text alone.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "engine/models/wan/config.h"
#include "engine/models/wan/rope.h"
#include "engine/nn/layers.h"
#include "engine/policies/attention.h"
#include "kernels/norm/norm.h"

namespace rubato::wan {

// The text as cross-attention takes it in. Tokens past a prompt are all alike (zeros), so one of them may stand for
// the rest, counted as often as they are.
struct Text {
  at::Tensor tokens;     // [B,T,D]
  at::Tensor log_count;  // [T], log of how many tokens each one stands for; undefined: one each
};

// What a text contributes to one block's cross-attention: the same at every step of a run.
struct TextKv {
  at::Tensor k, v;  // [B,T,H,d]
  // On the CPU, for a text so short that H·T <= D, instead of v: the values of each head as they come out of to_out,
  // which saves that projection for every video token; then k is [B,H,d,T], scaled.
  at::Tensor v_out;      // [B,H·T,D]
  at::Tensor log_count;  // [T], as in Text
};

// Time: sinusoid -> embedding [.., D] and, projected, six modulation vectors [.., 6D]. Text: [B,T,text] -> [B,T,D].
class Conditioning : public nn::Module {
 public:
  explicit Conditioning(const Config& config);
  struct Time {
    at::Tensor embedding;   // [B,G,D] float32
    at::Tensor modulation;  // [B,G,6,D] float32
  };
  Time time(const at::Tensor& timestep) const;  // [B,G] -> Time
  Text text(const at::Tensor& prompt) const;    // [B,T,text width]
  void declare(nn::Declaration& d) override;

 private:
  std::int64_t frequencies_, width_, heads_;
  nn::Linear time_1_, time_2_, time_proj_, text_1_, text_2_;
};

class SelfAttention : public nn::Module {
 public:
  explicit SelfAttention(const Config& config);
  at::Tensor operator()(const at::Tensor& x, const RopeTable& rope, const Site& at, AttentionPolicy& policy) const;
  void declare(nn::Declaration& d) override;

 private:
  std::int64_t heads_;
  nn::StackedLinear to_qkv_;
  nn::Linear to_out_;
  nn::RmsNorm norm_q_, norm_k_;
};

class CrossAttention : public nn::Module {
 public:
  explicit CrossAttention(const Config& config);
  TextKv text_kv(const Text& text) const;
  at::Tensor operator()(const at::Tensor& x, const TextKv& text) const;
  void declare(nn::Declaration& d) override;

 private:
  at::Tensor attend_short(const at::Tensor& q, const TextKv& text) const;

  std::int64_t heads_;
  nn::Linear to_q_, to_out_;
  nn::StackedLinear to_kv_;
  nn::RmsNorm norm_q_, norm_k_;
};

// x + y·gate and what cross-attention sees of it: its affine layer norm, or the sum itself where the configuration
// has no norm there.
class CrossNorm : public nn::Module {
 public:
  explicit CrossNorm(const Config& config)
      : width_(config.width()), eps_(config.eps), on_(config.cross_attention_norm) {}
  kernels::ResidualNorm operator()(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate) const;
  void declare(nn::Declaration& d) override;

 private:
  std::int64_t width_;
  double eps_;
  bool on_;
  at::Tensor weight_, bias_;
};

class FeedForward : public nn::Module {
 public:
  explicit FeedForward(const Config& config);
  at::Tensor operator()(const at::Tensor& x) const;
  void declare(nn::Declaration& d) override;

 private:
  nn::Linear in_, out_;
};

// Scale and shift of an adaptive norm, [B,G,D] each.
struct AdaptiveNorm {
  at::Tensor shift, scale;
};

// What a time step does to one block.
struct Modulation {
  AdaptiveNorm attention;
  at::Tensor attention_gate;  // [B,G,D]
  AdaptiveNorm ffn;
  at::Tensor ffn_gate;
};

// A block takes the residual stream together with its norm, and gives it back with the norm that comes next: a residual
// sum and the norm of it are one pass over memory, also from block to block.
class Block : public nn::Module {
 public:
  explicit Block(const Config& config);
  Modulation modulation(const at::Tensor& time_modulation) const;
  // next: the first norm of the block that follows, or the one before the projection out.
  kernels::ResidualNorm operator()(const kernels::ResidualNorm& in, const Modulation& m, const AdaptiveNorm& next,
                                   const TextKv& text, const RopeTable& rope, const Site& at,
                                   AttentionPolicy& policy) const;
  TextKv text_kv(const Text& text) const { return attn2_.text_kv(text); }
  void declare(nn::Declaration& d) override;

 private:
  std::int64_t width_;
  double eps_;
  SelfAttention attn1_;
  CrossAttention attn2_;
  CrossNorm norm2_;
  FeedForward ffn_;
  at::Tensor scale_shift_table_;  // [1,6,D]
};

}  // namespace rubato::wan
