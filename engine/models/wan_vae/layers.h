// The layers that the Wan VAE is made of. Activations are [B,F,H,W,C], contiguous (channels last).
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>

#include "engine/nn/module.h"
#include "kernels/conv/conv.h"

namespace rubato::wan_vae {

// What a causal convolution remembers of a stream between chunks: its last input frames. A new one stands for the
// zeros before the first frame. One per convolution and stream; the layers themselves stay constant.
struct History {
  at::Tensor frames;  // [B,n,H,W,C], or undefined
};

// x / ‖x‖ over the channels · sqrt(C) · gamma.
class ChannelNorm : public nn::Module {
 public:
  // trailing: how many dimensions of size 1 follow in the stored gamma [C,1,1(,1)].
  explicit ChannelNorm(std::int64_t channels, int trailing = 3) : channels_(channels), trailing_(trailing) {}
  at::Tensor operator()(const at::Tensor& x) const;
  void silu_into(at::Tensor y, const at::Tensor& x) const;  // y: frames of a larger tensor
  void declare(nn::Declaration& d) override;

  at::Tensor gamma;

 private:
  std::int64_t channels_;
  int trailing_;
};

// A convolution over space, and over this and earlier frames: kernel kF × kH × kW, "same" in space, kF - 1 frames of
// history in time.
class CausalConv : public nn::Module {
 public:
  CausalConv(std::int64_t in, std::int64_t out, std::array<std::int64_t, 3> kernel = {3, 3, 3})
      : in_(in), out_(out), kernel_(kernel) {}

  // The input with its history in front, [B,kF-1+n,H,W,C]: the last n frames are for the caller to fill. So the layer
  // before the convolution writes where the convolution reads, and nothing is copied or padded.
  at::Tensor input_for(const at::Tensor& x, const History& history) const;
  // From such an input; moves the history on. [B,n,H,W,out]
  at::Tensor run(const at::Tensor& input, History& history) const;
  void run_onto(at::Tensor& sum, const at::Tensor& input, History& history) const;  // sum += …

  // For an input that does not come from a norm.
  at::Tensor operator()(const at::Tensor& x, History& history) const;

  void declare(nn::Declaration& d) override;
  void loaded() override;

 private:
  void remember(const at::Tensor& input, History& history) const;

  std::int64_t in_, out_;
  std::array<std::int64_t, 3> kernel_;
  at::Tensor weight_, bias_;  // until loaded() packs them
  kernels::PackedConv conv_;
};

// silu(norm(x)) through a causal convolution: the step that everything here is built from.
at::Tensor norm_silu_conv(const ChannelNorm& norm, const CausalConv& conv, const at::Tensor& x, History& history);
void norm_silu_conv_onto(at::Tensor& sum, const ChannelNorm& norm, const CausalConv& conv, const at::Tensor& x,
                         History& history);

// A 1 × 1 (× 1) convolution: a linear layer on every pixel.
class Pointwise : public nn::Module {
 public:
  // dims: of the stored kernel, 2 (pictures) or 3 (video).
  Pointwise(std::int64_t in, std::int64_t out, int dims = 3) : in_(in), out_(out), dims_(dims) {}
  at::Tensor operator()(const at::Tensor& x) const;
  void declare(nn::Declaration& d) override;
  void loaded() override;

 private:
  std::int64_t in_, out_;
  int dims_;
  at::Tensor weight_, bias_;
};

}  // namespace rubato::wan_vae
