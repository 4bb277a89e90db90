// The video VAE's own promises: what it refuses, tiles without seams, memory as estimated, cancelling, reuse.
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/base/guard.h"
#include "engine/models/wan_vae/memory.h"
#include "engine/models/wan_vae/tiles.h"
#include "engine/models/wan_vae/vae.h"
#include "engine/tensor/state_dict.h"
#include "tests/support/allocation_meter.h"

namespace rubato {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const fs::path kPractice = fs::path(RUBATO_RESOURCES) / "practice/video/vae";

std::unique_ptr<AutoencoderKLWan> loaded(const fs::path& folder) {
  at::set_num_threads(1);
  auto vae = AutoencoderKLWan::load(folder, at::kCPU, at::kFloat);
  if (!vae.ok()) throw std::runtime_error(vae.error().message);
  return std::move(vae).value();
}

std::unique_ptr<AutoencoderKLWan> tiny(const char* layout) {
  return loaded(fs::path(RUBATO_TEST_DATA) / (std::string("wan_vae_") + layout));
}

at::Tensor decoded(const AutoencoderKLWan& vae, const at::Tensor& latent, const DecodeOptions& options = {}) {
  std::vector<at::Tensor> chunks;
  vae.decode(
      latent, [&](const at::Tensor& frames) { chunks.push_back(frames.clone()); }, options);
  return at::cat(chunks, 2);
}

std::string refusal(const nlohmann::json& config) {
  const auto read = WanVaeConfig::from_json(config);
  return read.ok() ? "" : read.error().message;
}

Error error_of(const std::function<void()>& run) {
  const auto result = guard([&]() -> Result<> {
    run();
    return {};
  });
  EXPECT_FALSE(result.ok());
  return result.ok() ? Error{} : result.error();
}

TEST(WanVaeConfigReading, GivesWan21WhereAConfigurationIsSilent) {
  const auto config =
      WanVaeConfig::from_json({{"_class_name", "AutoencoderKLWan"}, {"dropout", 0.0}, {"clip_output", false}});
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->spatial_ratio(), 8);
  EXPECT_EQ(config->temporal_ratio(), 4);
  EXPECT_EQ(config->frames_of(21), 81);
  EXPECT_EQ(config->latent_frames_of(81), 21);
  EXPECT_EQ(config->latents_std.size(), 16u);
}

TEST(WanVaeConfigReading, NamesEverythingItCannotDo) {
  const std::string all = refusal({{"attn_scales", {0.5}}, {"patch_size", 2}, {"in_channels", 3}, {"z_dim", 8}});
  EXPECT_THAT(all, HasSubstr("attn_scales"));
  EXPECT_THAT(all, HasSubstr("in_channels"));
  EXPECT_THAT(all, HasSubstr("latents_mean"));
  EXPECT_THAT(refusal({{"temperal_downsample", {true}}}), HasSubstr("temperal_downsample"));
  EXPECT_THAT(refusal({{"dim_mult", nlohmann::json::array()}}), HasSubstr("dim_mult"));
  EXPECT_THAT(refusal({{"scale_factor_spatial", 16}}), HasSubstr("scale_factor_spatial"));
  EXPECT_THAT(refusal({{"is_residual", true}, {"dim_mult", {1, 3, 4, 4}}}), HasSubstr("dim_mult"));
  EXPECT_THAT(refusal({{"base_dims", 96}}), HasSubstr("base_dim"));
}

TEST(WanVaeLoading, NamesWhatIsMissing) {
  WanVaeConfig config;
  const auto vae = AutoencoderKLWan::load(
      config, StateDict::of({{"encoder.conv_in.weight", at::zeros({96, 3, 3, 3, 3})}}), at::kCPU, at::kFloat);
  ASSERT_FALSE(vae.ok());
  EXPECT_EQ(vae.error().code, ErrorCode::ModelUnfit);
  EXPECT_THAT(vae.error().message, HasSubstr("encoder.conv_in.bias"));
}

