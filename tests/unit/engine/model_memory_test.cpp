// Estimates of memory against what libtorch's allocator hands out. (The decoder's is in wan_vae_test.cpp.)
#include "engine/files/model_memory.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "app/bench/random_weights.h"
#include "engine/models/umt5/encoder.h"
#include "engine/models/wan/transformer.h"
#include "tests/support/allocation_meter.h"

namespace rubato {
namespace {

struct Clip {
  std::int64_t frames, rows, columns, text_tokens;
};

TEST(DenoiseMemory, IsWhatTheEstimateSays) {
  at::set_num_threads(1);
  const c10::InferenceMode inference;
  for (const auto dtype : {at::kFloat, at::kBFloat16})
    for (const auto& [heads, head_width, ffn] : {std::array<std::int64_t, 3>{4, 64, 1536}, {2, 32, 128}})
      for (const auto& clip : {Clip{3, 16, 24, 64}, Clip{5, 32, 32, 128}})
        for (const std::int64_t branches : {1, 2}) {
          wan::Config config;
          config.heads = heads;
          config.head_width = head_width;
          config.ffn_width = ffn;
          config.layers = 3;
          config.text_width = 48;
          wan::Transformer model(config);
          bench::RandomWeights weights(at::kCPU, dtype);
          weights.add(model);
          ASSERT_TRUE(model.load(weights.take(), {at::kCPU, dtype, {}}).ok());
          const at::Tensor latent = at::randn({1, config.in_channels, clip.frames, clip.rows, clip.columns});
          const at::Tensor prompt = at::randn({branches, clip.text_tokens, config.text_width});
          DenseAttention dense;
          const auto used = static_cast<double>(test::peak_of([&] {
            const auto text = model.text_context(prompt);
            const auto rope = model.rope(clip.frames, clip.rows, clip.columns);
            const auto velocity = model.forward({latent, at::full({1}, 500.0), text, rope}, dense);
          }));
          const WanShape shape{.width = config.width(),
                               .heads = heads,
                               .ffn_width = ffn,
                               .layers = config.layers,
                               .in_channels = config.in_channels,
                               .out_channels = config.out_channels,
                               .text_width = config.text_width,
                               .patch = config.patch};
          const DenoiseSize size{.latent_frames = clip.frames,
                                 .rows = clip.rows,
                                 .columns = clip.columns,
                                 .text_tokens = clip.text_tokens,
                                 .branches = branches,
                                 .bytes_per_value = static_cast<std::int64_t>(at::elementSize(dtype)),
                                 .on_cpu = true};
          const auto guessed = static_cast<double>(denoise_bytes(shape, size));
          SCOPED_TRACE(testing::Message()
                       << c10::toString(dtype) << ", width " << config.width() << ", ffn " << ffn << ", " << branches
                       << " branches, " << clip.frames << " frames: " << used << " used, " << guessed << " guessed");
          EXPECT_GE(guessed, used);
          EXPECT_LE(guessed, 1.5 * used);
        }
}

TEST(TextMemory, IsWhatTheEstimateSays) {
  at::set_num_threads(1);
  const c10::InferenceMode inference;
  for (const std::int64_t tokens : {40, 300}) {
    umt5::Config config;
    config.vocab_size = 100;
    config.width = 128;
    config.head_width = 32;
    config.heads = 4;
    config.ffn_width = 320;
    config.layers = 2;
    umt5::Encoder encoder(config);
    bench::RandomWeights weights(at::kCPU, at::kFloat);
    weights.add(encoder);
    ASSERT_TRUE(encoder.load(weights.take(), {}).ok());
    const auto ids = at::ones({1, tokens}, at::kLong);
    const auto used = static_cast<double>(test::peak_of([&] { const auto states = encoder.forward(ids); }));
    const auto guessed = static_cast<double>(
        encode_text_bytes({.width = 128, .heads = 4, .head_width = 32, .ffn_width = 320}, tokens, 4));
    EXPECT_GE(guessed, used) << tokens;
    EXPECT_LE(guessed, 2 * used) << tokens;  // a text is small beside everything else
  }
}

}  // namespace
}  // namespace rubato
