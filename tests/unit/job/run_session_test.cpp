// A run as its caller sees it, with workers that do what their job's prompt says (fake_worker/main.cpp).
#include "pipelines/job/run/run_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "pipelines/job/run/folder_lock.h"
#include "tests/support/small_disk.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;

struct Wish {
  std::string id, prompt;
  std::string device = "auto";
  std::vector<std::size_t> after = {};
};

class RunSessionTest : public testing::Test, public RunObserver {
 protected:
  RunSessionTest() {
    options_.out = dir_ / "out";
    options_.turns = dir_ / "turns";
    options_.worker.executable = fs::path(RUBATO_BIN_DIR) / "rubato_fake_worker";
    options_.restarts.delays[0] = options_.restarts.delays[1] = options_.restarts.delays[2] = 0ms;
    // A run that never ends is stopped, and the test fails by what it says.
    options_.stop_wish = [this] {
      return std::chrono::steady_clock::now() - began_ > 20s ? StopWish::AtOnce : StopWish::None;
    };
  }

  void plan(const std::vector<Wish>& wishes) {
    for (const auto& wish : wishes) {
      auto& job = plan_.jobs.emplace_back();
      job.batch.job.id = wish.id;
      job.batch.index = static_cast<int>(plan_.jobs.size());
      job.job.id = wish.id;
      job.job.prompt = wish.prompt;
      job.job.device = wish.device;
      job.job.seed = 1;
      job.job.out = job.named = wish.id + ".mp4";
      job.key = "key-" + wish.id;
      job.after = wish.after;
      plan_.is_done.push_back(false);
      plan_.is_refused.push_back(false);
    }
  }

  RunResult run() {
    began_ = std::chrono::steady_clock::now();
    RunSession session(options_, plan_, *this);
    auto result = session.run();
    EXPECT_TRUE(result.ok()) << result.error().message;
    return result ? std::move(*result) : RunResult{};
  }

  bool is_there(const std::string& file) const { return fs::exists(options_.out / file); }

  void started(const RunJob&, const std::string&, int) override { ++starts_; }
  void message(const RunJob&, const protocol::Message&) override {}
  void ended(const RunJob&, const RunOutcome&) override {}
  void note(const std::string& sentence) override {
    notes_.push_back(sentence);
    if (on_note_) on_note_(sentence);
  }

  test::TempFolder dir_;
  RunOptions options_;
  RunPlan plan_;
  int starts_ = 0;
  std::vector<std::string> notes_;
  std::function<void(const std::string&)> on_note_;
  std::chrono::steady_clock::time_point began_{};
};

TEST_F(RunSessionTest, RendersEachJobAfterThoseItWaitsForAndFindsThemDoneAgain) {
  plan({{"late", "make", "auto", {1}}, {"early", "make"}});
  const auto first = run();
  EXPECT_FALSE(first.stopped);
  EXPECT_EQ(first.outcomes[0].state, JobState::Done);
  EXPECT_TRUE(is_there("early.mp4"));
  EXPECT_EQ(test::slurp(options_.out / "late.mp4"), "clip of late");
  EXPECT_EQ(starts_, 2);

  const auto second = run();
  EXPECT_EQ(starts_, 2);
  EXPECT_TRUE(second.outcomes[0].earlier);
  EXPECT_EQ(second.outcomes[0].outputs[0].path, "late.mp4");
}

TEST_F(RunSessionTest, TriesAJobOnceMoreWhoseWorkerDiedAndPutsItAsideTheSecondTime) {
  options_.restarts.deaths = 100;
  plan({{"once", "die-once"}, {"twice", "die denoise"}, {"waits", "make", "auto", {1}}});
  const auto result = run();
  EXPECT_FALSE(result.stopped);
  EXPECT_EQ(result.outcomes[0].state, JobState::Done);
  EXPECT_EQ(result.outcomes[0].attempts, 2);
  EXPECT_EQ(result.outcomes[1].state, JobState::Suspended);
  EXPECT_THAT(result.outcomes[1].reason, HasSubstr("quarantine"));
  EXPECT_EQ(result.outcomes[2].state, JobState::Blocked);
  EXPECT_THAT(result.outcomes[2].reason, HasSubstr("it waits for twice"));
}

// The jobs that only the worker that was given up could take have failed; the rest is rendered.
TEST_F(RunSessionTest, GoesOnWithTheWorkersThatAreLeft) {
  options_.devices = {"cuda:0", "cuda:1"};
  options_.max_retries = 100;
  plan({{"killer", "die denoise", "cuda:0"}, {"there", "make", "cuda:0", {0}}, {"any", "make"}, {"one", "make"}});
  const auto result = run();
  EXPECT_FALSE(result.stopped) << result.stopped->message;
  EXPECT_EQ(result.outcomes[0].state, JobState::Failed);
  EXPECT_EQ(result.outcomes[0].code, ErrorCode::EngineDied);
  EXPECT_THAT(result.outcomes[0].reason, HasSubstr("it is to run on cuda:0, where the engine ended 3 times"));
  EXPECT_EQ(result.outcomes[1].state, JobState::Failed);
  EXPECT_EQ(result.outcomes[2].state, JobState::Done);
  EXPECT_EQ(result.outcomes[3].state, JobState::Done);
}

