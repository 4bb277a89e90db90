#include "engine/models/wan_vae/encoder.h"

#include <torch/types.h>

#include <utility>

#include "engine/nn/tap.h"

namespace rubato::wan_vae {

DownLevel::DownLevel(const Plan& plan) : plan_(plan) {
  for (std::int64_t i = 0; i < plan.resnets; ++i) resnets_.emplace_back(i == 0 ? plan.in : plan.out, plan.out);
  if (plan.reduces) downsample_.emplace(plan.out, plan.in_time);
}

at::Tensor DownLevel::operator()(at::Tensor x, Stream& stream) const {
  const std::int64_t in_time = plan_.in_time == InTime::Yes ? 2 : 1, in_space = plan_.reduces ? 2 : 1;
  const at::Tensor shortcut = plan_.shortcut ? average_down(x, in_time, in_space, plan_.out) : at::Tensor();
  for (std::size_t i = 0; i < resnets_.size(); ++i) x = resnets_[i](std::move(x), stream.resnets[i]);
  if (downsample_) x = (*downsample_)(x, stream.downsample);
  return plan_.shortcut ? x.add_(shortcut) : x;
}

void DownLevel::declare(nn::Declaration& d) {
  d.children("resnets", resnets_);
  if (downsample_) d.child("downsampler", *downsample_);
}

void DownLevel::declare_flat(nn::Declaration& d, const std::string& list, std::int64_t& index) {
  for (auto& resnet : resnets_) d.child(list + '.' + std::to_string(index++), resnet);
  if (downsample_) d.child(list + '.' + std::to_string(index++), *downsample_);
}

Encoder::Encoder(const WanVaeConfig& config)
    : flat_names_(!config.is_residual),
      conv_in_(config.pixel_channels(), config.base_dim),
      mid_(config.base_dim * config.dim_mult.back()),
      norm_out_(config.base_dim * config.dim_mult.back()),
      conv_out_(config.base_dim * config.dim_mult.back(), 2 * config.z_dim) {
  std::int64_t channels = config.base_dim;
  for (std::size_t i = 0; i < config.dim_mult.size(); ++i) {
    DownLevel::Plan level;
    level.in = channels;
    level.out = channels = config.base_dim * config.dim_mult[i];
    level.resnets = config.num_res_blocks;
    level.reduces = i + 1 < config.dim_mult.size();
    level.shortcut = config.is_residual;
    if (level.reduces) level.in_time = config.temporal_downsample[i] ? InTime::Yes : InTime::No;
    levels_.emplace_back(level);
  }
}

Encoder::Stream Encoder::start() const {
  Stream stream;
  for (const auto& level : levels_) stream.levels.push_back(level.start());
  return stream;
}

at::Tensor Encoder::operator()(const at::Tensor& x, Stream& stream) const {
  at::Tensor h = conv_in_(x, stream.conv_in);
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    h = levels_[i](std::move(h), stream.levels[i]);
    nn::tap("encoder.levels", static_cast<std::int64_t>(i), "", h);
  }
  h = mid_(std::move(h), stream.mid);
  nn::tap("encoder.mid_block", h);
  return norm_silu_conv(norm_out_, conv_out_, h, stream.conv_out);
}

void Encoder::declare(nn::Declaration& d) {
  d.child("conv_in", conv_in_);
  if (flat_names_) {
    std::int64_t index = 0;
    for (auto& level : levels_) level.declare_flat(d, "down_blocks", index);
  } else {
    d.children("down_blocks", levels_);
  }
  d.child("mid_block", mid_);
  d.child("norm_out", norm_out_);
  d.child("conv_out", conv_out_);
}

}  // namespace rubato::wan_vae
