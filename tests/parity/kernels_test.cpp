// The kernels' CPU path in the job's element types against its float64 run, and that run against the formulas.
#include <ATen/Parallel.h>
#include "engine/base/check.h"

#include "kernels/attention/attention.h"
#include "kernels/gemm/linear.h"
#include "kernels/norm/norm.h"
#include "kernels/rope/rope.h"
#include "tests/gpu/kernel_parity.h"

namespace rubato::kernels {
namespace {

class KernelsOnCpu : public testing::TestWithParam<at::ScalarType> {};

TEST_P(KernelsOnCpu, AgreeWithTheReference) {
  at::set_num_threads(1);  // small tensors
  at::manual_seed(7);
  for (const KernelCase& c : kernel_cases()) {
    if (c.use == KernelCase::Use::Parity) expect_parity(c, at::kCPU, GetParam());
  }
}

INSTANTIATE_TEST_SUITE_P(Types, KernelsOnCpu, testing::Values(at::kFloat, at::kBFloat16),
                         [](const auto& type) { return std::string(c10::toString(type.param)); });

// The formulas of the headers, element by element.
class KernelFormulas : public testing::Test {
 protected:
  static constexpr std::int64_t kTokens = 4, kWidth = 12;
  static constexpr double kEps = 1e-2;  // large, so that its place matters

  at::Tensor x = (at::manual_seed(3), at::randn({2, kTokens, kWidth}, at::kDouble) + 0.5);
  at::Tensor y = at::randn({2, kTokens, kWidth}, at::kDouble);
  at::Tensor a = at::randn({kWidth}, at::kDouble), b = at::randn({kWidth}, at::kDouble);

  static void expect_close(const at::Tensor& got, const at::Tensor& want) {
    ASSERT_EQ(got.sizes(), want.sizes());
    EXPECT_LT((got - want).abs().max().item<double>(), 1e-12);
  }

