#include "pipelines/job/run/output_names.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

using test::TempFolder;
using testing::HasSubstr;

constexpr int kFrames = 5;

VideoJob job_of(const std::string& out, int frames = kFrames) {
  VideoJob job;
  job.out = out;
  job.frames = frames;
  job.metadata = false;
  return job;
}

// Whether two jobs' names meet, in either order.
bool meet(const std::string& a, const std::string& b, int frames = kFrames) {
  bool met[2] = {};
  for (const bool swapped : {false, true}) {
    OutputNames names;
    EXPECT_TRUE(names.claim(output_names(job_of(swapped ? b : a, frames)), "first").ok());
    met[swapped] = !names.claim(output_names(job_of(swapped ? a : b, frames)), "second").ok();
  }
  EXPECT_EQ(met[0], met[1]) << a << " and " << b;
  return met[0];
}

TEST(OutputNames, APatternMeetsEveryNumberThatItStandsFor) {
  EXPECT_TRUE(meet("f_####.png", "f_0000.png"));
  EXPECT_TRUE(meet("f_####.png", "f_0004.png"));
  EXPECT_TRUE(meet("f_####.png", "f_%04d.png"));
  EXPECT_TRUE(meet("f_####.png", "./f_####.png"));
  EXPECT_FALSE(meet("f_####.png", "f_0005.png")) << "there are five pictures";
  EXPECT_FALSE(meet("f_####.png", "f_3.png"));
  EXPECT_FALSE(meet("f_####.png", "f_003.png"));
  EXPECT_FALSE(meet("f_####.png", "f_####.PNG"));
  EXPECT_FALSE(meet("f_####.png", "a/f_0003.png"));
  EXPECT_FALSE(meet("f_####.mp4", "f_0003.mp4")) << "a clip has no numbers";
}

TEST(OutputNames, PatternsMeetWhereTheyHaveANameInCommon) {
  EXPECT_TRUE(meet("f_####.png", "f_0##.png", 101)) << "f_0100.png";
  EXPECT_FALSE(meet("f_####.png", "f_0##.png", 100));
  EXPECT_TRUE(meet("f_##.png", "f_%d.png", 11)) << "f_10.png";
  EXPECT_FALSE(meet("f_##.png", "f_%d.png", 10));
  EXPECT_TRUE(meet("f_##.png", "f_###.png", 101)) << "numbers grow out of their digits";
  EXPECT_FALSE(meet("f_##.png", "f_###.png", 100));
  EXPECT_TRUE(meet("shot_01_##.png", "shot_##_01.png")) << "shot_01_01.png";
  EXPECT_FALSE(meet("shot_07_##.png", "shot_##_01.png")) << "the second ends with shot_04_01.png";
  EXPECT_FALSE(meet("a_01_##_x.png", "a_##_01_y.png"));
  EXPECT_TRUE(meet("f##1.png", "f0##.png", 20)) << "f011.png";
  EXPECT_FALSE(meet("f##1.png", "f##2.png"));
}

// The same question answered by writing all names down.
TEST(OutputNames, AgreesWithNamesWrittenOut) {
  std::vector<std::string> names;
  for (const auto* before : {"f", "f1", "f_01_", "f_1_"})
    for (const auto* number : {"##", "%d", "###", "01", "1", "010", "12"})
      for (const auto* behind : {"", "1", "_01"}) names.push_back(fmt::format("{}{}{}.png", before, number, behind));
  for (const int frames : {3, 11, 105}) {
    std::vector<std::set<std::string>> files;
    for (const auto& name : names) {
      const auto all = output_names(job_of(name, frames));
      ASSERT_EQ(all.size(), 1u);
      auto& written = files.emplace_back();
      if (all[0].kind == OutputName::Kind::File) written.insert(name);
      for (int i = 0; i < frames && all[0].kind == OutputName::Kind::Pictures; ++i)
        written.insert(all[0].pictures.name(i));
    }
    for (std::size_t i = 0; i < names.size(); ++i)
      for (std::size_t k = i + 1; k < names.size(); ++k) {
        const bool common =
            std::any_of(files[i].begin(), files[i].end(), [&](const auto& name) { return files[k].contains(name); });
        ASSERT_EQ(meet(names[i], names[k], frames), common) << names[i] << " and " << names[k] << ", " << frames;
      }
  }
}

TEST(OutputNames, ASentenceSaysWhichFileAndWhoseTheOtherIs) {
  OutputNames names;
  ASSERT_TRUE(names.claim(output_names(job_of("day/f_####.png")), "line 2").ok());
  const auto refused = names.claim(output_names(job_of("day/f_0002.png")), "line 3");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::JobInvalid);
  EXPECT_THAT(refused.error().message, HasSubstr("day/f_0002.png and day/f_####.png of line 2 would both write "
                                                 "day/f_0002.png; put {index}"));
}

