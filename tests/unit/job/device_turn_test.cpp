#include "pipelines/job/run/device_turn.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

class DeviceTurnTest : public testing::Test {
 protected:
  DeviceTurnTest() {
    if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES")) before_ = visible;
  }
  ~DeviceTurnTest() override { show(before_ ? before_->c_str() : nullptr); }
  static void show(const char* devices) {
    if (devices != nullptr)
      ::setenv("CUDA_VISIBLE_DEVICES", devices, 1);
    else
      ::unsetenv("CUDA_VISIBLE_DEVICES");
  }
  // The device as a process sees it under this list.
  DeviceTurn turn(const char* visible, const std::string& device) const {
    show(visible);
    return {folder_.path(), device};
  }

  test::TempFolder folder_;
  std::optional<std::string> before_;
};

// Numbers that no machine has, so that a driver, where there is one, has nothing to say of them.
TEST_F(DeviceTurnTest, IsTheCardsAndNotThatOfItsNumber) {
  auto first = turn("71,72", "cuda:0"), other = turn("72", "cuda:0"), same = turn("72,71", "cuda:1");
  auto plain = turn(nullptr, "cuda:72");
  ASSERT_TRUE(first.take());
  EXPECT_TRUE(other.take()) << "another card that is cuda:0 there";
  EXPECT_FALSE(same.take()) << "the same card, which is cuda:1 there";
  EXPECT_FALSE(plain.take()) << "no list, and the number of a card that is taken";
  first.give_back();
  EXPECT_TRUE(same.take());
}

TEST_F(DeviceTurnTest, TakesTheNamesOfCardsAsTheyAre) {
  auto mig = turn("MIG-0/7/1,GPU-none", "cuda:0"), gpu = turn("MIG-0/7/1,GPU-none", "cuda:1");
  auto same = turn("GPU-none", "cuda:0");
  EXPECT_TRUE(mig.take());
  EXPECT_TRUE(gpu.take());
  EXPECT_FALSE(same.take());
}

TEST_F(DeviceTurnTest, IsNotNeededOnTheCpu) {
  DeviceTurn one(folder_.path(), "cpu"), other(folder_.path(), "cpu");
  EXPECT_TRUE(one.take());
  EXPECT_TRUE(other.take());
}

}  // namespace
}  // namespace rubato
