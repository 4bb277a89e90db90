// AutoencoderKLWan against diffusers: tiny random checkpoints of every layout (make_wan_vae.py) and the practice
// model's own weights, float32 on the CPU.
#include <ATen/Parallel.h>

#include <memory>
#include <utility>

#include "engine/models/wan_vae/encoder.h"
#include "engine/models/wan_vae/vae.h"
#include "tests/parity/golden.h"

namespace rubato {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<AutoencoderKLWan> loaded(const fs::path& folder, at::ScalarType dtype = at::kFloat) {
  auto vae = AutoencoderKLWan::load(folder, at::kCPU, dtype);
  if (!vae.ok()) throw std::runtime_error(vae.error().message);
  return std::move(vae).value();
}

at::Tensor decoded(const AutoencoderKLWan& vae, const at::Tensor& latent, const DecodeOptions& options = {}) {
  std::vector<at::Tensor> chunks;
  vae.decode(
      latent, [&](const at::Tensor& frames) { chunks.push_back(frames.clone()); }, options);
  return at::cat(chunks, 2);
}

class WanVaeParity : public testing::TestWithParam<fs::path> {
 protected:
  void SetUp() override {
    at::set_num_threads(1);  // tiny tensors: more threads only wait for each other
    reference_ = golden(GetParam() / "reference.safetensors");
    while (reference_.contains("video." + std::to_string(clips_))) ++clips_;
    ASSERT_GE(clips_, 2);
  }
  const at::Tensor& reference(const std::string& what, int clip) const {
    return reference_.at(what + "." + std::to_string(clip));
  }

  Tensors reference_;
  int clips_ = 0;
};

TEST_P(WanVaeParity, EncodesAndDecodesLikeTheReference) {
  const auto vae = loaded(GetParam());
  for (int clip = 0; clip < clips_; ++clip) {
    const std::string suffix = "_" + std::to_string(clip);
    expect_close(vae->encode(reference("video", clip)), reference("mean", clip), "mean" + suffix, 5e-6);
    expect_close(decoded(*vae, reference("latent", clip)), reference("frames", clip), "frames" + suffix, 2e-5);
  }
}

TEST_P(WanVaeParity, StreamedEqualsWholeClip) {
  const auto vae = loaded(GetParam());
  for (int clip = 0; clip < clips_; ++clip) {
    const at::Tensor& latent = reference("latent", clip);
    const at::Tensor whole = decoded(*vae, latent, {.latents_at_a_time = latent.size(2)});
    for (const std::int64_t chunk : {1, 2, 3}) {
      expect_close(decoded(*vae, latent, {.latents_at_a_time = chunk}), whole,
                   "clip" + std::to_string(clip) + "_by" + std::to_string(chunk), 1e-5);
    }
  }
}

TEST_P(WanVaeParity, EncoderStreamedEqualsWholeClip) {
  const auto vae = loaded(GetParam());
  wan_vae::Encoder encoder(vae->config());
  const auto weights = StateDict::open(GetParam());
  ASSERT_TRUE(weights.ok());
  ASSERT_TRUE(encoder.load(weights.value().sub("encoder."), {}).ok());
  const std::int64_t ratio = vae->config().temporal_ratio(), channels = vae->config().pixel_channels();
  const at::Tensor clip = at::randn({1, 1 + 4 * ratio, 16, 24, channels});
  auto whole_stream = encoder.start(), stream = encoder.start();
  const at::Tensor whole = encoder(clip, whole_stream);
  std::vector<at::Tensor> parts{encoder(clip.narrow(1, 0, 1), stream)};
  for (const std::int64_t pairs : {1, 3}) {  // latent frames of one chunk
    const std::int64_t first = pairs == 1 ? 1 : 1 + ratio;
    parts.push_back(encoder(clip.narrow(1, first, pairs * ratio), stream));
  }
  expect_close(at::cat(parts, 1), whole, "encoder", 1e-5);
}

TEST_P(WanVaeParity, BfloatErrsNoMoreThanTheReferenceInBfloat) {
  const auto vae = loaded(GetParam(), at::kBFloat16);
  double ours = 0, theirs = 0;  // mean squares over all clips: one small clip's error is a matter of luck
  for (int clip = 0; clip < clips_; ++clip) {
    const at::Tensor frames = decoded(*vae, reference("latent", clip)), &want = reference("frames", clip);
    ASSERT_EQ(frames.scalar_type(), at::kBFloat16);
    ours += ((frames.to(at::kFloat) - want).square().mean() / want.square().mean()).item<double>();
    theirs += reference("bfloat16_rms", clip).square().item<double>();
  }
  RecordProperty("bfloat16_error_over_the_references", std::to_string(std::sqrt(ours / theirs)));
  EXPECT_LT(std::sqrt(ours), 1.1 * std::sqrt(theirs));
}

INSTANTIATE_TEST_SUITE_P(Layouts, WanVaeParity, testing::ValuesIn(golden_folders("wan_vae_")), folder_name);

TEST(WanVaePractice, MatchesTheReferencePair) {
  at::set_num_threads(1);
  const auto vae = loaded(fs::path(RUBATO_RESOURCES) / "practice/video/vae");
  const auto pair = golden(fs::path(RUBATO_TEST_DATA) / "practice_video/vae.safetensors");
  const at::Tensor mean = pair.at("latent_mean").unsqueeze(0);
  expect_close(vae->encode(pair.at("video").unsqueeze(0)), mean, "mean", 5e-6);
  // The reference frames are stored in float16, which is what limits the comparison.
  expect_close(decoded(*vae, mean), pair.at("decoded").unsqueeze(0), "frames", 5e-4);
  expect_close(vae->denormalise(vae->normalise(mean)), mean, "round_trip", 1e-6);
}

}  // namespace
}  // namespace rubato
