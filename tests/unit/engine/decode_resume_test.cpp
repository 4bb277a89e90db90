// A decode goes on from any part with the same frames bit for bit, and so does what is kept of it on disk.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "engine/base/guard.h"
#include "engine/models/wan_vae/vae.h"
#include "pipelines/runner/decode_work.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<AutoencoderKLWan> tiny(const std::string& layout) {
  at::set_num_threads(1);
  auto vae = AutoencoderKLWan::load(fs::path(RUBATO_TEST_DATA) / ("wan_vae_" + layout), at::kCPU, at::kFloat);
  if (!vae.ok()) throw std::runtime_error(vae.error().message);
  return std::move(*vae);
}

struct Part {
  DecodeState state;
  std::int64_t frames = 0;  // given by then
};

class DecodeResume : public testing::TestWithParam<std::tuple<std::string, std::int64_t>> {};

TEST_P(DecodeResume, FromEveryPartIsTheUninterruptedResult) {
  const auto& [layout, tile] = GetParam();
  const auto vae = tiny(layout);
  at::manual_seed(7);
  const auto latent = at::randn({1, vae->config().z_dim, 5, 8, 8});
  std::vector<at::Tensor> whole;
  std::vector<Part> parts;
  DecodeOptions options;
  options.tiling.tile = tile;
  options.latents_at_a_time = 1;
  std::int64_t given = 0;
  options.on_part = [&](const auto& state) {
    auto now = state();
    for (auto& memory : now.memories)
      if (memory.defined()) memory = memory.clone();  // as a file would
    parts.push_back({std::move(now), given});
  };
  vae->decode(
      latent,
      [&](const at::Tensor& frames) {
        whole.push_back(frames.clone());
        given += frames.size(2);
      },
      options);
  const auto expected = at::cat(whole, 2);
  ASSERT_GE(parts.size(), 3u);
  for (const auto& part : parts) {
    DecodeOptions again;
    again.tiling.tile = tile;
    again.latents_at_a_time = 1;
    again.start = part.state;
    std::vector<at::Tensor> rest;
    vae->decode(latent, [&](const at::Tensor& frames) { rest.push_back(frames.clone()); }, again);
    EXPECT_TRUE(at::equal(at::cat(rest, 2), expected.slice(2, part.frames))) << "from part " << part.state.parts;
  }
}

INSTANTIATE_TEST_SUITE_P(Layouts, DecodeResume,
                         testing::Combine(testing::Values("wan21", "wan22"), testing::Values(0, 48)),
                         [](const auto& layout_and_tile) {
                           return std::get<0>(layout_and_tile.param) + (std::get<1>(layout_and_tile.param) == 0 ? "Whole" : "Tiled");
                         });

class DecodeWorkOnDisk : public testing::Test {
 protected:
  // What is kept after the first parts of a decode: a save per part.
  void keep_some(const std::string& key) {
    DecodeWork work(folder_.path(), key);
    work.add(at::full({1, 3, 1, 2, 2}, 0.25));
    std::this_thread::sleep_for(std::chrono::milliseconds(5'100));  // a decode of seconds is not kept
    ASSERT_TRUE(work.part_done([] { return DecodeState{1, {at::ones({2}), {}, at::zeros({3})}}; }, 64).ok());
  }
  test::TempFolder folder_;
};

TEST_F(DecodeWorkOnDisk, GivesBackFramesAndState) {
  keep_some("k");
  DecodeWork again(folder_.path(), "k");
  std::vector<at::Tensor> frames;
  const auto saved = again.resume([&](const at::Tensor& part) { frames.push_back(part); });
  ASSERT_TRUE(saved);
  EXPECT_EQ(saved->state.parts, 1);
  EXPECT_EQ(saved->tile, 64);
  ASSERT_EQ(saved->state.memories.size(), 3u);
  EXPECT_FALSE(saved->state.memories[1].defined());
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_TRUE(at::equal(frames[0], at::full({1, 3, 1, 2, 2}, 0.25)));

  DecodeWork other(folder_.path(), "other latents");
  EXPECT_FALSE(other.resume([](const at::Tensor&) { FAIL(); }));

  fs::remove(folder_ / "frames/000001.safetensors");
  DecodeWork damaged(folder_.path(), "k");
  EXPECT_FALSE(damaged.resume([](const at::Tensor&) { FAIL() << "frames without their whole"; }));
  again.remove();
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(DecodeWorkOnDisk, KeepsNothingOfADecodeOfMoments) {
  DecodeWork work(folder_.path(), "k");
  work.add(at::zeros({1, 3, 1, 2, 2}));
  ASSERT_TRUE(work.part_done([]() -> DecodeState { throw std::logic_error("too early"); }, 0).ok());
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

}  // namespace
}  // namespace rubato
