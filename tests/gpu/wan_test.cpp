// The practice model's parts on a CUDA device against the CPU in float32.
#include <gtest/gtest.h>
#include <torch/types.h>

#include <filesystem>

#include "engine/models/wan/transformer.h"
#include "engine/models/wan_vae/vae.h"
#include "kernels/device.h"

namespace rubato {
namespace {

const at::Device kCuda(at::kCUDA, 0);

// The tree may lie elsewhere than where it was built: on a GPU host the tests run in its root.
std::filesystem::path practice_model() {
  const std::filesystem::path built = std::filesystem::path(RUBATO_RESOURCES) / "practice/video";
  return std::filesystem::exists(built) ? built : "resources/practice/video";
}

class WanOnCuda : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto cuda = load_cuda(); !cuda.ok()) GTEST_SKIP() << cuda.error().message;
    at::manual_seed(11);
  }
  // ‖got − want‖ / ‖want‖
  static double error(const at::Tensor& got, const at::Tensor& want) {
    const at::Tensor wide = want.to(at::kCPU, at::kDouble);
    return ((got.to(at::kCPU, at::kDouble) - wide).norm() / wide.norm()).item<double>();
  }
  static constexpr double kFloat32 = 2e-5, kBFloat16 = 2e-2;
};

TEST_F(WanOnCuda, TransformerAgreesWithTheCpu) {
  const at::Tensor latent = at::randn({1, 8, 5, 16, 16}), prompt = at::randn({2, 32, 192});
  const auto velocity = [&](at::Device device, at::ScalarType dtype) {
    const auto model = wan::Transformer::load_folder(practice_model() / "transformer", device, dtype);
    EXPECT_TRUE(model.ok()) << (model.ok() ? "" : model.error().message);
    return model.value()->forward(latent.to(device), at::tensor({500.0F}).to(device), prompt.to(device));
  };
  const at::Tensor want = velocity(at::kCPU, at::kFloat);
  EXPECT_LT(error(velocity(kCuda, at::kFloat), want), kFloat32);
  EXPECT_LT(error(velocity(kCuda, at::kBFloat16), want), kBFloat16);
}

// Padding is one key that counts for all of it; without that, cross-attention would see other weights.
TEST_F(WanOnCuda, PaddedPromptsAgreeWithTheCpu) {
  const at::Tensor latent = at::randn({1, 8, 3, 16, 16}), time = at::tensor({500.0F});
  at::Tensor prompts = at::randn({2, 512, 192});
  prompts[0].slice(0, 5).zero_();
  prompts[1].slice(0, 40).zero_();
  const auto velocity = [&](at::Device device, at::ScalarType dtype) {
    const auto model = wan::Transformer::load_folder(practice_model() / "transformer", device, dtype);
    EXPECT_TRUE(model.ok()) << (model.ok() ? "" : model.error().message);
    return model.value()->forward(latent.to(device), time.to(device), prompts.to(device));
  };
  const at::Tensor want = velocity(at::kCPU, at::kFloat);
  EXPECT_LT(error(velocity(kCuda, at::kFloat), want), kFloat32);
  EXPECT_LT(error(velocity(kCuda, at::kBFloat16), want), kBFloat16);
}

TEST_F(WanOnCuda, BothBranchesInOneCallAgreeWithTwoCalls) {
  const auto model = wan::Transformer::load_folder(practice_model() / "transformer", kCuda, at::kBFloat16);
  ASSERT_TRUE(model.ok()) << model.error().message;
  const at::Tensor latent = at::randn({1, 8, 5, 16, 16}).to(kCuda), time = at::tensor({500.0F}).to(kCuda);
  const at::Tensor prompts = at::randn({2, 32, 192}).to(kCuda);
  const at::Tensor joined = model.value()->forward(latent, time, prompts);
  for (std::int64_t i = 0; i < 2; ++i) {
    const at::Tensor alone = model.value()->forward(latent, time, prompts.narrow(0, i, 1));
    EXPECT_LT(error(joined.narrow(0, i, 1), alone), 1e-2);  // other tiles, other order of sums
  }
}

TEST_F(WanOnCuda, VideoCodecAgreesWithTheCpu) {
  const at::Tensor latents = at::randn({1, 8, 3, 8, 12});
  const auto decoded = [&](at::Device device, at::ScalarType dtype) {
    const auto vae = AutoencoderKLWan::load(practice_model() / "vae", device, dtype);
    EXPECT_TRUE(vae.ok()) << (vae.ok() ? "" : vae.error().message);
    std::vector<at::Tensor> frames;
    vae.value()->decode(vae.value()->denormalise(latents), [&](const at::Tensor& f) { frames.push_back(f.cpu()); });
    return at::cat(frames, 2);
  };
  const at::Tensor want = decoded(at::kCPU, at::kFloat);
  ASSERT_EQ(want.size(2), 9);
  EXPECT_LT(error(decoded(kCuda, at::kFloat), want), 1e-4);
  EXPECT_LT(error(decoded(kCuda, at::kBFloat16), want), 5e-2);

  const at::Tensor video = at::rand({1, 3, 5, 64, 96}) * 2 - 1;
  const auto encoded = [&](at::Device device, at::ScalarType dtype) {
    return AutoencoderKLWan::load(practice_model() / "vae", device, dtype).value()->encode(video.to(device));
  };
  EXPECT_LT(error(encoded(kCuda, at::kFloat), encoded(at::kCPU, at::kFloat)), 1e-4);
}

}  // namespace
}  // namespace rubato
