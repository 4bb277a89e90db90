// Weights that come to a GPU when their turn comes, and a GPU whose memory runs out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/bench/random_weights.h"
#include "engine/models/umt5/encoder.h"
#include "engine/models/wan/transformer.h"
#include "kernels/device.h"
#include "pipelines/runner/video_runner.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
const at::Device kCuda(at::kCUDA, 0);

// The tree may lie elsewhere than where it was built: on a GPU host the tests run in its root.
fs::path practice_model() {
  const fs::path built = fs::path(RUBATO_RESOURCES) / "practice/video";
  return fs::exists(built) ? built : fs::absolute("resources/practice/video");
}

class OffloadOnCuda : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto cuda = load_cuda(); !cuda.ok()) GTEST_SKIP() << cuda.error().message;
    at::manual_seed(11);
  }
  const c10::InferenceMode inference_;
};

TEST_F(OffloadOnCuda, StreamedLayersOfWanGiveTheSameBits) {
  wan::Config config;  // the width of Wan 2.1 1.3B, blocks of 80 MB
  config.heads = 12;
  config.ffn_width = 8960;
  config.layers = 7;
  wan::Transformer resident(config), streamed(config);
  bench::RandomWeights weights(at::kCPU, at::kBFloat16);
  weights.add(resident);
  const auto state = weights.take();
  ASSERT_TRUE(resident.load(state, {kCuda, at::kBFloat16, {}}).ok());
  ASSERT_TRUE(streamed.load(state, {at::kCPU, at::kBFloat16, {}}).ok());
  streamed.stream_layers(kCuda);
  const auto options = at::TensorOptions(kCuda).dtype(at::kFloat);
  const auto latent = at::randn({1, 16, 5, 30, 52}, options), time = at::full({1}, 500.0, options);
  const auto prompts = at::randn({2, 512, config.text_width}, options);
  const auto expected = resident.forward(latent, time, prompts);
  ASSERT_TRUE(expected.isfinite().all().item<bool>());
  for (int run = 0; run < 5; ++run)  // a copy that comes too early or too late shows in some run
    EXPECT_TRUE(at::equal(streamed.forward(latent, time, prompts), expected)) << run;
}

TEST_F(OffloadOnCuda, StreamedLayersOfUmt5GiveTheSameBits) {
  umt5::Config config;
  config.vocab_size = 1000;
  config.width = 1024;
  config.ffn_width = 2816;
  config.heads = 16;
  config.layers = 6;
  umt5::Encoder resident(config), streamed(config);
  bench::RandomWeights weights(at::kCPU, at::kBFloat16);
  weights.add(resident);
  const auto state = weights.take();
  ASSERT_TRUE(resident.load(state, {kCuda, at::kBFloat16, {}}).ok());
  ASSERT_TRUE(streamed.load(state, {at::kCPU, at::kBFloat16, {}}).ok());
  streamed.stream_layers(kCuda);
  const auto ids = at::randint(1000, {1, 77}, at::TensorOptions(kCuda).dtype(at::kLong));
  const auto expected = resident.forward(ids);
  for (int run = 0; run < 5; ++run) EXPECT_TRUE(at::equal(streamed.forward(ids), expected)) << run;
}

TEST_F(OffloadOnCuda, StreamedLayersLeaveTheDevicesMemoryFree) {
  wan::Config config;
  config.heads = 12;
  config.ffn_width = 8960;
  config.layers = 12;
  const auto before = memory_use(kCuda).current_bytes;
  wan::Transformer streamed(config);
  bench::RandomWeights weights(at::kCPU, at::kBFloat16);
  weights.add(streamed);
  ASSERT_TRUE(streamed.load(weights.take(), {at::kCPU, at::kBFloat16, {}}).ok());
  const auto all = streamed.parameter_bytes();
  streamed.stream_layers(kCuda);
  EXPECT_LT(memory_use(kCuda).current_bytes - before, all / 3);  // two blocks of twelve, and what is outside of them
}

TEST_F(OffloadOnCuda, AWholePipelineGivesTheSameLatents) {
  const auto folder = PipelineFolder::open(practice_model());
  ASSERT_TRUE(folder.ok()) << folder.error().message;
  VideoRequest request;
  request.prompt = "a red circle moves right";
  request.width = request.height = 128;
  request.frames = 17;
  request.steps = 6;
  request.guidance = 4;
  request.max_sequence_length = 32;
  request.seed = 3;
  const auto latents = [&](Offload offload) {
    auto pipeline = WanPipeline::load(*folder, {kCuda, at::kBFloat16, offload});
    EXPECT_TRUE(pipeline.ok()) << (pipeline.ok() ? "" : pipeline.error().message);
    const auto text = (*pipeline)->encode_text(request);
    EXPECT_TRUE(text.ok());
    const auto result = (*pipeline)->denoise(request, *text, {0, (*pipeline)->initial_latents(request), {}}, {}, {});
    EXPECT_TRUE(result.ok());
    return *result;
  };
  const auto resident = latents(Offload::None);
  EXPECT_TRUE(at::equal(latents(Offload::Parts), resident));
  EXPECT_TRUE(at::equal(latents(Offload::Layers), resident));
}

