#include "engine/models/wan_vae/blocks.h"

#include <torch/types.h>

#include "kernels/attention/attention.h"

namespace rubato::wan_vae {

ResidualBlock::ResidualBlock(std::int64_t in, std::int64_t out)
    : norm1_(in), norm2_(out), conv1_(in, out), conv2_(out, out) {
  if (in != out) shortcut_.emplace(in, out);
}

at::Tensor ResidualBlock::operator()(at::Tensor x, Stream& stream) const {
  const at::Tensor h = norm_silu_conv(norm1_, conv1_, x, stream.conv1);
  if (shortcut_) x = (*shortcut_)(x);
  norm_silu_conv_onto(x, norm2_, conv2_, h, stream.conv2);
  return x;
}

void ResidualBlock::declare(nn::Declaration& d) {
  d.child("norm1", norm1_);
  d.child("conv1", conv1_);
  d.child("norm2", norm2_);
  d.child("conv2", conv2_);
  if (shortcut_) d.child("conv_shortcut", *shortcut_);
}

AttentionBlock::AttentionBlock(std::int64_t channels)
    : norm_(channels, /*trailing=*/2),
      to_qkv_(channels, 3 * channels, /*dims=*/2),
      proj_(channels, channels, /*dims=*/2) {}

at::Tensor AttentionBlock::operator()(at::Tensor x) const {
  const at::Tensor qkv = to_qkv_(norm_(x)).flatten(0, 1).flatten(1, 2).unsqueeze(2);  // [BF,HW,1,3C]
  const auto parts = qkv.chunk(3, -1);
  const at::Tensor mixed = kernels::attention(parts[0], parts[1], parts[2]);  // [BF,HW,C]
  return x.add_(proj_(mixed).view(x.sizes()));
}

void AttentionBlock::declare(nn::Declaration& d) {
  d.child("norm", norm_);
  d.child("to_qkv", to_qkv_);
  d.child("proj", proj_);
}

MidBlock::MidBlock(std::int64_t channels)
    : first_(channels, channels), second_(channels, channels), attention_(channels) {}

at::Tensor MidBlock::operator()(at::Tensor x, Stream& stream) const {
  x = first_(std::move(x), stream.first);
  x = attention_(std::move(x));
  return second_(std::move(x), stream.second);
}

void MidBlock::declare(nn::Declaration& d) {
  d.child("resnets.0", first_);
  d.child("attentions.0", attention_);
  d.child("resnets.1", second_);
}

}  // namespace rubato::wan_vae
