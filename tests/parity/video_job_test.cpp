// Whole jobs, from the job's JSON to frames, against diffusers pipelines: each tests/data/wan_2* folder is a random
// WanPipeline with reference runs of it (make_wan.py); practice_video holds runs of the practice model.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "pipelines/runner/video_runner.h"
#include "tests/parity/golden.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

class VideoJobParity : public testing::TestWithParam<fs::path> {
 protected:
  void SetUp() override {
    scratch_ = fs::path(testing::TempDir()) / ("video_job_" + std::to_string(::getpid()) + GetParam().stem().string());
    fs::create_directories(scratch_);
  }
  void TearDown() override { fs::remove_all(scratch_); }

  // Runs the job on the CPU in float32 and gives its trace, final latents and frames.
  Tensors run(VideoJob job) {
    job.device = "cpu";
    job.dtype = "float32";
    job.out = scratch_ / "frames.safetensors";
    job.trace = scratch_ / "trace.safetensors";
    job.latents_out = scratch_ / "latents.safetensors";
    JobEvents events("test", [](const protocol::Message&, int) {});
    VideoRunner runner(ModelFolders{});
    auto outcome = runner.run(job, events, {});
    if (auto* failure = std::get_if<JobFailure>(&outcome)) {
      ADD_FAILURE() << failure->error.message;
      return {};
    }
    Tensors all = golden(job.trace);
    all["final"] = golden(job.latents_out).at("latents");
    all["frames"] = golden(job.out).at("frames");
    return all;
  }

  fs::path scratch_;
};

std::vector<fs::path> golden_runs() {
  std::vector<fs::path> runs;
  for (const auto& folder : golden_folders("wan_2"))
    for (const auto& file : golden_files(folder)) runs.push_back(file);
  return runs;
}

std::string run_name(const testing::TestParamInfo<fs::path>& info) {
  return info.param.parent_path().filename().string() + "_" + info.param.stem().string();
}

TEST_P(VideoJobParity, EveryStepAndFrameEqualsDiffusers) {
  const auto file = GetParam();
  const Tensors want = golden(file);
  auto job = video_job_from_json(nlohmann::json::parse(golden_metadata(file, "job")), file.string());
  ASSERT_TRUE(job.ok()) << job.error().message;
  job->model = file.parent_path();
  if (const auto image = want.find("image"); image != want.end()) {
    job->image = scratch_ / "image.safetensors";
    ASSERT_TRUE(write_tensors(job->image, {{"image", image->second}}, {}, Overwrite::Always).ok());
  }
  const Tensors got = run(*job);
  ASSERT_FALSE(got.empty());

  EXPECT_TRUE(at::equal(got.at("initial_latents"), want.at("noise"))) << "the seed's noise";
  EXPECT_TRUE(at::equal(got.at("prompt_ids").to(at::kLong), want.at("prompt_ids").to(at::kLong)));
  expect_close(got.at("prompt_embeds"), want.at("prompt_embeds"), "prompt_embeds");
  expect_close(got.at("negative_prompt_embeds"), want.at("negative_prompt_embeds"), "negative_prompt_embeds");
  expect_close(got.at("sigmas"), want.at("sigmas"), "sigmas", 1e-6);
  expect_close(got.at("timesteps"), want.at("timesteps"), "timesteps", 1e-6);
  int steps = 0;
  for (const auto& [name, tensor] : want) {
    if (!name.starts_with("velocity.") && !name.starts_with("latents.")) continue;
    expect_close(got.at(name), tensor, name);
    ++steps;
  }
  EXPECT_EQ(steps, 2 * *job->steps);
  expect_close(got.at("frames"), want.at("frames"), "frames", 1e-3);
}
INSTANTIATE_TEST_SUITE_P(RandomPipelines, VideoJobParity, testing::ValuesIn(golden_runs()), run_name);

std::string practice_name(const testing::TestParamInfo<fs::path>& prompt) { return prompt.param.stem().string(); }

class PracticeVideoParity : public VideoJobParity {};

TEST_P(PracticeVideoParity, EqualsTheReferenceTensors) {
  const auto file = GetParam();
  const Tensors want = golden(file);
  VideoJob job;
  job.model = fs::path(RUBATO_RESOURCES) / "practice/video";
  job.prompt = golden_metadata(file, "prompt");
  job.negative_prompt = "";
  job.size = Size{64, 64};
  job.frames = 17;
  job.max_sequence_length = 32;
  job.steps = std::stoi(golden_metadata(file, "steps"));
  job.guidance = std::stod(golden_metadata(file, "guidance_scale"));
  job.seed = std::stoull(golden_metadata(file, "seed"));
  const Tensors got = run(job);
  ASSERT_FALSE(got.empty());

  expect_close(got.at("initial_latents")[0], want.at("latents_init"), "latents_init", 0);
  expect_close(got.at("prompt_embeds")[0], want.at("text_embeds"), "text_embeds");
  expect_close(got.at("negative_prompt_embeds")[0], want.at("text_embeds_uncond"), "text_embeds_uncond");
  const auto velocity = want.at("velocity0_uncond") + *job.guidance * (want.at("velocity0_cond") - want.at("velocity0_uncond"));
  expect_close(got.at("velocity.000")[0], velocity, "velocity.000");
  for (std::int64_t i = 0; i < *job.steps; ++i) {
    char name[32];
    std::snprintf(name, sizeof name, "latents.%03d", static_cast<int>(i));
    expect_close(got.at(name)[0], want.at("latents_steps")[i], name);
  }
  // Stored as float16 in -1..1: half a unit in its last place is 2.5e-4.
  const auto frames = want.at("frames").to(at::kFloat).permute({1, 2, 3, 0}).mul(0.5).add(0.5).clamp(0, 1);
  expect_close(got.at("frames"), frames, "frames", 1e-3);
}
INSTANTIATE_TEST_SUITE_P(Prompts, PracticeVideoParity,
                         testing::Values(fs::path(RUBATO_TEST_DATA) / "practice_video/prompt0.safetensors",
                                         fs::path(RUBATO_TEST_DATA) / "practice_video/prompt1.safetensors"),
                         practice_name);

}  // namespace
}  // namespace rubato