TEST(WanVaeSizes, AreRefusedWithTheNearestOnes) {
  const auto vae = loaded(kPractice);
  const auto frames = error_of([&] { vae->encode(at::zeros({1, 3, 6, 16, 16})); });
  EXPECT_EQ(frames.code, ErrorCode::JobInvalid);
  EXPECT_THAT(frames.message, HasSubstr("5 or 9"));
  const auto size = error_of([&] { vae->encode(at::zeros({1, 3, 1, 20, 13})); });
  EXPECT_THAT(size.message, HasSubstr("16x24"));
}

TEST(WanVaeTiles, CoverEverythingWithWeightsThatSumToOne) {
  for (const auto& [whole, tile, overlap] : std::vector<std::array<std::int64_t, 3>>{{16, 16, 4},
                                                                                     {17, 16, 4},
                                                                                     {60, 32, 8},
                                                                                     {104, 32, 8},
                                                                                     {9, 4, 3},
                                                                                     {5, 1, 0},
                                                                                     {100, 7, 0},
                                                                                     {33, 16, 15},
                                                                                     {50, 20, 11}}) {
    const auto spans = wan_vae::cut(whole, tile, overlap);
    at::Tensor sum = at::zeros({whole * 8});
    for (std::size_t i = 0; i < spans.size(); ++i) {
      EXPECT_EQ(spans[i].length, std::min(tile, whole));
      EXPECT_GE(i > 0 ? spans[i - 1].start + tile - spans[i].start : overlap, overlap);
      sum.narrow(0, spans[i].start * 8, spans[i].length * 8) += wan_vae::blend_weights(spans[i], 8);
    }
    EXPECT_LT((sum - 1).abs().max().item<double>(), 1e-6) << whole << " by " << tile << " over " << overlap;
  }
}

// The seams of a tiled decode: where tiles begin, end and meet, the step from one pixel to the next must differ from
// the untiled picture's step no more than it does elsewhere.
TEST(WanVaeTiles, LeaveNoSeamInADecodedClip) {
  const auto vae = loaded(kPractice);
  const auto pair = read_tensors(fs::path(RUBATO_TEST_DATA) / "practice_video/vae.safetensors");
  ASSERT_TRUE(pair.ok());
  const at::Tensor latent = pair->at("latent_mean").unsqueeze(0);  // 64 × 64 pixels
  const at::Tensor whole = decoded(*vae, latent),
                   tiled = decoded(*vae, latent, {.tiling = {.tile = 40, .overlap = 16}});
  ASSERT_EQ(whole.sizes(), tiled.sizes());
  const at::Tensor off = tiled - whole;
  const auto steps = (off.slice(4, 1) - off.slice(4, 0, -1)).abs().mean({0, 1, 2, 3});  // per column border
  const auto borders = wan_vae::cut(8, 5, 2);
  double at_borders = 0;
  for (const auto& span : borders) {
    for (const std::int64_t cell : {span.start, span.start + span.length}) {
      if (cell > 0 && cell < 8) at_borders = std::max(at_borders, steps[cell * 8 - 1].item<double>());
    }
  }
  EXPECT_LT(at_borders, 1.0 / 255);  // half a grey level of 8 bits
  EXPECT_LT(at_borders, 2 * steps.mean().item<double>());
  RecordProperty("step_at_borders", std::to_string(at_borders));
  RecordProperty("step_elsewhere", std::to_string(steps.mean().item<double>()));
}

TEST(WanVaeTiles, OfOneTileAreTheUntiledResult) {
  const auto vae = tiny("wan22");
  const at::Tensor latent = at::randn({1, 6, 2, 2, 3});
  EXPECT_TRUE(at::equal(decoded(*vae, latent), decoded(*vae, latent, {.tiling = {.tile = 48}})));
  const at::Tensor video = at::rand({1, 3, 5, 32, 48});
  EXPECT_TRUE(at::equal(vae->encode(video), vae->encode(video, {.tiling = {.tile = 64}})));
}

