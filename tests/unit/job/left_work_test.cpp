#include "pipelines/job/run/left_work.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

namespace fs = std::filesystem;
using test::TempFolder;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class LeftWorkTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_.write("shots.csv", "prompt\n");
    folder_.write("other.csv", "prompt\n");
  }
  static std::string key(char digit) { return std::string(64, digit); }
  fs::path work(char digit, const std::string& job_file = "shots.csv") const {
    const auto folder = folder_ / (".rubato/work/" + key(digit) + ".TOKEN");
    folder_.write(".rubato/work/" + key(digit) + ".TOKEN/out/clip.mp4.rubato-partial/latents.safetensors", "half");
    if (!job_file.empty()) note_owner(folder, folder_ / job_file, "shot-3");
    return folder;
  }
  std::vector<LeftWork> left(const std::set<std::string>& keys = {}, const std::string& job_file = "shots.csv") const {
    return left_work(WorkFolders(folder_ / ".rubato"), keys, folder_ / job_file);
  }
  TempFolder folder_;
};

TEST_F(LeftWorkTest, IsThatOfAJobWhichItsFileDoesNotHoldAnyMore) {
  const auto folder = work('a');
  EXPECT_THAT(left({key('a')}), IsEmpty()) << "a job can go on from it";
  const auto found = left({key('b')});
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].folder, folder);
  EXPECT_EQ(found[0].job, "shot-3");
  EXPECT_TRUE(found[0].removable);
  EXPECT_GE(found[0].bytes, 4u);
  EXPECT_THAT(sentences(found, "shots.csv"),
              testing::ElementsAre(AllOf(HasSubstr("Half-done work of shot-3 that shots.csv does not hold"),
                                         HasSubstr("is removed at the end of this run"))));
}

TEST_F(LeftWorkTest, WhatMayBeAnothersStays) {
  work('a', "other.csv");
  EXPECT_THAT(left(), IsEmpty()) << "that file's matter";
  fs::remove(folder_ / "other.csv");
  ASSERT_THAT(left(), SizeIs(1));
  EXPECT_FALSE(left()[0].removable) << "the file may come back";

  work('b', "");
  ASSERT_THAT(left({key('a')}), SizeIs(1));
  EXPECT_FALSE(left({key('a')})[0].removable) << "it does not say whose it is";

  const auto elsewhere = work('c');
  folder_.write(elsewhere.lexically_relative(folder_.path()).string() + "/owner.json",
                R"({"version":1,"file":")" + (folder_ / "shots.csv").string() + R"(","host":"elsewhere","job":"x"})");
  for (const auto& found : left({key('a'), key('b')})) EXPECT_FALSE(found.removable) << "of another host";

  folder_.write(".rubato/work/01M87FVYG4G1M84GPAQG41HTMF/out/clip.mp4", "a queue's");
  EXPECT_THAT(left({key('a'), key('b'), key('c')}), IsEmpty());
}

// failed.csv holds a part of the jobs: what it lacks is not edited, and it takes nothing from the file it came from.
TEST_F(LeftWorkTest, FailedCsvOwnsNothing) {
  const auto folder = work('a');
  note_owner(folder, folder_ / "failed.csv", "shot-9");
  EXPECT_THAT(left({}, "failed.csv"), IsEmpty());
  ASSERT_THAT(left(), SizeIs(1));
  EXPECT_EQ(left()[0].job, "shot-3");
}

TEST_F(LeftWorkTest, AFinishedClipIsAPersonsToDecide) {
  const auto folder = work('a');
  folder_.write(folder.lexically_relative(folder_.path()).string() + "/publish.json", "{}");
  ASSERT_THAT(left(), SizeIs(1));
  EXPECT_FALSE(left()[0].removable);
  EXPECT_THAT(sentences(left(), "shots.csv"), testing::ElementsAre(HasSubstr("Finished clips of shot-3")));
}

}  // namespace
}  // namespace rubato
