// failed.csv and report.html, as several runs that share an output folder leave them.
#include "app/cli/run_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/temp_folder.h"

namespace rubato::cli {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class RunFiles : public testing::Test {
 protected:
  RunFiles() { fs::create_directory(dir_ / ".rubato"); }

  // What a run of one job that failed leaves.
  Result<> write_failure(const std::string& id) const {
    RunPlan plan;
    auto& job = plan.jobs.emplace_back();
    job.batch.job.id = id;
    job.batch.job.seed = 1;
    job.job = job.batch.job;
    job.job.out = job.named = id + ".mp4";
    job.key = "key of " + id;
    plan.is_done = plan.is_refused = {false};
    RunResult result;
    result.outcomes.resize(1);
    result.outcomes[0].state = JobState::Failed;
    result.outcomes[0].reason = "it was to fail";
    RunOptions options;
    options.out = dir_.path();
    return write_run_files(options, BatchFile{}, plan, result, std::chrono::system_clock::now(), "shots.csv");
  }

  test::TempFolder dir_;
};

TEST_F(RunFiles, OfRunsThatEndTogetherLoseNoRow) {
  constexpr int kRuns = 6, kJobs = 8;
  std::vector<pid_t> children;
  for (int run = 0; run < kRuns; ++run) {
    const auto child = ::fork();
    if (child == 0) {
      bool written = true;
      for (int job = 0; job < kJobs; ++job)
        written = write_failure("run" + std::to_string(run) + "-" + std::to_string(job)).ok() && written;
      ::_exit(written ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const auto child : children) {
    int status = 1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  const auto csv = test::slurp(dir_ / "failed.csv"), report = test::slurp(dir_ / "report.html");
  for (int run = 0; run < kRuns; ++run)
    for (int job = 0; job < kJobs; ++job) {
      const auto id = "run" + std::to_string(run) + "-" + std::to_string(job);
      EXPECT_THAT(csv, HasSubstr(id + ".mp4"));
      EXPECT_THAT(report, HasSubstr(id));
    }
}

// Rows that cannot be read are not nothing.
TEST_F(RunFiles, LeaveAFailedCsvAloneThatCannotBeRead) {
  ASSERT_EQ(::mkfifo((dir_ / "failed.csv").c_str(), 0600), 0);  // root may read whatever its mode forbids
  const auto written = write_failure("other");
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, ErrorCode::CannotWrite);
  EXPECT_THAT(written.error().message, HasSubstr("failed.csv"));
  EXPECT_TRUE(fs::is_fifo(dir_ / "failed.csv"));
}

}  // namespace
}  // namespace rubato::cli
