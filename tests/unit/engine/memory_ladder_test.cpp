// Running out of memory: the order of what is tried, and jobs that come through it.
#include "pipelines/runner/memory_ladder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "pipelines/runner/video_runner.h"
#include "tests/support/failing_allocator.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> steps_of(const nlohmann::json& memory) {
  std::vector<std::string> names;
  for (const auto& step : memory["steps"]) names.push_back(step["step"]);
  return names;
}

std::vector<std::string> all_steps(MemoryLadder ladder, MemoryStage stage) {
  while (ladder.next(stage, "", ladder.plan().tile)) {
  }
  return steps_of(ladder.report());
}

TEST(MemoryLadder, GoesFromWhatCostsNothingToWhatCostsMost) {
  const MemoryLadder::Job clip{.on_gpu = true, .guided = true, .width = 832, .height = 480};
  EXPECT_THAT(all_steps({{}, clip}, MemoryStage::Denoise),
              ElementsAre("free_caches", "offload_parts", "stream_layers", "branches_apart"));
  EXPECT_THAT(all_steps({{}, clip}, MemoryStage::Text), ElementsAre("free_caches", "offload_parts", "stream_layers"));
  EXPECT_THAT(all_steps({{}, clip}, MemoryStage::Decode), ElementsAre("free_caches", "smaller_tile", "smaller_tile",
                                                                      "smaller_tile", "smaller_tile", "offload_parts"));
}

TEST(MemoryLadder, SkipsWhatChangesNothing) {
  const MemoryLadder::Job small{.on_gpu = false, .guided = false, .width = 128, .height = 128};
  EXPECT_THAT(all_steps({{}, small}, MemoryStage::Denoise), ElementsAre("free_caches", "offload_parts"));
  EXPECT_THAT(all_steps({{}, small}, MemoryStage::Decode), ElementsAre("free_caches", "offload_parts"));
  const MemoryPlan lowest{.offload = Offload::Layers, .branches_apart = true, .tile = 256};
  const MemoryLadder::Job large{.on_gpu = true, .guided = true, .width = 832, .height = 480};
  EXPECT_THAT(all_steps({lowest, large}, MemoryStage::Denoise), ElementsAre("free_caches"));
  EXPECT_THAT(all_steps({lowest, large}, MemoryStage::Decode), ElementsAre("free_caches"));
}

TEST(MemoryLadder, StepsOfOneStageServeTheNext) {
  MemoryLadder ladder({}, {.on_gpu = false, .guided = true, .width = 64, .height = 64});
  EXPECT_THAT(*ladder.next(MemoryStage::Denoise, "after step 3 of 30"),
              HasSubstr("memory ran out in denoise after step 3 of 30: cached memory is given back"));
  EXPECT_TRUE(ladder.next(MemoryStage::Denoise, ""));
  EXPECT_EQ(ladder.plan().offload, Offload::Parts);
  EXPECT_TRUE(ladder.next(MemoryStage::Decode, ""));  // caches again: they hold what the denoising used
  EXPECT_FALSE(ladder.next(MemoryStage::Decode, ""));
}

// A job of the practice model through an allocator that fails.
class ShortOfMemory : public testing::Test {
 protected:
  static constexpr std::size_t kLarge = 4096;  // what a tensor of activations takes at least

  VideoJob job(const std::string& name) const {
    VideoJob job;
    job.model = fs::path(RUBATO_RESOURCES) / "practice" / "video";
    job.prompt = "a red circle moves right";
    job.size = Size{64, 64};
    job.frames = 5;
    job.steps = 4;
    job.seed = 7;
    job.device = "cpu";
    job.out = folder_ / name;
    return job;
  }

  // Memory runs out `times` times when the phase begins, or after the first step (its preview) when it is "step".
  std::variant<JobResult, JobFailure> run(const VideoJob& job, const std::string& when = "", int times = 0) {
    bool armed = false;
    JobEvents events("test", [&](const protocol::Message& message, int) {
      if (const auto* warning = std::get_if<protocol::Warn>(&message)) warnings_.push_back(warning->message);
      const auto* phase = std::get_if<protocol::Phase>(&message);
      const bool now = (phase != nullptr && phase->name == when) ||
                       (when == "step" && std::holds_alternative<protocol::Preview>(message));
      if (now && !std::exchange(armed, true)) memory_.fail(times, kLarge);
    });
    auto outcome = runner_.run(job, events, {});
    memory_.fail(0);
    return outcome;
  }

  nlohmann::json report_of(const std::variant<JobResult, JobFailure>& outcome) const {
    const auto* failure = std::get_if<JobFailure>(&outcome);
    EXPECT_EQ(failure, nullptr) << failure->error.message;
    return failure == nullptr ? std::get<JobResult>(outcome).report : nlohmann::json();
  }

  test::TempFolder folder_;
  VideoRunner runner_{ModelFolders{}};
  test::FailingAllocator memory_;
  std::vector<std::string> warnings_;
};

TEST_F(ShortOfMemory, AJobComesThroughWithTheSameFrames) {
  const auto calm = report_of(run(job("calm.safetensors")));
  EXPECT_THAT(steps_of(calm["memory"]), IsEmpty());
  for (const std::string when : {"load", "text", "denoise", "step", "decode"})
    for (const int times : {1, 2}) {
      const auto report = report_of(run(job(when + std::to_string(times) + ".safetensors"), when, times));
      SCOPED_TRACE(when + ", " + std::to_string(times) + " times: " + report["memory"].dump());
      EXPECT_EQ(report["frames_sha256"], calm["frames_sha256"]);
      if (times == 1)
        EXPECT_THAT(steps_of(report["memory"]), ElementsAre("free_caches"));
      else
        EXPECT_THAT(steps_of(report["memory"]), ElementsAre("free_caches", "offload_parts"));
    }
}

TEST_F(ShortOfMemory, TheFailedStageIsTriedAgainFromWhereItStood) {
  const auto report = report_of(run(job("clip.safetensors"), "step", 1));
  ASSERT_EQ(report["memory"]["steps"].size(), 1u);
  EXPECT_EQ(report["memory"]["steps"][0]["stage"], "denoise");
  EXPECT_EQ(report["memory"]["steps"][0]["where"], "after step 1 of 4");
  EXPECT_THAT(warnings_, testing::Contains(HasSubstr("memory ran out in denoise after step 1 of 4")));
}

TEST_F(ShortOfMemory, LastOfAllBranchesAreComputedApart) {
  const auto report = report_of(run(job("clip.safetensors"), "step", 3));
  EXPECT_THAT(steps_of(report["memory"]), ElementsAre("free_caches", "offload_parts", "branches_apart"));
}

TEST_F(ShortOfMemory, AtTheEndOfTheLadderOnlyThisJobFailsAndItsLatentsAreKept) {
  const auto outcome = run(job("clip.safetensors"), "decode", 1000);
  const auto* failure = std::get_if<JobFailure>(&outcome);
  ASSERT_NE(failure, nullptr);
  EXPECT_EQ(failure->error.code, ErrorCode::OutOfMemory);
  EXPECT_EQ(exit_code(failure->error.code), 5);
  EXPECT_NE(failure->kept, "");
  EXPECT_FALSE(fs::exists(folder_ / "clip.safetensors"));

  const auto next = report_of(run(job("next.safetensors")));
  EXPECT_THAT(steps_of(next["memory"]), IsEmpty());
  const auto again = report_of(run(job("clip.safetensors")));  // goes on with the latents that were kept
  EXPECT_EQ(again["frames_sha256"], next["frames_sha256"]);
}

}  // namespace
}  // namespace rubato
