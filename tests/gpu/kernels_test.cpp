// Every kernel on a CUDA device against the float64 CPU run, in every element type.
#include "kernels/norm/norm.h"
#include "tests/gpu/kernel_parity.h"

namespace rubato::kernels {
namespace {

class KernelsOnCuda : public testing::TestWithParam<at::ScalarType> {
 protected:
  void SetUp() override {
    if (const auto cuda = load_cuda(); !cuda.ok()) GTEST_SKIP() << cuda.error().message;
    at::manual_seed(7);
  }
};

TEST_P(KernelsOnCuda, AgreeWithTheReference) {
  for (const KernelCase& c : kernel_cases()) {
    if (c.use == KernelCase::Use::Parity) expect_parity(c, at::Device(at::kCUDA, 0), GetParam());
  }
}

// Offsets past 2^31 elements, in a tensor of 4.6 GB.
TEST_P(KernelsOnCuda, ReachPastTwoToTheThirtyOneElements) {
  if (GetParam() == at::kFloat) GTEST_SKIP() << "one 16-bit type is enough";
  constexpr std::int64_t kTokens = 1'500'000, kWidth = 1536;
  const auto options = at::TensorOptions(at::Device(at::kCUDA, 0)).dtype(GetParam());
  if (cuda_devices().front().free_bytes < (std::uint64_t{20} << 30)) GTEST_SKIP() << "needs 20 GB of device memory";
  const at::Tensor x = at::randn({1, kTokens, kWidth}, options);
  const at::Tensor weight = at::randn({kWidth}, options);
  const at::Tensor tail = x.narrow(1, kTokens - 3, 3);
  const at::Tensor got = rms_norm(x, weight, 1e-6).narrow(1, kTokens - 3, 3);
  EXPECT_TRUE(at::equal(got, rms_norm(tail, weight, 1e-6)));
}

// The sum is rounded before it is normed, so fused and separate calls give the same bits.
TEST_P(KernelsOnCuda, FusedResidualNormEqualsItsParts) {
  const auto options = at::TensorOptions(at::Device(at::kCUDA, 0)).dtype(GetParam());
  const at::Tensor x = at::randn({1, 100, 1536}, options), y = at::randn({1, 100, 1536}, options);
  const at::Tensor modulation = at::randn({3, 1, 1, 1536}, options.dtype(at::kFloat));
  const auto fused = residual_norm_modulated(x, y, modulation[0], modulation[1], modulation[2], 1e-6);
  const at::Tensor sum = gated_residual(x, y, modulation[0]);
  EXPECT_TRUE(at::equal(fused.x, sum));
  EXPECT_TRUE(at::equal(fused.n, layer_norm_modulated(sum, modulation[1], modulation[2], 1e-6)));
}

INSTANTIATE_TEST_SUITE_P(Types, KernelsOnCuda, testing::Values(at::kFloat, at::kBFloat16, at::kHalf),
                         [](const auto& type) { return std::string(c10::toString(type.param)); });

}  // namespace
}  // namespace rubato::kernels
