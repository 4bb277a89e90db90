#include "engine/models/wan_vae/decoder.h"

#include "engine/base/check.h"

#include <torch/types.h>

#include <utility>

#include "engine/nn/tap.h"

namespace rubato::wan_vae {

UpLevel::UpLevel(const Plan& plan, const char* upsampler_name) : plan_(plan), upsampler_name_(upsampler_name) {
  for (std::int64_t i = 0; i < plan.resnets; ++i) resnets_.emplace_back(i == 0 ? plan.in : plan.out, plan.out);
  if (plan.enlarges) upsample_.emplace(plan.out, plan.enlarged, plan.in_time);
}

at::Tensor UpLevel::operator()(at::Tensor x, Stream& stream) const {
  const at::Tensor before = plan_.shortcut ? x.clone() : at::Tensor();  // the blocks consume x
  for (std::size_t i = 0; i < resnets_.size(); ++i) x = resnets_[i](std::move(x), stream.resnets[i]);
  if (upsample_) x = (*upsample_)(x, stream.upsample);
  if (plan_.shortcut) add_duplicated(x, before, plan_.in_time == InTime::Yes ? 2 : 1);
  return x;
}

void UpLevel::declare(nn::Declaration& d) {
  d.children("resnets", resnets_);
  if (upsample_) d.child(upsampler_name_, *upsample_);
}

std::vector<UpLevel::Plan> Decoder::plan(const WanVaeConfig& config) {
  const auto& mult = config.dim_mult;
  std::vector<UpLevel::Plan> levels;
  std::int64_t channels = config.decoder_base_dim * mult.back();
  for (std::size_t i = mult.size(); i-- > 0;) {
    UpLevel::Plan level;
    level.in = channels;
    level.out = config.decoder_base_dim * mult[i];
    level.resnets = config.num_res_blocks + 1;
    level.enlarges = i > 0;
    level.shortcut = config.is_residual && level.enlarges;
    if (level.enlarges) level.in_time = config.temporal_downsample[i - 1] ? InTime::Yes : InTime::No;
    // Wan 2.1 halves the channels where it enlarges; Wan 2.2 leaves that to the next residual block.
    level.enlarged = config.is_residual ? level.out : level.out / 2;
    channels = level.enlarged;
    levels.push_back(level);
  }
  return levels;
}

Decoder::Decoder(const WanVaeConfig& config)
    : conv_in_(config.z_dim, config.decoder_base_dim * config.dim_mult.back()),
      mid_(config.decoder_base_dim * config.dim_mult.back()),
      norm_out_(config.decoder_base_dim * config.dim_mult.front()),
      conv_out_(config.decoder_base_dim * config.dim_mult.front(), config.pixel_channels()) {
  for (const auto& level : plan(config)) levels_.emplace_back(level, config.is_residual ? "upsampler" : "upsamplers.0");
}

Decoder::Stream Decoder::start() const {
  Stream stream;
  for (const auto& level : levels_) stream.levels.push_back(level.start());
  return stream;
}

at::Tensor Decoder::operator()(const at::Tensor& z, Stream& stream) const {
  at::Tensor x = conv_in_(z, stream.conv_in);
  x = mid_(std::move(x), stream.mid);
  nn::tap("decoder.mid_block", x);
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    x = levels_[i](std::move(x), stream.levels[i]);
    nn::tap("decoder.up_blocks", static_cast<std::int64_t>(i), "", x);
  }
  return norm_silu_conv(norm_out_, conv_out_, x, stream.conv_out);
}

void Decoder::declare(nn::Declaration& d) {
  d.child("conv_in", conv_in_);
  d.child("mid_block", mid_);
  d.children("up_blocks", levels_);
  d.child("norm_out", norm_out_);
  d.child("conv_out", conv_out_);
}

namespace {

// One place for the order in which a stream's memories are listed.
template <typename Stream, typename Visit>
void for_each_memory(Stream& stream, Visit&& visit) {
  const auto block = [&](auto& resnet) {
    visit(resnet.conv1.frames);
    visit(resnet.conv2.frames);
  };
  visit(stream.conv_in.frames);
  block(stream.mid.first);
  block(stream.mid.second);
  for (auto& level : stream.levels) {
    for (auto& resnet : level.resnets) block(resnet);
    visit(level.upsample.past);
  }
  visit(stream.conv_out.frames);
}

}  // namespace

std::vector<at::Tensor> Decoder::remembered(const Stream& stream) {
  std::vector<at::Tensor> tensors;
  for_each_memory(stream, [&](const at::Tensor& memory) { tensors.push_back(memory); });
  return tensors;
}

Decoder::Stream Decoder::restored(const std::vector<at::Tensor>& tensors) const {
  Stream stream = start();
  std::size_t at = 0;
  for_each_memory(stream, [&](at::Tensor& memory) {
    RUBATO_CHECK(at < tensors.size(), "a decoder's stream has more memories than were given");
    memory = tensors[at++];
  });
  RUBATO_CHECK(at == tensors.size(), "a decoder's stream has ", at, " memories, not ", tensors.size());
  for (auto& level : stream.levels) level.upsample.started = true;  // a stream is saved after its first frame
  return stream;
}

}  // namespace rubato::wan_vae
