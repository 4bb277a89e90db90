// Packed channels-last convolutions against libtorch's own in float64, and the fused norm that writes into their input.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <array>
#include <string>

#include "engine/base/check.h"
#include "kernels/conv/conv.h"
#include "kernels/norm/norm.h"

namespace rubato::kernels {
namespace {

struct Case {
  std::array<std::int64_t, 3> kernel;
  ConvSteps steps;
  std::int64_t in, out;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.in << "->" << c.out << " kernel " << c.kernel[0] << c.kernel[1] << c.kernel[2] << " stride "
       << c.steps.stride[0] << c.steps.stride[1] << c.steps.stride[2];
}

at::Tensor channels_second(const at::Tensor& x) { return x.permute({0, 4, 1, 2, 3}); }
at::Tensor channels_last(const at::Tensor& x) { return x.permute({0, 2, 3, 4, 1}); }

double worst(const at::Tensor& got, const at::Tensor& want) {
  EXPECT_EQ(got.sizes(), want.sizes());
  return ((got.to(at::kDouble) - want).abs().max() / want.abs().max()).item<double>();
}

class PackedConvolution : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    at::set_num_threads(1);
    at::manual_seed(3);
  }
};

TEST_P(PackedConvolution, EqualsTheLibrarysInFloat64) {
  const auto& c = GetParam();
  const at::Tensor weight = at::randn({c.out, c.in, c.kernel[0], c.kernel[1], c.kernel[2]});
  const at::Tensor bias = at::randn({c.out});
  const PackedConv conv(weight, bias, c.steps);
  // One packing serves every size.
  for (const auto& size : {std::array<std::int64_t, 4>{1, 5, 7, 9}, {2, 3, 4, 6}, {1, 9, 16, 16}}) {
    const at::Tensor x = at::randn({size[0], size[1], size[2], size[3], c.in});
    const at::Tensor want = channels_last(at::conv3d(channels_second(x.to(at::kDouble)), weight.to(at::kDouble),
                                                     bias.to(at::kDouble), c.steps.stride, c.steps.padding));
    const at::Tensor y = conv(x);
    EXPECT_TRUE(y.is_contiguous());
    EXPECT_LT(worst(y, want), 2e-6);
    const at::Tensor residual = at::randn_like(y);
    at::Tensor sum = residual.clone();
    conv.add_to(sum, x);
    EXPECT_LT(worst(sum, want + residual.to(at::kDouble)), 2e-6);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, PackedConvolution,
                         testing::Values(Case{{3, 3, 3}, {.padding = {0, 1, 1}}, 24, 24},
                                         Case{{3, 3, 3}, {.padding = {0, 1, 1}}, 3, 5},
                                         Case{{1, 3, 3}, {.stride = {1, 2, 2}}, 16, 16},
                                         Case{{3, 1, 1}, {.stride = {2, 1, 1}}, 8, 8},
                                         Case{{1, 2, 2}, {.padding = {0, 1, 1}}, 48, 96}, Case{{1, 1, 1}, {}, 1, 1}));

TEST(PackedConvolution, RefusesWhatDoesNotFit) {
  const PackedConv conv(at::randn({4, 3, 1, 1, 1}), at::randn({4}));
  EXPECT_THROW(conv(at::randn({1, 2, 2, 2, 4})), InternalError);                        // channels
  EXPECT_THROW(conv(at::randn({1, 2, 2, 3, 2}).transpose(3, 4)), InternalError);        // strides
  EXPECT_THROW(PackedConv(at::randn({4, 3, 1, 1, 1}), at::randn({3})), InternalError);  // bias
}

TEST(ChannelNorm, WritesIntoFramesOfALargerTensor) {
  for (const std::int64_t channels : {1, 3, 16, 24, 40}) {
    const at::Tensor x = at::randn({2, 3, 5, 4, channels}), gamma = at::randn({channels, 1, 1, 1});
    at::Tensor whole = at::full({2, 5, 5, 4, channels}, 7.0);
    at::Tensor frames = channels_second(whole.narrow(1, 2, 3));
    channel_norm_silu_into(frames, channels_second(x), gamma);
    const at::Tensor wide = x.to(at::kDouble);
    const at::Tensor norm = at::linalg_vector_norm(wide, 2, {-1}, /*keepdim=*/true).clamp_min(1e-12);
    const at::Tensor want =
        at::silu(wide / norm * std::sqrt(static_cast<double>(channels)) * gamma.flatten().to(at::kDouble));
    EXPECT_LT(worst(whole.narrow(1, 2, 3), want), 1e-6) << channels << " channels";
    EXPECT_TRUE(whole.narrow(1, 0, 2).eq(7).all().item<bool>()) << "the history was touched";
  }
}

TEST(ChannelNorm, KeepsZerosAndLargeValuesFinite) {
  const at::Tensor x = at::zeros({1, 16, 1, 1, 4}).contiguous(at::MemoryFormat::ChannelsLast3d);
  x.select(4, 1).fill_(1e18);
  x.select(4, 2).fill_(-1e18);
  x.select(4, 3).fill_(-40).select(1, 0).fill_(1e-20);
  const at::Tensor y = channel_norm_silu(x, at::full({16}, 100.0));
  EXPECT_TRUE(y.isfinite().all().item<bool>());
  EXPECT_TRUE(y.select(4, 0).eq(0).all().item<bool>());
  EXPECT_NEAR(y.select(4, 1).max().item<double>(), 100, 1e-4);
  EXPECT_NEAR(y.select(4, 2).abs().max().item<double>(), 0, 1e-30);
}

TEST(ChannelNorm, ShowsNaN) {
  at::Tensor x = at::ones({1, 8, 1, 2, 2}).contiguous(at::MemoryFormat::ChannelsLast3d);
  x.select(4, 0).select(3, 0).select(1, 2).fill_(std::nan(""));
  const at::Tensor y = channel_norm_silu(x, at::ones({8}));
  EXPECT_TRUE(y.select(4, 0).select(3, 0).isnan().all().item<bool>());
  EXPECT_FALSE(y.select(4, 1).isnan().any().item<bool>());
}

}  // namespace
}  // namespace rubato::kernels
