// Residual and attention blocks of the Wan VAE, and the pair of both in the middle of encoder and decoder.
//
// A block's Stream holds what it remembers between chunks; blocks are constant and take any number of streams.
// Blocks consume their input: its memory may hold the result.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "engine/models/wan_vae/layers.h"
#include "engine/nn/module.h"

namespace rubato::wan_vae {

// shortcut(x) + conv2(silu(norm2(conv1(silu(norm1(x)))))).
class ResidualBlock : public nn::Module {
 public:
  struct Stream {
    History conv1, conv2;
  };
  ResidualBlock(std::int64_t in, std::int64_t out);
  at::Tensor operator()(at::Tensor x, Stream& stream) const;  // [B,F,H,W,in] -> [B,F,H,W,out]
  void declare(nn::Declaration& d) override;

 private:
  ChannelNorm norm1_, norm2_;
  CausalConv conv1_, conv2_;
  std::optional<Pointwise> shortcut_;  // where the number of channels changes
};

// x + proj(attention(to_qkv(norm(x)))): one head over the pixels of each frame.
class AttentionBlock : public nn::Module {
 public:
  explicit AttentionBlock(std::int64_t channels);
  at::Tensor operator()(at::Tensor x) const;
  void declare(nn::Declaration& d) override;

 private:
  ChannelNorm norm_;
  Pointwise to_qkv_, proj_;
};

class MidBlock : public nn::Module {
 public:
  struct Stream {
    ResidualBlock::Stream first, second;
  };
  explicit MidBlock(std::int64_t channels);
  at::Tensor operator()(at::Tensor x, Stream& stream) const;
  void declare(nn::Declaration& d) override;

 private:
  ResidualBlock first_, second_;
  AttentionBlock attention_;
};

}  // namespace rubato::wan_vae
