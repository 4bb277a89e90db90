// Jobs of the practice model that meet trouble: what is reported, what is left.
#include "pipelines/runner/video_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>

#include "engine/files/safetensors.h"
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

TEST_F(VideoRunnerTrouble, AStopWhileDecodingKeepsTheLatentsAndTheSameJobDecodesThem) {
  auto late = job(folder_ / "clip.safetensors");
  late.latents_out = folder_ / "latents.safetensors";
  const auto stopped = run(late, [&](const std::string& phase) {
    if (phase == "decode") stop_.request_stop();
  });
  const auto* failure = std::get_if<JobFailure>(&stopped);
  ASSERT_NE(failure, nullptr);
  EXPECT_EQ(failure->error.code, ErrorCode::Cancelled);
  EXPECT_EQ(failure->kept,
            "the finished latents are kept in " + late.out + ".rubato-partial; the same command only decodes them");

  stop_ = {};
  const auto outcome = run(late);
  ASSERT_TRUE(std::holds_alternative<JobResult>(outcome)) << std::get<JobFailure>(outcome).error.message;
  EXPECT_TRUE(fs::exists(late.out));
  EXPECT_TRUE(fs::exists(late.latents_out));
}

TEST_F(VideoRunnerTrouble, AStopWhileTracingSaysHowToGoOn) {
  auto traced = job(folder_ / "clip.safetensors");
  traced.trace = folder_ / "trace.safetensors";
  const auto stopped = run(traced, [&](const std::string& phase) {
    if (phase == "decode") stop_.request_stop();
  });
  const auto* failure = std::get_if<JobFailure>(&stopped);
  ASSERT_NE(failure, nullptr);
  EXPECT_THAT(failure->kept, HasSubstr("the same command without --trace only decodes them"));
  EXPECT_FALSE(fs::exists(traced.trace));  // or the same command would be refused
  traced.trace.clear();
  stop_ = {};
  EXPECT_TRUE(std::holds_alternative<JobResult>(run(traced)));
}

TEST_F(VideoRunnerTrouble, WorkOfAnEarlierRunIsStillKeptWhenStoppedBeforeTheFirstStep) {
  const auto same = job(folder_ / "clip.safetensors");
  run(same, [&](const std::string& phase) {
    if (phase == "decode") stop_.request_stop();
  });
  const auto stopped = run(same);  // stops while the model is loaded
  const auto* failure = std::get_if<JobFailure>(&stopped);
  ASSERT_NE(failure, nullptr);
  EXPECT_THAT(failure->error.message, HasSubstr("while loading"));
  EXPECT_THAT(failure->kept, HasSubstr("only decodes them"));
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

TEST_F(VideoRunnerTrouble, ATruncatedVaeIsNamedBeforeAnythingIsLoaded) {
  const auto model = folder_ / "model";
  fs::copy(fs::path(RUBATO_RESOURCES) / "practice" / "video", model, fs::copy_options::recursive);
  const auto weights = model / "vae" / "diffusion_pytorch_model.safetensors";
  fs::resize_file(weights, fs::file_size(weights) / 2);
  auto damaged = job(folder_ / "clip.safetensors");
  damaged.model = model;
  const auto outcome = run(damaged);
  const auto& error = std::get<JobFailure>(outcome).error;
  EXPECT_EQ(error.code, ErrorCode::ModelUnfit);
  EXPECT_THAT(error.message, HasSubstr(weights.string()));
  EXPECT_THAT(phases_, testing::IsEmpty());
}

TEST_F(VideoRunnerTrouble, AStopDoesNotWaitForTheHashOfALargeModel) {
  const auto model = folder_ / "model";
  fs::copy(fs::path(RUBATO_RESOURCES) / "practice" / "video", model, fs::copy_options::recursive);
  folder_.write("model/tokenizer/notes.txt", "");
  fs::resize_file(model / "tokenizer/notes.txt", 256ull << 30);  // a hole: two minutes of hashing at the least
  auto large = job(folder_ / "clip.safetensors");
  large.model = model;
  const auto started = std::chrono::steady_clock::now();
  const auto stopped = run(large, [&](const std::string& phase) {
    if (phase == "denoise") stop_.request_stop();
  });
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(60));
  EXPECT_EQ(std::get<JobFailure>(stopped).error.code, ErrorCode::Cancelled);
}

TEST_F(VideoRunnerTrouble, TheReportKnowsHowLongTheWritingTookAndTheFileDoesNotClaimTo) {
  const auto clip = job(folder_ / "clip.safetensors");
  const auto outcome = run(clip);
  const auto& seconds = std::get<JobResult>(outcome).report["seconds"];
  EXPECT_GT(seconds["mux"].get<double>(), 0);
  const auto written = nlohmann::json::parse(read_safetensors_header(clip.out).value().metadata.at("rubato"));
  EXPECT_FALSE(written["seconds"].contains("mux"));
  EXPECT_GT(written["seconds"]["decode"].get<double>(), 0);
}

}  // namespace
}  // namespace rubato
