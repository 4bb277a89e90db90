// The encoder half of the Wan VAE: (folded) pixels to latent statistics.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <vector>

#include "engine/models/wan_vae/blocks.h"
#include "engine/models/wan_vae/config.h"
#include "engine/models/wan_vae/resample.h"
#include "engine/nn/module.h"

namespace rubato::wan_vae {

// One level: residual blocks, then, but for the last level, a reduction; in Wan 2.2 with a shortcut around both.
class DownLevel : public nn::Module {
 public:
  struct Stream {
    std::vector<ResidualBlock::Stream> resnets;
    Downsample::Stream downsample;
  };
  struct Plan {
    std::int64_t in = 0, out = 0, resnets = 0;
    bool reduces = false, shortcut = false;
    InTime in_time = InTime::No;
  };
  explicit DownLevel(const Plan& plan);
  Stream start() const { return {std::vector<ResidualBlock::Stream>(resnets_.size()), {}}; }
  at::Tensor operator()(at::Tensor x, Stream& stream) const;
  // Wan 2.2 names: resnets.N and downsampler.
  void declare(nn::Declaration& d) override;
  // Wan 2.1 names: all blocks of all levels in one list, which counts on from `index`.
  void declare_flat(nn::Declaration& d, const std::string& list, std::int64_t& index);

 private:
  Plan plan_;
  std::vector<ResidualBlock> resnets_;
  std::optional<Downsample> downsample_;
};

class Encoder : public nn::Module {
 public:
  struct Stream {
    History conv_in, conv_out;
    MidBlock::Stream mid;
    std::vector<DownLevel::Stream> levels;
  };

  explicit Encoder(const WanVaeConfig& config);
  Stream start() const;
  // x [B,F,H,W,pixel channels]: the next frames of the stream, 1 + r·k at its start and r·k later, r the temporal ratio
  // -> [B,V,h,w,2·z]
  at::Tensor operator()(const at::Tensor& x, Stream& stream) const;
  void declare(nn::Declaration& d) override;

 private:
  bool flat_names_;
  CausalConv conv_in_;
  std::vector<DownLevel> levels_;
  MidBlock mid_;
  ChannelNorm norm_out_;
  CausalConv conv_out_;
};

}  // namespace rubato::wan_vae
