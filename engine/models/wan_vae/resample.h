// Changes of resolution in the Wan VAE: halving and doubling in space and, where asked, in time, and the parameter-free
// shortcuts that Wan 2.2 puts around them.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "engine/models/wan_vae/layers.h"
#include "engine/nn/module.h"

namespace rubato::wan_vae {

enum class InTime { No, Yes };

// Space: one row and column of zeros behind, 3 × 3 convolution with stride 2. Time: the first frame of a stream passes;
// then each two frames, with the one before them, become one.
class Downsample : public nn::Module {
 public:
  struct Stream {
    at::Tensor last;  // the last frame, after the change in space
  };
  Downsample(std::int64_t channels, InTime in_time) : channels_(channels), in_time_(in_time == InTime::Yes) {}
  at::Tensor operator()(const at::Tensor& x, Stream& stream) const;  // [B,F,H,W,C] -> [B,F',H/2,W/2,C]
  void declare(nn::Declaration& d) override;
  void loaded() override;

 private:
  struct Conv {
    at::Tensor weight, bias;
    kernels::PackedConv packed;
  };
  std::int64_t channels_;
  bool in_time_;
  Conv space_, time_;
};

// Time: the first frame of a stream passes; each later one becomes two, by a causal convolution that never sees the
// first frame. Space: nearest neighbour, then a 3 × 3 convolution.
//
// The pair in space is computed without the enlarged picture: a pixel of the result sees 2 × 2 source pixels, with the
// sums of those of the nine weights that fall on the same source pixel. One 2 × 2 convolution gives all four phases, in
// 4/9 of the operations.
class Upsample : public nn::Module {
 public:
  struct Stream {
    bool started = false;
    at::Tensor past;  // the last two frames that were doubled; undefined = zeros
  };
  Upsample(std::int64_t in, std::int64_t out, InTime in_time) : in_(in), out_(out), in_time_(in_time == InTime::Yes) {}
  at::Tensor operator()(const at::Tensor& x, Stream& stream) const;  // [B,F,H,W,in] -> [B,F',2H,2W,out]
  void declare(nn::Declaration& d) override;
  void loaded() override;

 private:
  void enlarge_into(at::Tensor y, const at::Tensor& x) const;

  std::int64_t in_, out_;
  bool in_time_;
  at::Tensor space_weight_, space_bias_, time_weight_, time_bias_;  // until loaded() packs them
  kernels::PackedConv phases_, even_, odd_;
};

// Shortcut of a Wan 2.2 encoder level: blocks of time_factor × 2 × 2 (or one pixel, if space_factor is 1) become
// channels, and groups of consecutive channels are averaged to `channels`. Zeros stand before an incomplete block.
at::Tensor average_down(const at::Tensor& x, std::int64_t time_factor, std::int64_t space_factor,
                        std::int64_t channels);

// Shortcut of a Wan 2.2 decoder level: y += x with its channels repeated and unfolded into blocks of
// time_factor × 2 × 2. y [B,F',2H,2W,C'], x [B,F,H,W,C]. Where y lacks frames, at the start of a stream, the first
// blocks give their last one.
void add_duplicated(at::Tensor& y, const at::Tensor& x, std::int64_t time_factor);

}  // namespace rubato::wan_vae