// A worker asks before its first job has made a tensor; ctest runs every test in a process of its own.
TEST(MemoryOnCuda, CanBeAskedForBeforeThereIsATensor) {
  const auto device = parse_device("cuda:0");
  if (!device.ok()) GTEST_SKIP() << device.error().message;
  reset_peak_memory(*device);
  const auto use = memory_use(*device);
  EXPECT_GE(use.held_bytes, use.current_bytes);
  release_cached_memory(*device);
}

// Somebody takes all of the device's memory while a job runs.
class CrowdedCuda : public OffloadOnCuda {
 protected:
  VideoJob job(const std::string& name) const {
    VideoJob job;
    job.model = practice_model();
    job.prompt = "a red circle moves right";
    job.size = Size{480, 480};  // activations of some 270 MB, far more than the model
    job.frames = 65;
    job.steps = 4;
    job.seed = 7;
    job.device = "cuda:0";
    job.out = folder_ / name;
    return job;
  }

  // All but a few MiB, in ever smaller pieces, so that what the allocator caches for itself is taken as well.
  void crowd() {
    release_cached_memory(kCuda);
    for (std::int64_t bytes = 64ll << 30; bytes >= 1 << 20; bytes /= 2) try {
        for (;;) hog_.push_back(at::empty({bytes}, at::TensorOptions(kCuda).dtype(at::kByte)));
      } catch (const std::exception&) {
      }
  }
  void leave() {
    hog_.clear();
    release_cached_memory(kCuda);
  }

  // The memory is gone from the beginning of the phase until the ladder has taken `patience` steps (0 = for ever).
  std::variant<JobResult, JobFailure> run(const VideoJob& job, const std::string& when = "", int patience = 0) {
    int steps = 0;
    JobEvents events("test", [&](const protocol::Message& message, int) {
      const auto* phase = std::get_if<protocol::Phase>(&message);
      if (phase != nullptr && phase->name == when && steps == 0) crowd();
      const auto* warning = std::get_if<protocol::Warn>(&message);
      if (warning != nullptr && warning->code == "memory_low" && ++steps == patience) leave();
    });
    auto outcome = runner_.run(job, events, {});
    leave();
    return outcome;
  }

  test::TempFolder folder_;
  VideoRunner runner_{ModelFolders{}};
  std::vector<at::Tensor> hog_;
};

TEST_F(CrowdedCuda, AJobComesThroughWithTheSameFrames) {
  const auto calm = run(job("calm.safetensors"));
  ASSERT_TRUE(std::holds_alternative<JobResult>(calm)) << std::get<JobFailure>(calm).error.message;
  const auto frames = std::get<JobResult>(calm).report["frames_sha256"];
  for (const int patience : {1, 2, 3}) {
    const auto outcome = run(job("clip" + std::to_string(patience) + ".safetensors"), "denoise", patience);
    ASSERT_TRUE(std::holds_alternative<JobResult>(outcome)) << std::get<JobFailure>(outcome).error.message;
    const auto& report = std::get<JobResult>(outcome).report;
    std::vector<std::string> steps;
    for (const auto& step : report["memory"]["steps"]) steps.push_back(step["step"]);
    const std::vector<std::string> all{"free_caches", "offload_parts", "stream_layers"};
    EXPECT_EQ(steps, std::vector<std::string>(all.begin(), all.begin() + patience));
    EXPECT_EQ(report["frames_sha256"], frames);
  }
}

TEST_F(CrowdedCuda, AtTheEndOfTheLadderOnlyThisJobFails) {
  const auto outcome = run(job("clip.safetensors"), "denoise");
  const auto* failure = std::get_if<JobFailure>(&outcome);
  ASSERT_NE(failure, nullptr);
  EXPECT_EQ(failure->error.code, ErrorCode::OutOfMemory) << failure->error.message;
  const auto next = run(job("next.safetensors"));
  EXPECT_TRUE(std::holds_alternative<JobResult>(next)) << std::get<JobFailure>(next).error.message;
}

}  // namespace
}  // namespace rubato