TEST(WanVaeTiles, EncodeNearTheWholePicture) {
  const auto vae = loaded(kPractice);
  const auto pair = read_tensors(fs::path(RUBATO_TEST_DATA) / "practice_video/vae.safetensors");
  ASSERT_TRUE(pair.ok());
  const at::Tensor video = pair->at("video").unsqueeze(0).slice(2, 0, 5);
  const at::Tensor whole = vae->encode(video), tiled = vae->encode(video, {.tiling = {.tile = 48, .overlap = 24}});
  const double off = ((whole - tiled).square().mean() / whole.square().mean()).sqrt().item<double>();
  EXPECT_LT(off, 0.1);
  EXPECT_GT(off, 0);
}

TEST(WanVaeStreams, GiveOneFrameThenFourForEachLatent) {
  const auto vae = loaded(kPractice);
  std::vector<std::int64_t> counts;
  std::vector<std::int64_t> done;
  vae->decode(at::randn({1, 8, 4, 2, 2}), [&](const at::Tensor& frames) { counts.push_back(frames.size(2)); },
              {.latents_at_a_time = 1, .progress = [&](std::int64_t n, std::int64_t total) {
                 EXPECT_EQ(total, 4);
                 done.push_back(n);
               }});
  EXPECT_EQ(counts, (std::vector<std::int64_t>{1, 4, 4, 4}));
  EXPECT_EQ(done, (std::vector<std::int64_t>{1, 2, 3, 4}));
}

TEST(WanVaeStreams, DoNotDisturbEachOther) {
  const auto vae = tiny("wan21");
  const at::Tensor a = at::randn({1, 4, 3, 2, 2}), b = at::randn({1, 4, 3, 2, 2});
  const at::Tensor alone = decoded(*vae, a);
  std::vector<at::Tensor> chunks;  // b is decoded from within a's sink
  vae->decode(a, [&](const at::Tensor& frames) {
    chunks.push_back(frames.clone());
    decoded(*vae, b);
  });
  EXPECT_TRUE(at::equal(at::cat(chunks, 2), alone));
}

TEST(WanVaeStreams, StopBetweenChunks) {
  const auto vae = tiny("wan22");
  const at::Tensor latent = at::randn({1, 6, 3, 2, 2});
  std::stop_source source;
  int chunks = 0;
  const auto stop_after_one = [&](const at::Tensor&) {
    ++chunks;
    source.request_stop();
  };
  const DecodeOptions options{.latents_at_a_time = 1, .stop = source.get_token()};
  EXPECT_EQ(error_of([&] { vae->decode(latent, stop_after_one, options); }).code, ErrorCode::Cancelled);
  EXPECT_EQ(chunks, 1);
  EXPECT_EQ(error_of([&] {
              vae->encode(at::zeros({1, 3, 5, 32, 32}), {.stop = source.get_token()});
            }).code,
            ErrorCode::Cancelled);
}

TEST(WanVaeMemory, IsWhatTheEstimateSays) {
  struct Sample {
    const char* layout;
    std::int64_t z, cells, chunk, tile;
  };
  for (const auto& [layout, z, cells, chunk, tile] :
       {Sample{"wan21", 4, 12, 1, 0}, Sample{"wan21", 4, 12, 3, 0}, Sample{"wan22", 6, 8, 1, 0},
        Sample{"folded", 3, 16, 1, 0}, Sample{"folded", 3, 16, 2, 0}, Sample{"wan21", 4, 12, 1, 48}}) {
    const auto vae = tiny(layout);
    const std::int64_t side = cells * vae->config().spatial_ratio();
    const auto latent = at::randn({1, z, 2 * chunk + 1, cells, cells});
    const DecodeOptions options{.tiling = {.tile = tile}, .latents_at_a_time = chunk};
    const auto used = static_cast<double>(test::peak_of([&] {
      vae->decode(
          latent, [](const at::Tensor&) {}, options);
    }));
    const auto guessed =
        static_cast<double>(decode_bytes(vae->config(), {.width = side,
                                                         .height = side,
                                                         .frames = vae->config().frames_of(2 * chunk + 1),
                                                         .tile = tile,
                                                         .latents_at_a_time = chunk}));
    EXPECT_GE(guessed, used) << layout << ", " << chunk << " at a time";
    EXPECT_LE(guessed, 1.5 * used) << layout << ", " << chunk << " at a time";
  }
}

}  // namespace
}  // namespace rubato
