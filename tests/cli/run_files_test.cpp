// failed.csv and report.html, as several runs that share an output folder leave them.
#include "app/cli/run_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "pipelines/job/run/publication.h"
#include "tests/support/temp_folder.h"

namespace rubato::cli {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class RunFiles : public testing::Test {
 protected:
  RunFiles() { fs::create_directory(dir_ / ".rubato"); }

  // What a run of one job that failed leaves.
  Result<> write_failure(const std::string& id, const std::string& job_file = "shots.csv") const {
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
    BatchFile file;
    file.name = job_file;
    return write_run_files(options, file, plan, result, std::chrono::system_clock::now(), job_file);
  }

  // A job that an earlier run had done.
  void write_done(const std::string& key, const std::string& clip, const std::string& source) const {
    std::ofstream(dir_ / clip) << "pixels";
    std::ofstream(dir_ / ".rubato" / (key + ".done"))
        << R"({"version":1,"job":"ring","frames_sha256":"","files":[{"path":")" << clip
        << R"(","work":"out/a","kind":"video","sha256":"abc","bytes":2000,"modified_ns":1}],"facts":{"wall_s":72.4,)"
        << R"("seconds":{"denoise":61.0,"decode":9.5},"attempts":2,"device":"cuda:3","index":17,"source":")" << source
        << R"(","frames":33,"steps":20,"size":[832,480],"model":"wan","prompt":"a ring"}})";
  }

  test::TempFolder dir_;
};

// The run that did a job knows how it went; one that only finds it done does not.
TEST_F(RunFiles, TellHowJobsWentThatEarlierRunsDid) {
  write_done("key", "ring.mp4", "shots.csv, line 18");
  RunPlan plan;
  auto& job = plan.jobs.emplace_back();
  job.batch.job.id = "ring";
  job.job.out = job.named = "ring.mp4";
  job.key = "key";
  plan.is_done = {true};
  plan.is_refused = {false};
  RunResult result;
  result.outcomes.resize(1);
  result.outcomes[0].state = JobState::Done;
  result.outcomes[0].earlier = true;
  result.outcomes[0].outputs = {{"ring.mp4", "video", 2000, "abc"}};
  RunOptions options;
  options.out = dir_.path();
  BatchFile file;
  file.name = "shots.csv";
  ASSERT_TRUE(write_run_files(options, file, plan, result, std::chrono::system_clock::now(), "shots.csv",
                              {{"ring", {"wan does not know 'dragon'"}}})
                  .ok());
  const auto report = test::slurp(dir_ / "report.html");
  for (const auto* part : {"This run rendered</dt><dd>nothing<", "All runs worked on jobs for</dt><dd>1 min 12 s<",
                           "Files of all runs</dt><dd>2.0 kB<", "<summary>1 min 12 s</summary>", "denoise 1 min 01 s",
                           "2 attempts", "wan does not know &#39;dragon&#39;", "<h1><bdi>shots.csv</bdi></h1>"})
    EXPECT_THAT(report, HasSubstr(part));
}

TEST_F(RunFiles, KeepTheJobsOfTheFileBeforeFailedCsv) {
  write_done("other key", "ring.mp4", "shots.csv, line 18");
  ASSERT_TRUE(write_failure("cube", "failed.csv").ok());
  const auto report = test::slurp(dir_ / "report.html");
  for (const auto* part : {"<h1><bdi>shots.csv</bdi></h1>", "This run, of <bdi>failed.csv</bdi>: ", "cube",
                           "<td class=\"n\">17</td>", "shots.csv, line 18 · 2 attempts", "832×480",
                           "33 frames · 20 steps", "<a href=\"./ring.mp4\">", "<summary>1 min 12 s</summary>"})
    EXPECT_THAT(report, HasSubstr(part));
  EXPECT_THAT(report, Not(HasSubstr("<td class=\"n\">0</td>")));
}

// A record is a file that anybody may have written.
TEST_F(RunFiles, TakeNoHarmFromFactsOfAnotherKind) {
  std::ofstream(dir_ / "ring.mp4") << "pixels";
  std::ofstream(dir_ / ".rubato" / "key.done")
      << R"({"version":1,"job":"ring","frames_sha256":"","files":[{"path":"ring.mp4","work":"a","kind":"video",)"
      << R"("sha256":"","bytes":1,"modified_ns":1}],"facts":{"wall_s":"x","seconds":{"a":[]},"attempts":1e300,)"
      << R"("index":-3,"source":7,"frames":{},"steps":99999999999,"size":["a",1]}})";
  ASSERT_TRUE(write_failure("cube").ok());
  EXPECT_THAT(test::slurp(dir_ / "report.html"), HasSubstr("ring.mp4"));
}

TEST_F(RunFiles, PutAPersonsPageAsideAndReplaceTheirOwn) {
  std::ofstream(dir_ / "report.html") << "<!doctype html>\n<title>my notes</title>";
  ASSERT_TRUE(write_failure("cube").ok());
  EXPECT_EQ(test::slurp(dir_ / "report-2.html"), "<!doctype html>\n<title>my notes</title>");
  ASSERT_TRUE(write_failure("ring").ok());
  EXPECT_THAT(test::slurp(dir_ / "report.html"), HasSubstr("ring"));
  EXPECT_FALSE(fs::exists(dir_ / "report-3.html"));
}

// Another run finished the job while this one was being stopped.
TEST_F(RunFiles, DoNotOweWhatIsDoneByNow) {
  std::ofstream(dir_ / "cube.mp4") << "pixels";
  Publication files(dir_.path(), "key of cube", dir_ / "work");
  fs::create_directories(dir_ / "work/out");
  fs::rename(dir_ / "cube.mp4", dir_ / "work/out/cube.mp4");
  DoneRecord record;
  record.job = "cube";
  record.files = {{"cube.mp4", "out/cube.mp4", "video"}};
  ASSERT_TRUE(files.decide(record).ok());
  ASSERT_TRUE(files.publish(Replace::Own).ok());
  ASSERT_TRUE(write_failure("cube").ok());
  EXPECT_FALSE(fs::exists(dir_ / "failed.csv"));
  std::ofstream(dir_ / "cube.mp4") << "something else by now";
  ASSERT_TRUE(write_failure("cube").ok());
  EXPECT_TRUE(fs::exists(dir_ / "failed.csv"));
}

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
