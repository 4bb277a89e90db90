#include "pipelines/job/memory_forecast.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "pipelines/job/gpu_memory.h"
#include "tests/support/model_files.h"

namespace rubato {
namespace {

using testing::HasSubstr;
constexpr std::uint64_t kGiB = 1ull << 30;

// The shapes of Wan 2.1 14B and its UMT5-XXL: 14.3 and 5.7 thousand million parameters, stored in float32.
class BigModel : public ::testing::Test {
 protected:
  BigModel() {
    const auto root = test::write_pipeline(dir_, "wan");
    dir_.write("wan/transformer/config.json",
               R"({"num_attention_heads": 40, "attention_head_dim": 128, "ffn_dim": 13824, "num_layers": 40})");
    dir_.write("wan/text_encoder/config.json", R"({"d_model": 4096, "num_heads": 64, "d_kv": 64, "d_ff": 10240})");
    dir_.write("wan/vae/config.json", R"({"z_dim": 16})");
    std::vector<test::ShapeOf> transformer, text{{"shared.weight", {256384, 4096}}};
    for (int i = 0; i < 40; ++i)
      transformer.push_back({fmt::format("blocks.{}.all.weight", i), {5120 * 8 + 13824 * 2, 5120}});
    for (int i = 0; i < 24; ++i)
      text.push_back({fmt::format("encoder.block.{}.layer.0.all.weight", i), {4096 * 4 + 10240 * 3, 4096}});
    test::write_weights(dir_, "wan/transformer/diffusion_pytorch_model.safetensors", transformer);
    test::write_weights(dir_, "wan/text_encoder/model.safetensors", text);
    auto model = open_video_model(root);
    EXPECT_TRUE(model.ok()) << (model.ok() ? "" : model.error().message);
    model_ = std::move(*model);
    job_.prompt = "a lighthouse";
    job_ = *resolve_video_job(job_, model_);
  }

  MemoryForecast on_gpu(std::optional<std::uint64_t> bytes, std::optional<std::uint64_t> host = 256 * kGiB) const {
    return of(job_, bytes, host);
  }
  MemoryForecast of(const VideoJob& job, std::optional<std::uint64_t> bytes,
                    std::optional<std::uint64_t> host = 256 * kGiB) const {
    const auto forecast = forecast_memory(model_, job, {"cuda:0", bytes, host});
    EXPECT_TRUE(forecast.ok());
    return *forecast;
  }

