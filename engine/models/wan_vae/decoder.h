// The decoder half of the Wan VAE: latents to (folded) pixels.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "engine/models/wan_vae/blocks.h"
#include "engine/models/wan_vae/config.h"
#include "engine/models/wan_vae/resample.h"
#include "engine/nn/module.h"

namespace rubato::wan_vae {

// One level: residual blocks, then, but for the last level, an enlargement; in Wan 2.2 with a shortcut around both.
class UpLevel : public nn::Module {
 public:
  struct Stream {
    std::vector<ResidualBlock::Stream> resnets;
    Upsample::Stream upsample;
  };
  struct Plan {
    std::int64_t in = 0, out = 0;  // channels of the residual blocks
    std::int64_t resnets = 0;
    bool enlarges = false, shortcut = false;
    InTime in_time = InTime::No;
    std::int64_t enlarged = 0;  // channels after the enlargement
  };
  UpLevel(const Plan& plan, const char* upsampler_name);
  Stream start() const { return {std::vector<ResidualBlock::Stream>(resnets_.size()), {}}; }
  at::Tensor operator()(at::Tensor x, Stream& stream) const;
  void declare(nn::Declaration& d) override;

 private:
  Plan plan_;
  const char* upsampler_name_;
  std::vector<ResidualBlock> resnets_;
  std::optional<Upsample> upsample_;
};

class Decoder : public nn::Module {
 public:
  // What one stream remembers between chunks.
  struct Stream {
    History conv_in, conv_out;
    MidBlock::Stream mid;
    std::vector<UpLevel::Stream> levels;
  };

  explicit Decoder(const WanVaeConfig& config);
  Stream start() const;
  // All that a stream remembers, in a fixed order; an undefined tensor stands for "nothing yet". restored() of it on a
  // decoder of the same configuration goes on as the stream itself would.
  static std::vector<at::Tensor> remembered(const Stream& stream);
  Stream restored(const std::vector<at::Tensor>& tensors) const;
  // z [B,V,h,w,z]: the next latent frames of the stream -> [B,F,H,W,pixel channels], not clamped.
  at::Tensor operator()(const at::Tensor& z, Stream& stream) const;
  void declare(nn::Declaration& d) override;

  // The levels in order, widest first; also what decode_bytes() goes by.
  static std::vector<UpLevel::Plan> plan(const WanVaeConfig& config);

 private:
  CausalConv conv_in_;
  MidBlock mid_;
  std::vector<UpLevel> levels_;
  ChannelNorm norm_out_;
  CausalConv conv_out_;
};

}  // namespace rubato::wan_vae
