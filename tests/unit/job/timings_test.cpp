#include "pipelines/job/queue/timings.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "pipelines/job/queue/job_timings.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

class TimingsTest : public testing::Test {
 protected:
  std::filesystem::path file() const { return folder_ / "state/timings.sqlite"; }
  Timings open() const {
    auto opened = Timings::open(file());
    if (!opened) throw std::runtime_error(opened.error().message);
    return std::move(*opened);
  }
  static TimingKey key(int width = 832, int height = 480, int frames = 81) {
    return {.model = "wan", .width = width, .height = height, .frames = frames, .device = "H100", .dtype = "bfloat16"};
  }
  test::TempFolder folder_;
};

TEST_F(TimingsTest, NothingIsKnownOnAFreshMachine) {
  const auto times = open().expected(key()).value();
  EXPECT_TRUE(times.seconds_per_unit.empty());
  EXPECT_FALSE(times.estimated);
}

TEST_F(TimingsTest, GivesTheMedianOfTheLastNine) {
  auto timings = open();
  for (int i = 0; i < 20; ++i)  // an old machine, then a new one with one outlier
    ASSERT_TRUE(timings.record(key(), {{"denoise",
                                        {i < 11    ? 500.0
                                         : i == 15 ? 9'000.0
                                                   : 50.0 + i,
                                         50}},
                                       {"load", {8, 4}}}));
  const auto times = timings.expected(key()).value();
  EXPECT_FALSE(times.estimated);
  EXPECT_EQ(times.seconds_per_unit.size(), 2u);
  EXPECT_DOUBLE_EQ(times.seconds_per_unit.at("denoise"), 66.0 / 50);  // of 61 62 63 64 66 67 68 69 and the outlier
  EXPECT_DOUBLE_EQ(times.seconds_per_unit.at("load"), 2);
}

TEST_F(TimingsTest, ScalesFromTheNearestShapeAndSaysSo) {
  auto timings = open();
  ASSERT_TRUE(timings.record(key(416, 240, 81), {{"denoise", {1, 1}}, {"decode", {1, 1}}, {"text", {3, 1}}}));
  ASSERT_TRUE(timings.record(key(64, 64, 5), {{"denoise", {0.001, 1}}, {"decode", {0.001, 1}}}));
  const auto times = timings.expected(key(832, 480, 81)).value();
  EXPECT_TRUE(times.estimated);
  EXPECT_DOUBLE_EQ(times.seconds_per_unit.at("decode"), 4);  // four times the pixels
  EXPECT_DOUBLE_EQ(times.seconds_per_unit.at("text"), 3);
  EXPECT_GT(times.seconds_per_unit.at("denoise"), 4);   // more than its tokens
  EXPECT_LT(times.seconds_per_unit.at("denoise"), 16);  // less than their pairs
  auto one_branch = key(416, 240, 81);
  one_branch.branches = 1;
  EXPECT_DOUBLE_EQ(timings.expected(one_branch).value().seconds_per_unit.at("denoise"), 0.5);
}

TEST_F(TimingsTest, AnotherModelDeviceDtypeOrPlanIsAnotherMatter) {
  auto timings = open();
  ASSERT_TRUE(timings.record(key(), {{"denoise", {1, 1}}}));
  for (const auto member : {&TimingKey::model, &TimingKey::device, &TimingKey::dtype, &TimingKey::plan}) {
    auto other = key();
    other.*member = "other";
    EXPECT_TRUE(timings.expected(other).value().seconds_per_unit.empty());
  }
}

TEST_F(TimingsTest, NonsenseIsNotLearnt) {
  auto timings = open();
  ASSERT_TRUE(timings.record(key(), {{"denoise", {1, 0}}, {"decode", {-1, 1}}, {"mux", {std::nan(""), 1}}}));
  ASSERT_TRUE(timings.record(key(0), {{"denoise", {1, 1}}}));
  EXPECT_TRUE(timings.expected(key()).value().seconds_per_unit.empty());
  EXPECT_TRUE(timings.expected(key(0)).value().seconds_per_unit.empty());
}