  static at::Tensor layer_normed(const at::Tensor& t) {
    at::Tensor out = at::empty_like(t);
    for (std::int64_t i = 0; i < t.size(0); ++i)
      for (std::int64_t s = 0; s < t.size(1); ++s) {
        const double* row = t[i][s].const_data_ptr<double>();
        double mean = 0, variance = 0;
        for (int c = 0; c < kWidth; ++c) mean += row[c] / kWidth;
        for (int c = 0; c < kWidth; ++c) variance += (row[c] - mean) * (row[c] - mean) / kWidth;
        for (int c = 0; c < kWidth; ++c) out[i][s][c] = (row[c] - mean) / std::sqrt(variance + kEps);
      }
    return out;
  }
};

TEST_F(KernelFormulas, LayerNormWithWeightOrModulation) {
  expect_close(layer_norm_affine(x, a, b, kEps), layer_normed(x) * a + b);
  const at::Tensor shift = at::randn({2, 1, kWidth}, at::kDouble), scale = at::randn({2, 1, kWidth}, at::kDouble);
  expect_close(layer_norm_modulated(x, shift, scale, kEps), layer_normed(x) * (scale + 1) + shift);
  const at::Tensor one_shift = shift.narrow(0, 0, 1), one_scale = scale.narrow(0, 0, 1);
  expect_close(layer_norm_modulated(x, one_shift, one_scale, kEps), layer_normed(x) * (one_scale + 1) + one_shift);
}

TEST_F(KernelFormulas, ModulationPerGroupOfTokens) {
  const at::Tensor shift = at::randn({2, 2, kWidth}, at::kDouble), scale = at::randn({2, 2, kWidth}, at::kDouble);
  const at::Tensor per_token_shift = shift.repeat_interleave(2, 1), per_token_scale = scale.repeat_interleave(2, 1);
  expect_close(layer_norm_modulated(x, shift, scale, kEps), layer_normed(x) * (per_token_scale + 1) + per_token_shift);
  expect_close(gated_residual(x, y, scale), x + y * per_token_scale);
}

TEST_F(KernelFormulas, ResidualThenNorm) {
  const at::Tensor gate = at::randn({2, 1, kWidth}, at::kDouble);
  const auto gated = residual_norm_affine(x, y, gate, a, b, kEps);
  expect_close(gated.x, x + y * gate);
  expect_close(gated.n, layer_normed(x + y * gate) * a + b);
  const auto plain = residual_norm_modulated(x, y, {}, gate, gate, kEps);
  expect_close(plain.x, x + y);
  expect_close(plain.n, layer_normed(x + y) * (gate + 1) + gate);
}

TEST_F(KernelFormulas, RmsNormThenRotationOfPairs) {
  constexpr int kHeads = 2, kPairs = 3;
  const at::Tensor angle = at::randn({kTokens, kPairs}, at::kDouble);
  const at::Tensor got = rms_norm_rope(x, a, kEps, angle.cos(), angle.sin(), kHeads);
  const at::Tensor n = x * (x.square().mean(-1, true) + kEps).rsqrt() * a;
  expect_close(rms_norm(x, a, kEps), n);
  ASSERT_EQ(got.sizes(), (std::vector<std::int64_t>{2, kTokens, kHeads, 2 * kPairs}));
  for (int s = 0; s < kTokens; ++s)
    for (int h = 0; h < kHeads; ++h)
      for (int i = 0; i < kPairs; ++i) {
        const double even = n[1][s][h * 6 + 2 * i].item<double>(), odd = n[1][s][h * 6 + 2 * i + 1].item<double>();
        const double t = angle[s][i].item<double>();
        EXPECT_NEAR(got[1][s][h][2 * i].item<double>(), even * std::cos(t) - odd * std::sin(t), 1e-12);
        EXPECT_NEAR(got[1][s][h][2 * i + 1].item<double>(), even * std::sin(t) + odd * std::cos(t), 1e-12);
      }
}

TEST_F(KernelFormulas, ChannelNormAndSilu) {
  const at::Tensor pixels = at::randn({1, 6, 2, 3, 4}, at::kDouble), gamma = at::randn({6, 1, 1, 1}, at::kDouble);
  const at::Tensor length = pixels.square().sum(1, true).sqrt();
  const at::Tensor normed = pixels / length * std::sqrt(6.0) * gamma;
  expect_close(channel_norm(pixels, gamma), normed);
  expect_close(channel_norm_silu(pixels, gamma), normed / (1 + (-normed).exp()));
  expect_close(channel_norm(at::zeros_like(pixels), gamma), at::zeros_like(pixels));
}

TEST_F(KernelFormulas, AttentionWithScaleAndBias) {
  const at::Tensor q = at::randn({2, 5, 3, 8}, at::kDouble), k = at::randn({2, 7, 3, 8}, at::kDouble),
                   v = at::randn({2, 7, 3, 8}, at::kDouble), bias = at::randn({1, 3, 5, 7}, at::kDouble);
  const auto want = [&](double scale, const at::Tensor& add) {
    const at::Tensor scores = at::einsum("bshd,bthd->bhst", {q, k}) * scale + add;
    return at::einsum("bhst,bthd->bshd", {scores.softmax(-1), v}).flatten(2);
  };
  expect_close(attention(q, k, v), want(1 / std::sqrt(8.0), at::zeros({1}, at::kDouble)));
  expect_close(attention(q, k, v, {.scale = 1.0, .bias = bias}), want(1.0, bias));
}

// n equal keys are one key with log n added to its score.
TEST_F(KernelFormulas, EqualKeysAreOneKeyCounted) {
  const at::Tensor q = at::randn({2, 5, 3, 8}, at::kDouble), k = at::randn({2, 4, 3, 8}, at::kDouble),
                   v = at::randn({2, 4, 3, 8}, at::kDouble);
  const at::Tensor count = at::tensor({1, 2, 1, 5});
  const at::Tensor want = attention(q, k.repeat_interleave(count, 1), v.repeat_interleave(count, 1));
  expect_close(attention(q, k, v, {.bias = count.to(at::kDouble).log()}), want);
}

TEST_F(KernelFormulas, LinearAndGelu) {
  const at::Tensor w = at::randn({5, kWidth}, at::kDouble), c = at::randn({5}, at::kDouble);
  const at::Tensor t = at::einsum("bsk,nk->bsn", {x, w}) + c;
  expect_close(linear(x, w, c), t);
  expect_close(linear(x, w, at::Tensor()), t - c);
  const at::Tensor inner = std::sqrt(2 / M_PI) * (t + 0.044715 * t.pow(3));
  expect_close(linear_gelu_tanh(x, w, c), 0.5 * t * (1 + inner.tanh()));
}

TEST_F(KernelFormulas, MisfittingShapesAreRefused) {
  EXPECT_THROW((void)rms_norm(x, a.narrow(0, 0, 5), kEps), InternalError);
  EXPECT_THROW((void)layer_norm_modulated(x, at::zeros({2, 3, kWidth}, at::kDouble),
                                          at::zeros({2, 3, kWidth}, at::kDouble), kEps),
               InternalError);
  EXPECT_THROW((void)gated_residual(x, y.narrow(1, 0, 2), at::zeros({2, 1, kWidth}, at::kDouble)), InternalError);
  EXPECT_THROW(
      (void)rms_norm_rope(x, a, kEps, at::zeros({kTokens, 3}, at::kDouble), at::zeros({kTokens, 2}, at::kDouble), 2),
      InternalError);
}

}  // namespace
}  // namespace rubato::kernels
