// AutoencoderKLWan against diffusers: tiny random checkpoints of every layout (make_wan_vae.py) and the practice
// model's own weights, float32 on the CPU.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/models/wan_vae/vae.h"
#include "engine/tensor/state_dict.h"

namespace rubato {
namespace {

namespace fs = std::filesystem;
using Tensors = std::map<std::string, at::Tensor>;

// Where the cases lie; another folder made with other seeds can be named by the environment.
fs::path cases() {
  const char* other = std::getenv("RUBATO_WAN_VAE_CASES");
  return other != nullptr ? fs::path(other) : fs::path(RUBATO_TEST_DATA) / "wan_vae";
}

Tensors tensors(const fs::path& file) {
  auto read = read_tensors(file);
  if (!read.ok()) throw std::runtime_error(read.error().message);
  return std::move(read).value();
}

std::unique_ptr<AutoencoderKLWan> loaded(const fs::path& folder, at::ScalarType dtype = at::kFloat) {
  auto vae = AutoencoderKLWan::load(folder, at::kCPU, dtype);
  if (!vae.ok()) throw std::runtime_error(vae.error().message);
  return std::move(vae).value();
}

at::Tensor decoded(const AutoencoderKLWan& vae, const at::Tensor& latent, const DecodeOptions& options = {}) {
  std::vector<at::Tensor> chunks;
  vae.decode(latent, [&](const at::Tensor& frames) { chunks.push_back(frames.clone()); }, options);
  return at::cat(chunks, 2);
}

// Largest difference over the reference's largest value.
double difference(const at::Tensor& got, const at::Tensor& want) {
  EXPECT_EQ(got.sizes(), want.sizes());
  return ((got.to(at::kFloat) - want.to(at::kFloat)).abs().max() / want.abs().max()).item<double>();
}

class WanVaeParity : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { at::set_num_threads(1); }  // tiny tensors: more threads only wait for each other
  fs::path folder_ = cases() / GetParam();
};

TEST_P(WanVaeParity, EncodesAndDecodesLikeTheReference) {
  const auto vae = loaded(folder_);
  const auto reference = tensors(folder_ / "reference.safetensors");
  int clips = 0;
  for (; reference.contains("video." + std::to_string(clips)); ++clips) {
    const std::string i = std::to_string(clips);
    SCOPED_TRACE(std::string(GetParam()) + ", clip " + i);
    const double mean = difference(vae->encode(reference.at("video." + i)), reference.at("mean." + i));
    const double frames = difference(decoded(*vae, reference.at("latent." + i)), reference.at("frames." + i));
    RecordProperty("mean_" + i, std::to_string(mean));
    RecordProperty("frames_" + i, std::to_string(frames));
    EXPECT_LT(mean, 5e-6);
    EXPECT_LT(frames, 2e-5);
  }
  EXPECT_GE(clips, 2);
}

TEST_P(WanVaeParity, StreamedEqualsWholeClip) {
  const auto vae = loaded(folder_);
  const auto reference = tensors(folder_ / "reference.safetensors");
  for (int clip = 0; reference.contains("latent." + std::to_string(clip)); ++clip) {
    const at::Tensor latent = reference.at("latent." + std::to_string(clip));
    const at::Tensor whole = decoded(*vae, latent, {.latents_at_a_time = latent.size(2)});
    for (const std::int64_t chunk : {1, 2, 3}) {
      EXPECT_LT(difference(decoded(*vae, latent, {.latents_at_a_time = chunk}), whole), 1e-5) << "chunks of " << chunk;
    }
  }
}

TEST_P(WanVaeParity, BfloatErrsNoMoreThanTheReferenceInBfloat) {
  const auto reference = tensors(folder_ / "reference.safetensors");
  const auto vae = loaded(folder_, at::kBFloat16);
  double ours = 0, theirs = 0;  // mean squares over all clips: one small clip's error is a matter of luck
  for (int clip = 0; reference.contains("frames." + std::to_string(clip)); ++clip) {
    const std::string i = std::to_string(clip);
    const at::Tensor frames = decoded(*vae, reference.at("latent." + i)), want = reference.at("frames." + i);
    ASSERT_EQ(frames.scalar_type(), at::kBFloat16);
    ours += ((frames.to(at::kFloat) - want).square().mean() / want.square().mean()).item<double>();
    theirs += reference.at("bfloat16_rms." + i).square().item<double>();
  }
  RecordProperty("bfloat16_rms_over_reference", std::to_string(std::sqrt(ours / theirs)));
  EXPECT_LT(std::sqrt(ours), 1.1 * std::sqrt(theirs));
}

INSTANTIATE_TEST_SUITE_P(Layouts, WanVaeParity, testing::Values("wan21", "folded", "wan22", "bulging"),
                         [](const auto& layout) { return std::string(layout.param); });

TEST(WanVaePractice, MatchesTheReferencePair) {
  at::set_num_threads(1);
  const auto vae = loaded(fs::path(RUBATO_RESOURCES) / "practice/video/vae");
  const auto pair = tensors(fs::path(RUBATO_TEST_DATA) / "practice_video/vae.safetensors");
  const at::Tensor want = pair.at("latent_mean").unsqueeze(0);
  EXPECT_LT(difference(vae->encode(pair.at("video").unsqueeze(0)), want), 1e-5);
  // The reference frames are stored in float16, which is what limits the comparison.
  EXPECT_LT(difference(decoded(*vae, want), pair.at("decoded").unsqueeze(0)), 1e-3);
  EXPECT_LT((vae->denormalise(vae->normalise(want)) - want).abs().max().item<double>(), 1e-5);
}

}  // namespace
}  // namespace rubato
