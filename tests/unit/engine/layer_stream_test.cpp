// Weights that come and go give the results of weights that stay, bit for bit.
#include "engine/nn/layer_stream.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <random>

#include "app/bench/random_weights.h"
#include "engine/models/umt5/encoder.h"
#include "engine/models/wan/transformer.h"
#include "engine/nn/layers.h"
#include "pipelines/text_to_video/wan_pipeline.h"

namespace rubato {
namespace {

struct Pair : nn::Module {
  nn::Linear linear{3, 2};
  nn::RmsNorm norm{2, 1e-6};
  void declare(nn::Declaration& d) override {
    d.child("linear", linear);
    d.child("norm", norm);
  }
};

std::vector<Pair> pairs(std::int64_t n) {
  std::vector<Pair> blocks(static_cast<std::size_t>(n));
  for (auto& block : blocks) {
    bench::RandomWeights weights(at::kCPU, at::kFloat);
    weights.add(block);
    EXPECT_TRUE(block.load(weights.take(), {}).ok());
  }
  return blocks;
}

class LayerStreamOfPairs : public testing::TestWithParam<int> {
 protected:
  const c10::InferenceMode inference_;
};
TEST_P(LayerStreamOfPairs, LendsEachBlockItsOwnWeightsInAnyOrder) {
  const int n = GetParam();
  auto blocks = pairs(n);
  std::vector<at::Tensor> weights, biases;
  std::vector<nn::Module*> modules;
  for (auto& block : blocks) {
    weights.push_back(block.linear.weight.clone());
    biases.push_back(block.linear.bias.clone());
    modules.push_back(&block);
  }
  const auto stream = nn::stream_layers(modules, at::kCPU);
  std::mt19937 random(5);
  for (int turn = 0; turn < 40; ++turn) {
    const auto i =
        static_cast<std::size_t>(turn < 2 * n ? turn % n : static_cast<int>(random() % static_cast<unsigned>(n)));
    stream->enter(i);
    EXPECT_TRUE(at::equal(blocks[i].linear.weight, weights[i])) << turn;
    EXPECT_TRUE(at::equal(blocks[i].linear.bias, biases[i])) << turn;
    for (std::size_t k = 0; k < blocks.size(); ++k) {
      EXPECT_EQ(blocks[k].linear.weight.defined(), k == i) << "a block that is not entered has no weights";
      EXPECT_TRUE(blocks[k].norm.weight.defined()) << "what is of full precision stays";
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Blocks, LayerStreamOfPairs, testing::Values(1, 2, 3, 5));

TEST(LayerStream, HoldsTwoBlocksAndTheRestOutside) {
  const c10::InferenceMode inference;
  auto blocks = pairs(4);
  const auto stream = nn::stream_layers({&blocks[0], &blocks[1], &blocks[2], &blocks[3]}, at::kCPU);
  EXPECT_EQ(stream->host_bytes(), 2 * stream->device_bytes());
  EXPECT_EQ(nn::resident_layers()->device_bytes(), 0u);
}

TEST(LayerStream, WanGivesTheSameVelocity) {
  at::set_num_threads(1);
  const c10::InferenceMode inference;
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    wan::Config config;
    config.heads = 2;
    config.head_width = 32;
    config.ffn_width = 96;
    config.layers = 3;
    config.text_width = 24;
    wan::Transformer resident(config), streamed(config);
    bench::RandomWeights weights(at::kCPU, dtype);
    weights.add(resident);
    const auto state = weights.take();
    ASSERT_TRUE(resident.load(state, {at::kCPU, dtype, {}}).ok());
    ASSERT_TRUE(streamed.load(state, {at::kCPU, dtype, {}}).ok());
    streamed.stream_layers(at::kCPU);
    const auto latent = at::randn({1, config.in_channels, 2, 8, 8}), time = at::full({1}, 400.0),
               prompt = at::randn({2, 7, config.text_width});
    const auto expected = resident.forward(latent, time, prompt);
    for (int run = 0; run < 2; ++run) EXPECT_TRUE(at::equal(streamed.forward(latent, time, prompt), expected)) << run;
  }
}

TEST(LayerStream, Umt5GivesTheSameStates) {
  at::set_num_threads(1);
  const c10::InferenceMode inference;
  umt5::Config config;
  config.vocab_size = 50;
  config.width = 32;
  config.head_width = 8;
  config.heads = 4;
  config.ffn_width = 48;
  config.layers = 4;
  umt5::Encoder resident(config), streamed(config);
  bench::RandomWeights weights(at::kCPU, at::kFloat);
  weights.add(resident);
  const auto state = weights.take();
  ASSERT_TRUE(resident.load(state, {}).ok());
  ASSERT_TRUE(streamed.load(state, {}).ok());
  streamed.stream_layers(at::kCPU);
  const auto ids = at::randint(50, {1, 9}, at::kLong);
  const auto expected = resident.forward(ids);
  for (int run = 0; run < 2; ++run) EXPECT_TRUE(at::equal(streamed.forward(ids), expected)) << run;
}

// The practice model, and one with two experts, through the whole recipe.
class OffloadedPipeline : public testing::TestWithParam<const char*> {};
TEST_P(OffloadedPipeline, GivesTheSameLatents) {
  at::set_num_threads(1);
  const c10::InferenceMode inference;
  const auto folder = PipelineFolder::open(GetParam());
  ASSERT_TRUE(folder.ok()) << folder.error().message;
  VideoRequest request;
  request.prompt = "a red circle moves right";
  request.width = request.height = 64;
  request.frames = 5;
  request.steps = 4;
  request.guidance = request.guidance_2 = 4;
  request.max_sequence_length = 16;
  request.seed = 3;
  const auto latents = [&](Offload offload) {
    auto pipeline = WanPipeline::load(*folder, {at::kCPU, at::kFloat, offload, false});
    EXPECT_TRUE(pipeline.ok()) << (pipeline.ok() ? "" : pipeline.error().message);
    EXPECT_EQ((*pipeline)->parameter_bytes() > 0, offload == Offload::None);
    const auto text = (*pipeline)->encode_text(request);
    EXPECT_TRUE(text.ok());
    EXPECT_EQ((*pipeline)->parameter_bytes() > 0, offload == Offload::None);
    const auto result = (*pipeline)->denoise(request, *text, {0, (*pipeline)->initial_latents(request), {}}, {}, {});
    EXPECT_TRUE(result.ok());
    EXPECT_EQ((*pipeline)->parameter_bytes() > 0, offload == Offload::None);
    return *result;
  };
  const auto resident = latents(Offload::None);
  EXPECT_TRUE(at::equal(latents(Offload::Parts), resident));
  EXPECT_TRUE(at::equal(latents(Offload::Layers), resident));
}
INSTANTIATE_TEST_SUITE_P(Models, OffloadedPipeline,
                         testing::Values(RUBATO_RESOURCES "/practice/video", RUBATO_TEST_DATA "/wan_22_a14b_s0"));

}  // namespace
}  // namespace rubato
