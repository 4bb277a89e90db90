#include "pipelines/job/run/disk_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include "tests/support/small_disk.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;

TEST(DiskWatch, SaysWhatToDoAboutWhatStandsInTheWay) {
  const test::TempFolder folder;
  const test::SmallDisk disk(folder / "disk", "1m");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a file system needs rights that this run lacks";
  const DiskWatch watch(disk.path());
  EXPECT_EQ(watch.obstacle(100'000), "");
  EXPECT_THAT(watch.obstacle(2'000'000), AllOf(HasSubstr("free and needs"), EndsWith("; free some space")));
  ASSERT_EQ(::mount(nullptr, disk.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY | MS_BIND, nullptr), 0);
  EXPECT_THAT(watch.obstacle(0), EndsWith("cannot be written: Read-only file system; mount it for writing"));
  EXPECT_THAT(DiskWatch(folder / "none").obstacle(0), EndsWith("; see that it is there"));
}

}  // namespace
}  // namespace rubato