TEST_F(TimingsTest, ADamagedFileStartsOver) {
  folder_.write("state/timings.sqlite", std::string(5'000, 'x'));
  auto timings = open();
  ASSERT_TRUE(timings.record(key(), {{"denoise", {1, 1}}}));
  EXPECT_EQ(open().expected(key()).value().seconds_per_unit.size(), 1u);
}

TEST_F(TimingsTest, SeveralProcessesWriteAtOnce) {
  std::vector<pid_t> children;
  for (int c = 0; c < 4; ++c) {
    const auto pid = ::fork();
    if (pid == 0) {
      auto timings = Timings::open(file());
      for (int i = 0; timings && i < 5; ++i)
        if (!timings->record(key(64 * (c + 1)), {{"denoise", {1, 1}}})) ::_exit(1);
      ::_exit(timings ? 0 : 2);
    }
    children.push_back(pid);
  }
  for (const auto pid : children) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
  }
  for (int c = 0; c < 4; ++c) EXPECT_FALSE(open().expected(key(64 * (c + 1))).value().estimated);
}

class JobTimingsTest : public testing::Test {
 protected:
  static VideoJob job(int steps = 20, int frames = 17) {
    VideoJob job;
    job.size = Size{256, 256};
    job.frames = frames;
    job.steps = steps;
    job.guidance = 5;
    job.out = "clip.mp4";
    return job;
  }
  static nlohmann::json report(double denoise, const std::string& device = "cpu") {
    return {{"seconds", {{"load", 2.0}, {"text", 0.5}, {"denoise", denoise}, {"decode", 5.0}, {"mux", 1.0}}},
            {"device", {{"name", device}, {"model", "H100"}, {"threads", 2}}},
            {"job", {{"dtype", "float32"}}}};
  }
  std::filesystem::path state() const { return folder_ / "state/rubato"; }
  test::TempFolder folder_;
  VideoModel model_{.name = "practice"};
};

TEST_F(JobTimingsTest, LearnsFromAReportAndForetellsOtherStepCounts) {
  JobTimings timings(state());
  EXPECT_TRUE(timings.expected(job(), model_).expected_s.empty());
  EXPECT_FALSE(std::filesystem::exists(state())) << "looking makes nothing";
  timings.learn(job(20), model_, report(10));
  const auto same = JobTimings(state()).expected(job(40), model_);
  EXPECT_FALSE(same.estimated);
  EXPECT_DOUBLE_EQ(same.expected_s.at("denoise"), 20);
  EXPECT_DOUBLE_EQ(same.expected_s.at("decode"), 5);
  EXPECT_DOUBLE_EQ(same.expected_s.at("load"), 2);
  const auto longer = timings.expected(job(20, 33), model_);
  EXPECT_TRUE(longer.estimated);
  EXPECT_DOUBLE_EQ(longer.expected_s.at("decode"), 9);  // 9 latent frames, where 5 took 5 s
  EXPECT_GT(longer.expected_s.at("denoise"), 10);
}

TEST_F(JobTimingsTest, LeavesOutWhatDidNotHappenAsUsual) {
  JobTimings timings(state());
  timings.learn(job(), model_, report(1), {.resumed = true});
  const auto after_resumed = timings.expected(job(), model_).expected_s;
  EXPECT_EQ(after_resumed.size(), 1u);
  EXPECT_TRUE(after_resumed.contains("load"));
  timings.learn(job(), model_, report(1), {.warm = true});
  EXPECT_EQ(timings.expected(job(), model_).expected_s.size(), 5u);
  auto only_latents = job();
  only_latents.out.clear();
  EXPECT_FALSE(timings.expected(only_latents, model_).expected_s.contains("decode"));
}

TEST_F(JobTimingsTest, AWishIsWhatItCameToLastTime) {
  JobTimings timings(state());
  timings.learn(job(), model_, report(10));
  auto on_gpu = job();
  on_gpu.device = "cuda:0";
  EXPECT_TRUE(timings.expected(on_gpu, model_).expected_s.empty());
  timings.learn(on_gpu, model_, report(1, "cuda:0"));
  EXPECT_DOUBLE_EQ(timings.expected(on_gpu, model_).expected_s.at("denoise"), 1);
  EXPECT_DOUBLE_EQ(timings.expected(job(), model_).expected_s.at("denoise"), 10);
}

TEST_F(JobTimingsTest, AFolderThatCannotBeWrittenIsNoReasonToFail) {
  folder_.write("file", "");
  JobTimings timings(folder_ / "file");
  timings.learn(job(), model_, report(10));
  EXPECT_TRUE(timings.expected(job(), model_).expected_s.empty());
  timings.learn(job(), model_, nlohmann::json::array());
}

}  // namespace
}  // namespace rubato