TEST(OutputNames, KnowsFoldersSidecarsAndTheRunsOwnFiles) {
  EXPECT_TRUE(meet("frames/", "frames/frame_0001.png"));
  EXPECT_TRUE(meet("frames/", "frames/clip.mp4"));
  EXPECT_TRUE(meet("frames/", "frames/deeper/clip.mp4"));
  EXPECT_TRUE(meet("a.mp4", "a.mp4/b.mp4"));
  EXPECT_TRUE(meet("f_####.png", "f_0001.png/clip.mp4"));
  EXPECT_TRUE(meet("f_####.png", "f_0001.png/"));
  EXPECT_FALSE(meet("day/", "days/clip.mp4"));

  auto clip = job_of("clip.mp4");
  clip.metadata = true;
  OutputNames names;
  names.reserve("failed.csv", "the run's list");
  ASSERT_TRUE(names.claim(output_names(clip), "line 2").ok());
  EXPECT_FALSE(names.claim(output_names(job_of("clip.mp4.json/")), "line 3").ok());
  auto tensors = job_of("other.mp4");
  tensors.latents_out = "clip.mp4.json";
  EXPECT_FALSE(names.claim(output_names(tensors), "line 4").ok());
  tensors.latents_out = "x.safetensors";
  tensors.trace = "./x.safetensors";
  EXPECT_FALSE(names.claim(output_names(tensors), "line 5").ok()) << "those of one job meet too";
  EXPECT_FALSE(names.claim(output_names(job_of("failed.csv/")), "line 6").ok());
}

TEST(OutputNames, TenThousandPatternsOfManyPicturesCostLittle) {
  const auto began = std::chrono::steady_clock::now();
  OutputNames names;
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(names.claim(output_names(job_of(fmt::format("shot-{}_####.png", i), 81)), "a").ok());
    ASSERT_TRUE(names.claim(output_names(job_of(fmt::format("g{:04}####.png", i), 81)), "b").ok());
  }
  EXPECT_FALSE(names.claim(output_names(job_of("shot-77_0080.png")), "c").ok());
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(3)) << "written out it takes minutes";
}

TEST(StandingFiles, FindsAPersonsPictureInAPattern) {
  TempFolder folder;
  folder.write("f_0003.png", "mine");
  folder.write("f_0007.png", "not in the way of five pictures");
  folder.write("frames/frame_0000.png", "mine");
  folder.write("file", "mine");
  const auto in_the_way = [&](const std::string& out, bool may) {
    return StandingFiles(folder.path()).in_the_way(output_names(job_of(out)).front(), [&](const auto&) { return may; });
  };
  EXPECT_EQ(in_the_way("f_####.png", false), "f_0003.png");
  EXPECT_EQ(in_the_way("f_####.png", true), "");
  EXPECT_EQ(in_the_way("g_####.png", false), "");
  EXPECT_EQ(in_the_way("frames/", false), "frames/frame_0000.png");
  EXPECT_EQ(in_the_way("other/", false), "");
  EXPECT_EQ(in_the_way("file/deeper/clip.mp4", true), "file") << "no folder can be made there";
}

TEST(StandingFiles, ChoosesANameThatIsFreeOnTheDiskAndAmongTheJobs) {
  TempFolder folder;
  folder.write("clip-2.mp4.json", "{}");
  OutputNames taken;
  ASSERT_TRUE(taken.claim(output_names(job_of("clip-3.mp4")), "another").ok());
  auto clip = job_of("clip.mp4");
  clip.metadata = true;
  StandingFiles standing(folder.path());
  EXPECT_EQ(standing.free_name(taken, clip, &VideoJob::out, "a"), "clip-4.mp4");
  EXPECT_EQ(standing.free_name(taken, clip, &VideoJob::out, "b"), "clip-5.mp4");
  folder.write("f_0001-2.png", "");
  EXPECT_EQ(StandingFiles(folder.path()).free_name(taken, job_of("f_####.png"), &VideoJob::out, "c"), "f_####-3.png");
}

TEST(RenamedOutput, FollowsTheOutputsNewName) {
  EXPECT_EQ(renamed_output("clip.mp4.json", "clip.mp4", "clip-2.mp4"), "clip-2.mp4.json");
  EXPECT_EQ(renamed_output("clip.mp4.rubato-partial/latents.safetensors", "clip.mp4", "clip-2.mp4"),
            "clip-2.mp4.rubato-partial/latents.safetensors");
  EXPECT_EQ(renamed_output("frames/frame_0001.png", "frames/", "frames-2/"), "frames-2/frame_0001.png");
  EXPECT_EQ(renamed_output("frames.json", "frames/", "frames-2/"), "frames-2.json");
  EXPECT_EQ(renamed_output("f_0003.png", "f_####.png", "f_####-2.png"), "f_0003-2.png");
  EXPECT_EQ(renamed_output("f_####.png.json", "f_####.png", "f_####-2.png"), "f_####-2.png.json");
}

}  // namespace
}  // namespace rubato
