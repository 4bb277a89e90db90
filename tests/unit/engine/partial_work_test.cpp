#include "pipelines/runner/partial_work.h"

#include <gtest/gtest.h>

#include "tests/support/small_disk.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

namespace fs = std::filesystem;
using test::SmallDisk;
using test::TempFolder;

constexpr std::uint64_t kLatentsBytes = 16 << 10;

// A state as large as one can be: latents, three outputs and a sample.
DenoiseState state_after(int step) {
  const auto tensor = [&](int k) { return at::full({1, 4, 4, 16, 16}, step + 0.1 * k, at::kFloat); };
  DenoiseState state{step, tensor(0), {}};
  for (int k = 1; k < 5; ++k) state.scheduler.tensors["t." + std::to_string(k)] = tensor(k);
  return state;
}

TEST(PartialWork, WhatIsReservedIsEnoughForEverySaveOnAFullDisk) {
  const TempFolder folder;
  const SmallDisk disk(folder / "disk", "1m");
  if (!disk.mounted()) GTEST_SKIP() << "may not mount a small file system here";
  PartialWork work(disk / "clip.mp4", "key", 7);
  ASSERT_TRUE(work.reserve(kLatentsBytes).ok());
  disk.fill();
  for (int step = 1; step <= 3; ++step) {
    const auto saved = work.save(state_after(step), 3);
    ASSERT_TRUE(saved.ok()) << step << ": " << saved.error().message;
  }
  std::string ignored;
  const auto loaded = work.load(ignored);
  ASSERT_TRUE(loaded) << ignored;
  EXPECT_EQ(loaded->next_step, 3);
  EXPECT_FALSE(fs::exists(work.folder() / "reserve"));  // after the last save the clip may have the space
}

TEST(PartialWork, AFullDiskIsRefusedBeforeAnyWorkAndLeavesNoFolder) {
  const TempFolder folder;
  const SmallDisk disk(folder / "disk", "64k");
  if (!disk.mounted()) GTEST_SKIP() << "may not mount a small file system here";
  {
    PartialWork work(disk / "clip.mp4", "key", 7);
    const auto reserved = work.reserve(kLatentsBytes);
    ASSERT_FALSE(reserved.ok());
    EXPECT_EQ(reserved.error().code, ErrorCode::CannotWrite);
    EXPECT_NE(reserved.error().message.find("disk is full"), std::string::npos) << reserved.error().message;
  }
  EXPECT_TRUE(fs::is_empty(disk.path()));
}

TEST(PartialWork, ASaveThatFailsLeavesNoEmptyFolder) {
  const TempFolder folder;
  const SmallDisk disk(folder / "disk", "64k");
  if (!disk.mounted()) GTEST_SKIP() << "may not mount a small file system here";
  {
    PartialWork work(disk / "clip.mp4", "key", 7);  // nothing reserved
    EXPECT_EQ(work.save(state_after(1), 3).error().code, ErrorCode::CannotWrite);
    EXPECT_FALSE(work.kept());
  }
  EXPECT_TRUE(fs::is_empty(disk.path()));
}

TEST(PartialWork, WorkOfOtherSettingsIsMovedAsideWithoutTheReserve) {
  const TempFolder folder;
  {
    PartialWork earlier(folder / "clip.mp4", "other", 7);
    ASSERT_TRUE(earlier.save(state_after(1), 3).ok());
  }
  PartialWork work(folder / "clip.mp4", "key", 7);
  ASSERT_TRUE(work.reserve(kLatentsBytes).ok());
  folder.write("clip.mp4.rubato-partial/lock", "of this run");
  const fs::path aside = work.set_aside();
  EXPECT_TRUE(fs::exists(aside / "latents.safetensors"));
  EXPECT_FALSE(fs::exists(aside / "reserve"));
  EXPECT_FALSE(fs::exists(aside / "lock"));
  EXPECT_TRUE(fs::exists(work.folder() / "lock"));
  EXPECT_EQ(work.set_aside(), "") << "there is nothing left to move";
  // Room for two: the first save must not take what the second needs.
  EXPECT_GE(fs::file_size(work.folder() / "reserve"), 2 * 5 * kLatentsBytes);
}

TEST(PartialWork, WhatAKilledSaveLeftGoesWithTheRest) {
  const TempFolder folder;
  PartialWork work(folder / "clip.mp4", "key", 7);
  ASSERT_TRUE(work.save(state_after(1), 3).ok());
  folder.write("clip.mp4.rubato-partial/.latents.safetensors.x7Qa.tmp", "half a state");
  work.remove();
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace rubato
