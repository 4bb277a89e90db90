#include "engine/models/wan_vae/layers.h"

#include <torch/types.h>

#include "kernels/norm/norm.h"

namespace rubato::wan_vae {

at::Tensor ChannelNorm::operator()(const at::Tensor& x) const {
  return kernels::channel_norm(x.permute({0, 4, 1, 2, 3}), gamma).permute({0, 2, 3, 4, 1});
}

void ChannelNorm::silu_into(at::Tensor y, const at::Tensor& x) const {
  at::Tensor channels_second = y.permute({0, 4, 1, 2, 3});
  kernels::channel_norm_silu_into(channels_second, x.permute({0, 4, 1, 2, 3}), gamma);
}

void ChannelNorm::declare(nn::Declaration& d) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(1 + trailing_), 1);
  shape[0] = channels_;
  d.parameter("gamma", gamma, std::move(shape), nn::Precision::Full);
}

at::Tensor CausalConv::input_for(const at::Tensor& x, const History& history) const {
  const std::int64_t lead = kernel_[0] - 1;
  at::Tensor input = at::empty({x.size(0), lead + x.size(1), x.size(2), x.size(3), x.size(4)}, x.options());
  at::Tensor before = input.narrow(1, 0, lead);
  if (history.frames.defined()) {
    before.copy_(history.frames);
  } else {
    before.zero_();
  }
  return input;
}

void CausalConv::remember(const at::Tensor& input, History& history) const {
  const std::int64_t lead = kernel_[0] - 1;
  // A copy: a view would keep the whole input alive until the next chunk.
  history.frames = input.narrow(1, input.size(1) - lead, lead).clone();
}

at::Tensor CausalConv::run(const at::Tensor& input, History& history) const {
  remember(input, history);
  return conv_(input);
}

void CausalConv::run_onto(at::Tensor& sum, const at::Tensor& input, History& history) const {
  remember(input, history);
  conv_.add_to(sum, input);
}

at::Tensor CausalConv::operator()(const at::Tensor& x, History& history) const {
  at::Tensor input = input_for(x, history);
  input.narrow(1, kernel_[0] - 1, x.size(1)).copy_(x);
  return run(input, history);
}

void CausalConv::declare(nn::Declaration& d) {
  d.parameter("weight", weight_, {out_, in_, kernel_[0], kernel_[1], kernel_[2]});
  d.parameter("bias", bias_, {out_});
}

void CausalConv::loaded() {
  conv_ = kernels::PackedConv(weight_, bias_, {.padding = {0, kernel_[1] / 2, kernel_[2] / 2}});
  weight_ = at::Tensor();
  bias_ = at::Tensor();
}

namespace {
at::Tensor activated_input(const ChannelNorm& norm, const CausalConv& conv, const at::Tensor& x,
                           const History& history) {
  at::Tensor input = conv.input_for(x, history);
  norm.silu_into(input.narrow(1, input.size(1) - x.size(1), x.size(1)), x);
  return input;
}
}  // namespace

at::Tensor norm_silu_conv(const ChannelNorm& norm, const CausalConv& conv, const at::Tensor& x, History& history) {
  return conv.run(activated_input(norm, conv, x, history), history);
}

void norm_silu_conv_onto(at::Tensor& sum, const ChannelNorm& norm, const CausalConv& conv, const at::Tensor& x,
                         History& history) {
  conv.run_onto(sum, activated_input(norm, conv, x, history), history);
}

at::Tensor Pointwise::operator()(const at::Tensor& x) const { return at::linear(x, weight_, bias_); }

void Pointwise::declare(nn::Declaration& d) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(2 + dims_), 1);
  shape[0] = out_;
  shape[1] = in_;
  d.parameter("weight", weight_, std::move(shape));
  d.parameter("bias", bias_, {out_});
}

void Pointwise::loaded() { weight_ = weight_.view({out_, in_}); }

}  // namespace rubato::wan_vae