  test::TempFolder dir_;
  VideoModel model_;
  VideoJob job_;
};

TEST_F(BigModel, WeightsAreThoseOfTheHeadersInTheDtypeOfTheJob) {
  const auto forecast = on_gpu(80 * kGiB);
  ASSERT_EQ(forecast.parts.size(), 3u);
  const std::uint64_t block = std::uint64_t{5120 * 8 + 13824 * 2} * 5120;
  EXPECT_EQ(forecast.parts[1].stored_bytes, 40 * block * 4);
  EXPECT_EQ(forecast.parts[1].loaded_bytes, 40 * block * 2);  // bfloat16
  EXPECT_EQ(forecast.parts[1].block_bytes, block * 2);
  auto full = job_;
  full.dtype = "float32";
  EXPECT_EQ(of(full, 80 * kGiB).parts[1].loaded_bytes, 40 * block * 4);
}

TEST_F(BigModel, WhatFitsGrowsWithTheMemory) {
  std::optional<Fit> last;
  std::uint64_t bytes = 0;
  for (const std::uint64_t gib : {1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 80}) {
    const auto forecast = on_gpu(gib * kGiB);
    EXPECT_LE(forecast.fit, last.value_or(Fit::DoesNotFit)) << gib;
    EXPECT_EQ(forecast.device_bytes <= gib * kGiB, forecast.fit != Fit::DoesNotFit) << gib;
    EXPECT_GE(forecast.resident_bytes, forecast.device_bytes) << gib;
    last = forecast.fit;
    bytes = forecast.device_bytes;
  }
  EXPECT_EQ(last, Fit::Fits);
  EXPECT_GT(bytes, 40 * kGiB);  // 39 GiB are weights
}

TEST_F(BigModel, EachWayOutIsNamed) {
  EXPECT_THAT(on_gpu(80 * kGiB).sentence, HasSubstr("takes about"));
  const auto parts = on_gpu(40 * kGiB);
  EXPECT_EQ(parts.fit, Fit::FitsWithOffload);
  EXPECT_EQ(parts.plan.offload, Offload::Parts);
  EXPECT_THAT(parts.sentence, HasSubstr("only while it works"));
  const auto layers = on_gpu(16 * kGiB);
  EXPECT_EQ(layers.fit, Fit::FitsWithOffload);
  EXPECT_EQ(layers.plan.offload, Offload::Layers);
  EXPECT_THAT(layers.sentence, HasSubstr("layers brought in one by one"));
  EXPECT_GT(layers.host_bytes, parts.host_bytes + 30 * kGiB);  // where the layers wait
}

TEST_F(BigModel, WhatDoesNotFitNamesASizeThatDoes) {
  const auto forecast = on_gpu(6 * kGiB);
  ASSERT_EQ(forecast.fit, Fit::DoesNotFit) << forecast.sentence;
  std::smatch found;
  ASSERT_TRUE(std::regex_search(forecast.sentence, found, std::regex("--frames ([0-9]+)"))) << forecast.sentence;
  auto shorter = job_;
  shorter.frames = std::stoi(found[1]);
  EXPECT_LT(*shorter.frames, *job_.frames);
  EXPECT_TRUE(resolve_video_job(shorter, model_).ok());
  EXPECT_NE(of(shorter, 6 * kGiB).fit, Fit::DoesNotFit);
  shorter.frames = *shorter.frames + 4;  // the next longer one does not
  EXPECT_EQ(of(shorter, 6 * kGiB).fit, Fit::DoesNotFit);

  ASSERT_TRUE(std::regex_search(forecast.sentence, found, std::regex("--size ([0-9]+)x([0-9]+)"))) << forecast.sentence;
  auto smaller = job_;
  smaller.size = Size{std::stoi(found[1]), std::stoi(found[2])};
  EXPECT_TRUE(resolve_video_job(smaller, model_).ok());
  EXPECT_NE(of(smaller, 6 * kGiB).fit, Fit::DoesNotFit);
}

TEST_F(BigModel, NothingFitsWhereNotEvenOneFrameDoes) {
  const auto forecast = on_gpu(kGiB);
  EXPECT_EQ(forecast.fit, Fit::DoesNotFit);
  EXPECT_THAT(forecast.sentence, HasSubstr("no size of this model fits"));
}

TEST_F(BigModel, TheHostMayBeWhatLacks) {
  const auto forecast = on_gpu(16 * kGiB, 8 * kGiB);  // room for two layers on the device, none for the others here
  EXPECT_EQ(forecast.fit, Fit::DoesNotFit);
  EXPECT_THAT(forecast.sentence, HasSubstr("computer's memory"));
}

TEST_F(BigModel, UnknownMemoryIsNeverTooLittle) { EXPECT_EQ(on_gpu(std::nullopt, std::nullopt).fit, Fit::Fits); }

TEST_F(BigModel, LongerAndLargerClipsTakeMore) {
  std::uint64_t last = 0;
  for (const int frames : {1, 17, 49, 81}) {  // short clips: decoding one latent frame is what takes most
    job_.frames = frames;
    const auto bytes = on_gpu(std::nullopt).device_bytes;
    EXPECT_GE(bytes, last);
    last = bytes;
  }
  job_.frames = 17;
  EXPECT_GT(last, on_gpu(std::nullopt).device_bytes);
  job_.frames = 81;
  job_.size = Size{1280, 720};
  EXPECT_GT(on_gpu(std::nullopt).device_bytes, last);
}

TEST_F(BigModel, WeightsThatAreKnownAreNotReadAgain) {
  KnownWeights known;
  const MemoryAvailable gpu{"cuda:0", 80 * kGiB, 256 * kGiB};
  const auto first = forecast_memory(model_, job_, gpu, &known);
  ASSERT_TRUE(first.ok());
  std::filesystem::remove(model_.folder.root / "transformer/diffusion_pytorch_model.safetensors");
  const auto again = forecast_memory(model_, job_, gpu, &known);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(to_json(*again), to_json(*first));
  EXPECT_FALSE(forecast_memory(model_, job_, gpu).ok());
}

TEST_F(BigModel, JsonSaysTheSame) {
  const auto forecast = on_gpu(16 * kGiB);
  const auto json = to_json(forecast);
  EXPECT_EQ(json["fit"], "fits_with_offload");
  EXPECT_EQ(json["plan"]["offload"], "layers");
  EXPECT_EQ(json["device_bytes"], forecast.device_bytes);
  EXPECT_EQ(json["weights"]["transformer"]["loaded_bytes"], forecast.parts[1].loaded_bytes);
}

TEST(MemoryAvailable, IsBoundByTheJob) {
  VideoJob job;
  job.device = "cpu";
  const auto all = memory_available(job);
  ASSERT_TRUE(all.host_bytes);
  EXPECT_GT(*all.host_bytes, 1u << 20);
  EXPECT_FALSE(all.device_bytes);
  job.max_ram = 12345;
  EXPECT_EQ(memory_available(job).host_bytes, 12345u);
  job.max_ram = 1ull << 60;
  EXPECT_LT(*memory_available(job).host_bytes, 1ull << 60);
}

TEST(GpuMemory, VisibleDevicesAreCountedAsCudaDoes) {
  EXPECT_EQ(driver_index("2,0", 0), 2);
  EXPECT_EQ(driver_index("2, 0", 1), 0);
  EXPECT_EQ(driver_index("2,0", 2), -1);
  EXPECT_EQ(driver_index("", 0), -1);
  EXPECT_EQ(driver_index("GPU-8d9c", 0), -1);  // known only to the driver
  EXPECT_FALSE(gpu_memory("cpu"));
  EXPECT_FALSE(gpu_memory("cuda:999"));
}

}  // namespace
}  // namespace rubato
