// What is refused before an engine starts because this machine cannot do it.
#include "pipelines/job/capacity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/cli/program.h"

namespace rubato::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

TEST(Capacity, CountsTheGpusThatAJobCouldName) {
  const TempDir dev;
  EXPECT_EQ(gpu_count(dev.path(), nullptr), 0);
  for (const auto* name : {"nvidia0", "nvidia1", "nvidia11", "nvidiactl", "nvidia-uvm", "nvidia"})
    std::ofstream(dev / name) << ".";
  EXPECT_EQ(gpu_count(dev.path(), nullptr), 3);
  EXPECT_EQ(gpu_count(dev.path(), "0,1"), 2);
  EXPECT_EQ(gpu_count(dev.path(), ""), 0);
  EXPECT_EQ(gpu_count(dev.path(), "-1"), 0);
  EXPECT_EQ(gpu_count(dev.path(), "0,1,2,3,4"), 3);
  std::ofstream(dev / "dxg") << ".";
  EXPECT_EQ(gpu_count(dev.path(), nullptr), std::nullopt);
}

TEST(Capacity, NamesTheNearestDevice) {
  EXPECT_TRUE(check_device("cpu", 0).ok());
  EXPECT_TRUE(check_device("auto", 0).ok());
  EXPECT_TRUE(check_device("cuda", 1).ok());
  EXPECT_TRUE(check_device("cuda:1", 2).ok());
  EXPECT_TRUE(check_device("cuda:99", std::nullopt).ok());
  for (const auto& [device, gpus, nearest] : {std::tuple{"cuda", 0, "the CPU is there, as 'cpu'"},
                                              {"cuda:3", 0, "the CPU is there, as 'cpu'"},
                                              {"cuda:99", 2, "the nearest is cuda:1"}}) {
    const auto checked = check_device(device, gpus);
    ASSERT_FALSE(checked.ok()) << device;
    EXPECT_EQ(checked.error().code, ErrorCode::NoDevice);
    EXPECT_THAT(checked.error().message, HasSubstr(nearest));
  }
}

class CapacityOfMemory : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = open_video_model(fs::path(RUBATO_RESOURCES) / "practice" / "video");
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    model_ = *std::move(opened);
    job_.prompt = "x";
    job_.out = "a.mp4";
    job_.size = Size{1024, 512};
    job_.frames = 65;
  }
  VideoModel model_;
  VideoJob job_;
};

TEST_F(CapacityOfMemory, TheAdviceIsTheMostThatPasses) {
  const auto needed = least_memory(job_, model_);
  ASSERT_TRUE(needed.ok());
  EXPECT_TRUE(check_memory(job_, model_, *needed).ok());
  const auto refused = check_memory(job_, model_, *needed / 4);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::OutOfMemory);
  EXPECT_THAT(refused.error().message, HasSubstr("at most 512x256 or 13 frames could fit"));
  job_.size = Size{512, 256};
  EXPECT_TRUE(check_memory(job_, model_, *needed / 4).ok());
  job_.size = Size{1024, 512};
  job_.frames = 13;
  EXPECT_TRUE(check_memory(job_, model_, *needed / 4).ok());
  job_.frames = 17;
  EXPECT_FALSE(check_memory(job_, model_, *needed / 4).ok());
  // Hopeless: no advice that cannot be followed.
  EXPECT_THAT(check_memory(job_, model_, 1).error().message, Not(HasSubstr("at most")));
}

TEST(CapacityOfTheProgram, RefusesBeforeAnythingStarts) {
  const TempDir dir;
  const Shell here{.folder = dir.path()};
  for (const bool dry : {true, false}) {
    std::vector<std::string> words{"gen", "video", "-p", "x", "-o", "a.mp4"};
    if (dry) words.emplace_back("--dry-run");
    auto device = words;
    device.insert(device.end(), {"--device", "cuda:99"});
    EXPECT_EQ(run(here, device).code, 8);
    auto size = words;
    size.insert(size.end(), {"--size", "8192x8192", "--frames", "4097", "--device", "cpu"});
    const auto huge = run(here, size);
    EXPECT_EQ(huge.code, 5) << huge.err;
    EXPECT_THAT(huge.err, HasSubstr("could fit"));
    EXPECT_FALSE(fs::exists(dir / "a.mp4.rubato-partial"));
  }
}

}  // namespace
}  // namespace rubato::test
