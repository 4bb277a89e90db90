#include "pipelines/job/output_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

namespace fs = std::filesystem;
using test::TempFolder;

TEST(OutputLock, TheSecondLearnsWhoRendersTheOutput) {
  const TempFolder folder;
  const auto first = OutputLock::take(folder / "clip.mp4", "rubato-cli");
  ASSERT_TRUE(first.ok()) << first.error().message;
  const auto second = OutputLock::take(folder.path() / "." / "clip.mp4", "rubato-cli");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::Locked);
  EXPECT_EQ(second.error().message, "another rubato-cli (pid " + std::to_string(::getpid()) + ") is rendering " +
                                        (folder.path() / "." / "clip.mp4").string() +
                                        "; wait for it or choose another -o");
  EXPECT_TRUE(OutputLock::take(folder / "other.mp4", "rubato-cli").ok());
}

TEST(OutputLock, LeavesNothingButWhatTheFolderHolds) {
  const TempFolder folder;
  {
    ASSERT_TRUE(OutputLock::take(folder / "clip.mp4", "rubato-cli").ok());
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
  folder.write("clip.mp4.rubato-partial/latents.safetensors", "precious");
  folder.write("clip.mp4.rubato-partial/lock", "what a killed process left");
  {
    ASSERT_TRUE(OutputLock::take(folder / "clip.mp4", "rubato-cli").ok());
  }
  EXPECT_TRUE(fs::exists(folder / "clip.mp4.rubato-partial/latents.safetensors"));
  EXPECT_FALSE(fs::exists(folder / "clip.mp4.rubato-partial/lock"));
}

TEST(OutputLock, NeverTwoAtOnceWhileFoldersComeAndGo) {
  const TempFolder folder;
  std::atomic<int> inside{0}, most{0}, taken{0}, wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        const auto lock = OutputLock::take(folder / "clip.mp4", "rubato-cli");
        if (!lock) {
          wrong += lock.error().code != ErrorCode::Locked;
          continue;
        }
        const int now = ++inside;
        int seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        ++taken;
        --inside;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(most, 1);
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(taken, 0);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace rubato