TEST_F(RunSessionTest, EndsWhenNoWorkerIsLeft) {
  options_.devices = {"cuda:0", "cuda:1"};
  options_.max_retries = 100;
  plan({{"killer", "die denoise"}, {"other", "die denoise"}, {"never", "make", "auto", {0}}});
  const auto result = run();
  ASSERT_TRUE(result.stopped);
  EXPECT_EQ(result.stopped->code, ErrorCode::EngineDied);
  EXPECT_EQ(result.outcomes.size(), 3u);
  EXPECT_NE(result.outcomes[2].state, JobState::Done);
}

TEST_F(RunSessionTest, RefusesAJobForADeviceThatItDoesNotUse) {
  options_.devices = {"cuda:0"};
  plan({{"elsewhere", "make", "cuda:1"}, {"here", "make", "cuda:0"}});
  const auto result = run();
  EXPECT_EQ(result.outcomes[0].code, ErrorCode::NoDevice);
  EXPECT_EQ(result.outcomes[1].state, JobState::Done);
}

// There is room, but not for this job: as long as a disk that is full, and no longer, it is waited for.
TEST_F(RunSessionTest, WaitsForRoomForAJobNoLongerThanAsked) {
  options_.disk_patience = 1s;
  plan({{"vast", "make"}});
  plan_.jobs[0].output_bytes = std::uint64_t{1} << 60;
  const auto result = run();
  ASSERT_TRUE(result.stopped);
  EXPECT_EQ(result.stopped->code, ErrorCode::CannotWrite) << result.stopped->message;
  EXPECT_THAT(result.stopped->message, HasSubstr("; free some space and run the same command again"));
  EXPECT_THAT(notes_, testing::ElementsAre(HasSubstr("waiting for the disk")));
  EXPECT_EQ(starts_, 0);
}

// What an earlier run left of a job is a part of what the job takes; only the rest has to be free.
TEST_F(RunSessionTest, GoesOnWithAJobWhoseWorkFillsTheDisk) {
  const test::SmallDisk disk(options_.out, "4m");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a file system needs rights that this run lacks";
  const auto work = options_.out / ".rubato/work/key-begun.OLDTOKEN/out/begun.mp4.rubato-partial";
  fs::create_directories(work);
  std::ofstream(work / "latents.safetensors") << std::string(2'500'000, 'x');
  options_.disk_patience = 1s;
  plan({{"begun", "make"}});
  plan_.jobs[0].output_bytes = 3'000'000;
  const auto result = run();
  EXPECT_FALSE(result.stopped) << result.stopped->message;
  EXPECT_EQ(result.outcomes[0].state, JobState::Done);
  EXPECT_THAT(notes_, testing::IsEmpty());
}

// Somebody was stopped while he took a job over. What nobody ever had needs no taking over.
TEST_F(RunSessionTest, RendersWhatNobodyEverHadWhileAnotherIsStuckInATakeover) {
  fs::create_directories(options_.out / ".rubato");
  const auto stuck = FolderLock::take(options_.out / ".rubato/takeover", 0ms);
  ASSERT_TRUE(stuck.ok() && *stuck);
  plan({{"new", "make"}});
  const auto result = run();
  EXPECT_FALSE(result.stopped);
  EXPECT_EQ(result.outcomes[0].state, JobState::Done);
}

TEST_F(RunSessionTest, SaysWhomItWaitsForToTakeAJobOver) {
  fs::create_directories(options_.out / ".rubato/work/key-begun.OLDTOKEN");
  std::optional<FolderLock> stuck;
  {
    auto taken = FolderLock::take(options_.out / ".rubato/takeover", 0ms);
    ASSERT_TRUE(taken.ok() && *taken);
    stuck = std::move(*taken);
  }
  on_note_ = [&](const std::string& sentence) {
    if (sentence.starts_with("waiting for ")) stuck.reset();
  };
  plan({{"begun", "make"}});
  const auto result = run();
  EXPECT_FALSE(result.stopped);
  EXPECT_EQ(result.outcomes[0].state, JobState::Done);
  EXPECT_THAT(notes_, Contains(testing::AllOf(HasSubstr(", process " + std::to_string(::getpid())),
                                              HasSubstr(".rubato/takeover and does not go on"))));
}

TEST_F(RunSessionTest, StopsAtTheFirstFailureWhenAsked) {
  options_.stop_on_error = true;
  options_.max_retries = 0;
  plan({{"bad", "die denoise"}, {"good", "make"}});
  const auto result = run();
  ASSERT_TRUE(result.stopped);
  EXPECT_THAT(result.stopped->message, HasSubstr("stopped at the first failure, bad"));
  EXPECT_FALSE(is_there("good.mp4"));
}

}  // namespace
}  // namespace rubato
