#include "engine/models/wan_vae/resample.h"

#include <torch/types.h>

#include "engine/base/check.h"

namespace rubato::wan_vae {
namespace {

// Weights of the 2 × 2 convolution that gives the four phases of "enlarge by two, then 3 × 3". weight [O,C,3,3] ->
// [4·O,C,2,2], phase (row, column) major. Along one axis, even results see source pixels (i-1, i) with weights
// (w0, w1 + w2), odd ones (i, i+1) with (w0 + w1, w2).
at::Tensor phase_weights(const at::Tensor& weight) {
  const auto along = [](const at::Tensor& w, std::int64_t dim) {
    const auto a = w.select(dim, 0), b = w.select(dim, 1), c = w.select(dim, 2);
    return std::array{at::stack({a, b + c}, dim), at::stack({a + b, c}, dim)};
  };
  std::vector<at::Tensor> phases;
  for (const auto& rows : along(weight, 2)) {
    for (const auto& both : along(rows, 3)) phases.push_back(both);
  }
  return at::cat(phases, 0);
}

}  // namespace

at::Tensor Downsample::operator()(const at::Tensor& x, Stream& stream) const {
  at::Tensor y = space_.packed(at::constant_pad_nd(x, {0, 0, 0, 1, 0, 1}));
  if (!in_time_) return y;
  const bool first = !stream.last.defined();
  const at::Tensor joined = first ? y : at::cat({stream.last, y}, 1);
  stream.last = y.narrow(1, y.size(1) - 1, 1).clone();
  RUBATO_CHECK(joined.size(1) % 2 == 1, "downsample: chunks must hold whole pairs of frames");
  if (joined.size(1) == 1) return y;
  at::Tensor pairs = time_.packed(joined);
  return first ? at::cat({y.narrow(1, 0, 1), pairs}, 1) : pairs;
}

void Downsample::declare(nn::Declaration& d) {
  d.parameter("resample.1.weight", space_.weight, {channels_, channels_, 3, 3});
  d.parameter("resample.1.bias", space_.bias, {channels_});
  if (!in_time_) return;
  d.parameter("time_conv.weight", time_.weight, {channels_, channels_, 3, 1, 1});
  d.parameter("time_conv.bias", time_.bias, {channels_});
}

void Downsample::loaded() {
  space_.packed = kernels::PackedConv(space_.weight.unsqueeze(2), space_.bias, {.stride = {1, 2, 2}});
  space_.weight = at::Tensor();
  if (!in_time_) return;
  time_.packed = kernels::PackedConv(time_.weight, time_.bias, {.stride = {2, 1, 1}});
  time_.weight = at::Tensor();
}

at::Tensor Upsample::operator()(const at::Tensor& x, Stream& stream) const {
  const std::int64_t passing = in_time_ && stream.started ? 0 : (in_time_ ? 1 : x.size(1));
  const std::int64_t doubled = x.size(1) - passing;
  at::Tensor y = at::empty({x.size(0), passing + 2 * doubled, 2 * x.size(2), 2 * x.size(3), out_}, x.options());
  if (passing > 0) enlarge_into(y.narrow(1, 0, passing), x.narrow(1, 0, passing).contiguous());
  stream.started = true;
  if (doubled == 0) return y;
  at::Tensor past = stream.past.defined() ? stream.past : at::zeros_like(x.narrow(1, 0, 1)).expand({-1, 2, -1, -1, -1});
  const at::Tensor input = at::cat({past, x.narrow(1, passing, doubled)}, 1);
  stream.past = input.narrow(1, doubled, 2).clone();
  const at::Tensor pairs = y.narrow(1, passing, 2 * doubled).unflatten(1, {doubled, 2});
  enlarge_into(pairs.select(2, 0), even_(input));
  enlarge_into(pairs.select(2, 1), odd_(input));
  return y;
}

// y [B,F,2H,2W,O] with any strides, x [B,F,H,W,C] contiguous.
void Upsample::enlarge_into(at::Tensor y, const at::Tensor& x) const {
  const std::int64_t height = x.size(2), width = x.size(3);
  const at::Tensor phases = phases_(x);  // [B,F,H+1,W+1,4·O]: phase (a,b) of pixel (h,w) at (h + a, w + b)
  const auto s = phases.strides();
  const at::Tensor source = phases.as_strided({x.size(0), x.size(1), height, 2, width, 2, out_},
                                              {s[0], s[1], s[2], s[2] + 2 * out_, s[3], s[3] + out_, 1});
  y.unflatten(3, {width, 2}).unflatten(2, {height, 2}).copy_(source);
}

void Upsample::declare(nn::Declaration& d) {
  // float32 until the sums of the phases are taken.
  d.parameter("resample.1.weight", space_weight_, {out_, in_, 3, 3}, nn::Precision::Full);
  d.parameter("resample.1.bias", space_bias_, {out_});
  if (!in_time_) return;
  d.parameter("time_conv.weight", time_weight_, {2 * in_, in_, 3, 1, 1});
  d.parameter("time_conv.bias", time_bias_, {2 * in_});
}

void Upsample::loaded() {
  const at::Tensor phases = phase_weights(space_weight_).to(space_bias_.scalar_type()).unsqueeze(2);
  phases_ = kernels::PackedConv(phases, space_bias_.repeat({4}), {.padding = {0, 1, 1}});
  space_weight_ = at::Tensor();
  if (!in_time_) return;
  even_ = kernels::PackedConv(time_weight_.narrow(0, 0, in_), time_bias_.narrow(0, 0, in_));
  odd_ = kernels::PackedConv(time_weight_.narrow(0, in_, in_), time_bias_.narrow(0, in_, in_));
  time_weight_ = at::Tensor();
}

at::Tensor average_down(const at::Tensor& x, std::int64_t time_factor, std::int64_t space_factor,
                        std::int64_t channels) {
  const std::int64_t missing = (time_factor - x.size(1) % time_factor) % time_factor;
  const at::Tensor whole = missing == 0 ? x : at::constant_pad_nd(x, {0, 0, 0, 0, 0, 0, missing, 0});
  // [B,F,t,H,i,W,j,C] -> [B,F,H,W,(C,t,i,j)]
  return whole.unflatten(3, {-1, space_factor})
      .unflatten(2, {-1, space_factor})
      .unflatten(1, {-1, time_factor})
      .permute({0, 1, 3, 5, 7, 2, 4, 6})
      .flatten(4)
      .unflatten(4, {channels, -1})
      .mean(-1);
}

void add_duplicated(at::Tensor& y, const at::Tensor& x, std::int64_t time_factor) {
  constexpr std::int64_t kSpace = 2;
  const std::int64_t channels = y.size(4), factor = time_factor * kSpace * kSpace;
  RUBATO_CHECK(channels * factor % x.size(4) == 0, "add_duplicated: ", x.size(4), " channels onto ", channels);
  const std::int64_t repeats = channels * factor / x.size(4);
  // [B,F,H,W,(C',t,i,j)] -> [B,F,t,H,i,W,j,C']: of the repeated channels only a view where whole axes repeat.
  const std::array<std::int64_t, 3> axes{time_factor, kSpace, kSpace};
  std::array<std::int64_t, 3> stored = axes;
  std::int64_t left = repeats;
  for (int axis = 2; axis >= 0 && left > 1; --axis) {
    const auto a = static_cast<std::size_t>(axis);
    if (left % axes[a] != 0) break;
    left /= axes[a];
    stored[a] = 1;
  }
  const bool is_view = left == 1;
  if (!is_view) stored = axes;
  const at::Tensor blocks = (is_view ? x : x.repeat_interleave(repeats, 4))
                                .unflatten(4, {channels, stored[0], stored[1], stored[2]})
                                .expand({-1, -1, -1, -1, -1, time_factor, kSpace, kSpace})
                                .permute({0, 1, 5, 2, 6, 3, 7, 4});
  const auto spread = [](const at::Tensor& frames) {  // [B,F,2H,2W,C'] -> [B,F,H,i,W,j,C']
    return frames.unflatten(3, {-1, kSpace}).unflatten(2, {-1, kSpace});
  };
  const std::int64_t whole = y.size(1) / time_factor;  // blocks with all their frames in y
  const std::int64_t lone = x.size(1) - whole;
  RUBATO_CHECK(lone >= 0 && lone + whole * time_factor == y.size(1), "add_duplicated: ", x.size(1), " frames onto ",
               y.size(1));
  if (lone > 0) spread(y.narrow(1, 0, lone)).add_(blocks.narrow(1, 0, lone).select(2, time_factor - 1));
  if (whole > 0) {
    spread(y.narrow(1, lone, whole * time_factor))
        .unflatten(1, {whole, time_factor})
        .add_(blocks.narrow(1, lone, whole));
  }
}

}  // namespace rubato::wan_vae
