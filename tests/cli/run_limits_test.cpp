// A run that may not do all: too little room on the disk, or a limit on the number of jobs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/cli/program.h"
#include "tests/support/small_disk.h"

namespace rubato::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::size_t times(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

class CliRunLimits : public testing::Test {
 protected:
  void SetUp() override {
    if (!configured("rubato-worker") || !configured("rubato-media"))
      GTEST_SKIP() << "configured without libtorch, or RUBATO_MEDIA is OFF";
  }
  // `rows`: "id,after,out"
  void write_jobs(const std::string& rows) const {
    std::ofstream file(dir_ / "shots.csv");
    file << "prompt,size,frames,steps,seed,device,id,after,out\n";
    for (std::size_t from = 0, to; from < rows.size(); from = to + 1) {
      to = std::min(rows.find('\n', from), rows.size());
      file << "a red circle moves right,128x128,5,2,1,cpu," << rows.substr(from, to - from) << "\n";
    }
  }
  Finished run_jobs(std::vector<std::string> more = {}) const {
    std::vector<std::string> words{"run", "shots.csv", "--out", "out"};
    words.insert(words.end(), more.begin(), more.end());
    return run(here_, words);
  }

  TempDir dir_;
  Shell here_{.folder = dir_.path(), .env = {{"OMP_NUM_THREADS", "1"}}};
};

// Room for the clip but not for the latents that the worker keeps meanwhile: nothing is started in vain.
TEST_F(CliRunLimits, WaitsForRoomForThePartialWorkToo) {
  const SmallDisk disk(dir_ / "out", "300k");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a file system needs rights that this run lacks";
  write_jobs("one,,one.mp4\ntwo,,two.mp4");
  const auto waited = run_jobs({"--disk-wait", "2s", "--progress", "json"});
  EXPECT_EQ(waited.code, 73) << waited.err << waited.out;
  EXPECT_EQ(times(waited.out, "\"job.start\""), 0u) << waited.out;
  EXPECT_EQ(times(waited.out, "waiting for the disk"), 1u) << waited.out;
  EXPECT_THAT(waited.err, HasSubstr("; free some space and run the same command again"));
}

TEST_F(CliRunLimits, RendersOnASmallDiskWhatFits) {
  const SmallDisk disk(dir_ / "out", "640k");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a file system needs rights that this run lacks";
  write_jobs("one,,one.mp4");
  const auto done = run_jobs({"--disk-wait", "2s"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_TRUE(fs::exists(disk / "one.mp4"));
}

// What a limit leaves is not blocked: nothing failed.
TEST_F(CliRunLimits, LeavesTheRestOfAChainForLater) {
  write_jobs("one,,one.mp4\ntwo,one,two.mp4\nthree,two,three.mp4");
  for (const auto* left : {", 2 left for later by --limit", ", 1 left for later by --limit", "3 of 3 jobs done"}) {
    const auto done = run_jobs({"--limit", "1"});
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_THAT(done.err, AllOf(HasSubstr(left), Not(HasSubstr("blocked"))));
    EXPECT_FALSE(fs::exists(dir_ / "out/failed.csv"));
  }
}

}  // namespace
}  // namespace rubato::test
