// Jobs of the practice model that meet trouble: what is reported, what is left.
#include "pipelines/runner/video_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "tests/support/small_disk.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

namespace fs = std::filesystem;
using test::SmallDisk;
using test::TempFolder;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class VideoRunnerTrouble : public testing::Test {
 protected:
  static VideoJob job(const fs::path& out) {
    VideoJob job;
    job.model = fs::path(RUBATO_RESOURCES) / "practice" / "video";
    job.prompt = "a red circle moves right";
    job.size = Size{64, 64};
    job.frames = 5;
    job.steps = 3;
    job.seed = 7;
    job.device = "cpu";
    job.out = out;
    return job;
  }

  // Runs the job; on_phase is called as each phase begins. The phases seen go to phases_.
  std::variant<JobResult, JobFailure> run(const VideoJob& job,
                                          const std::function<void(const std::string&)>& on_phase = {}) {
    JobEvents events("test", [&](const protocol::Message& message, int) {
      if (const auto* phase = std::get_if<protocol::Phase>(&message)) {
        phases_.push_back(phase->name);
        if (on_phase) on_phase(phase->name);
      }
    });
    return VideoRunner(ModelFolders{}).run(job, events, stop_.get_token());
  }

  TempFolder folder_;
  std::stop_source stop_;
  std::vector<std::string> phases_;
};

TEST_F(VideoRunnerTrouble, AFullDiskEndsTheJobBeforeTheModelIsLoaded) {
  const SmallDisk disk(folder_ / "disk", "32k");
  if (!disk.mounted()) GTEST_SKIP() << "may not mount a small file system here";
  const auto outcome = run(job(disk / "clip.safetensors"));
  const auto* failure = std::get_if<JobFailure>(&outcome);
  ASSERT_NE(failure, nullptr);
  EXPECT_EQ(exit_code(failure->error.code), 73);
  EXPECT_THAT(failure->error.message, HasSubstr("disk is full"));
  EXPECT_THAT(phases_, testing::IsEmpty());
  EXPECT_TRUE(fs::is_empty(disk.path()));
}

TEST_F(VideoRunnerTrouble, LatentsThatCannotBeKeptEndTheJobBeforeItDecodes) {
  const SmallDisk disk(folder_ / "disk", "4m");
  if (!disk.mounted()) GTEST_SKIP() << "may not mount a small file system here";
  const auto outcome = run(job(disk / "clip.safetensors"), [&](const std::string& phase) {
    if (phase != "denoise") return;
    fs::remove(disk / "clip.safetensors.rubato-partial/reserve");  // somebody takes even that
    disk.fill();
  });
  const auto* failure = std::get_if<JobFailure>(&outcome);
  ASSERT_NE(failure, nullptr);
  EXPECT_EQ(failure->error.code, ErrorCode::CannotWrite);
  EXPECT_THAT(phases_, Not(Contains("decode")));
  EXPECT_EQ(failure->kept, "");
  EXPECT_FALSE(fs::exists(disk / "clip.safetensors.rubato-partial"));
}

TEST_F(VideoRunnerTrouble, ATraceThatCannotFitEndsTheJobBeforeTheModelIsLoaded) {
  const SmallDisk disk(folder_ / "disk", "16k");
  if (!disk.mounted()) GTEST_SKIP() << "may not mount a small file system here";
  auto traced = job("");
  traced.trace = disk / "trace.safetensors";
  const auto outcome = run(traced);
  const auto* failure = std::get_if<JobFailure>(&outcome);
  ASSERT_NE(failure, nullptr);
  EXPECT_EQ(failure->error.code, ErrorCode::CannotWrite);
  EXPECT_THAT(phases_, testing::IsEmpty());
}

}  // namespace
}  // namespace rubato
