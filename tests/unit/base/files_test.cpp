#include "engine/base/files.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "tests/support/temp_folder.h"

namespace rubato {
namespace {
namespace fs = std::filesystem;
using test::slurp;
using test::TempFolder;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  return names;
}

TEST(ReadFileTest, ReadsWithinItsLimit) {
  const TempFolder dir;
  const auto file = dir.write("a", std::string(1000, 'x'));
  EXPECT_EQ(read_file(file, 1000).value(), std::string(1000, 'x'));
  const auto more = read_file(file, 999);
  ASSERT_FALSE(more.ok());
  EXPECT_NE(more.error().message.find("999 bytes"), std::string::npos) << more.error().message;
  EXPECT_EQ(read_file(dir / "none", 10).error().code, ErrorCode::CannotRead);
  EXPECT_EQ(read_file(dir.path(), 10).error().code, ErrorCode::CannotRead);
  EXPECT_FALSE(read_file("/dev/zero", 1 << 20).ok()) << "a file without end must not be read for ever";
}

TEST(MappedFileTest, KeepsItsBytesWhenTheNameIsGone) {
  const TempFolder dir;
  const auto path = dir.write("a", "hello");
  auto file = MappedFile::open(path).value();
  fs::remove(path);
  MappedFile moved = std::move(file);
  ASSERT_EQ(moved.bytes().size(), 5u);
  EXPECT_EQ(static_cast<char>(moved.bytes()[4]), 'o');
  moved.prefetch(0, 5);
  moved.prefetch(9, 5);
  moved.forget(0, 5);
  EXPECT_EQ(static_cast<char>(moved.bytes()[0]), 'h');
}

TEST(MappedFileTest, TakesEmptyFilesAndRefusesWhatIsNoFile) {
  const TempFolder dir;
  EXPECT_TRUE(MappedFile::open(dir.write("empty", "")).value().bytes().empty());
  EXPECT_FALSE(MappedFile::open(dir.path()).ok());
  EXPECT_FALSE(MappedFile::open(dir / "none").ok());
  ASSERT_EQ(::mkfifo((dir / "fifo").c_str(), 0600), 0);
  EXPECT_FALSE(MappedFile::open(dir / "fifo").ok()) << "and does not wait for a writer";
}

TEST(AtomicFileTest, ShowsNothingUntilCommitted) {
  const TempFolder dir;
  auto file = AtomicFile::create(dir / "out.txt", Overwrite::Never).value();
  ASSERT_TRUE(file.write("part").ok());
  EXPECT_FALSE(fs::exists(dir / "out.txt"));
  EXPECT_TRUE(file.temporary_path().filename().string().starts_with(".out.txt."));
  ASSERT_TRUE(file.commit().ok());
  EXPECT_EQ(slurp(dir / "out.txt"), "part");
  EXPECT_EQ(names_in(dir.path()), std::vector<std::string>{"out.txt"});
}

TEST(AtomicFileTest, RemovesItsTemporaryFileWhenAbandoned) {
  const TempFolder dir;
  {
    auto file = AtomicFile::create(dir / "out.txt", Overwrite::Never).value();
    ASSERT_TRUE(file.write("part").ok());
    AtomicFile moved = std::move(file);
  }
  EXPECT_TRUE(names_in(dir.path()).empty());
}

TEST(AtomicFileTest, NeverReplacesUnlessAsked) {
  const TempFolder dir;
  dir.write("out.txt", "old");
  EXPECT_EQ(AtomicFile::create(dir / "out.txt", Overwrite::Never).error().code, ErrorCode::OutputExists);
  auto late = AtomicFile::create(dir / "late.txt", Overwrite::Never).value();
  dir.write("late.txt", "appeared meanwhile");
  EXPECT_EQ(late.commit().error().code, ErrorCode::OutputExists);
  EXPECT_EQ(slurp(dir / "late.txt"), "appeared meanwhile");
  ASSERT_TRUE(write_file_atomically(dir / "out.txt", "new", Overwrite::Always).ok());
  EXPECT_EQ(slurp(dir / "out.txt"), "new");
}

TEST(AtomicFileTest, TakesTheModeOfAnOrdinaryFile) {
  const TempFolder dir;
  ASSERT_TRUE(write_file_atomically(dir / "a", "x", Overwrite::Never).ok());
  dir.write("b", "x");
  EXPECT_EQ(fs::status(dir / "a").permissions(), fs::status(dir / "b").permissions());
}

TEST(AtomicFileTest, TakesTheLongestFileName) {
  const TempFolder dir;
  const std::string name(255, 'n');
  EXPECT_TRUE(write_file_atomically(dir / name, "x", Overwrite::Never).ok());
  EXPECT_TRUE(fs::exists(dir / name));
}

TEST(AtomicFileTest, SaysWhyItCannotWrite) {
  const TempFolder dir;
  const auto missing = AtomicFile::create(dir / "no/such/a", Overwrite::Never);
  EXPECT_EQ(missing.error().code, ErrorCode::CannotWrite);
  EXPECT_NE(missing.error().message.find("does not exist"), std::string::npos) << missing.error().message;
  EXPECT_EQ(AtomicFile::create(dir.path(), Overwrite::Always).error().code, ErrorCode::CannotWrite);
  // Renaming over a device would replace it for the whole machine.
  EXPECT_EQ(AtomicFile::create("/dev/null", Overwrite::Always).error().code, ErrorCode::CannotWrite);
  fs::create_directory(dir / "ro");
  fs::permissions(dir / "ro", fs::perms::owner_read | fs::perms::owner_exec);
  if (::geteuid() != 0) {  // root may write anywhere
    EXPECT_EQ(AtomicFile::create(dir / "ro/a", Overwrite::Never).error().code, ErrorCode::CannotWrite);
  }
}

// A file system of 64 kB. Mounting needs rights that a test run may lack.
TEST(AtomicFileTest, SaysThatTheDiskIsFullAndLeavesNothing) {
  const TempFolder dir;
  if (::mount("none", dir.path().c_str(), "tmpfs", 0, "size=64k") != 0)
    GTEST_SKIP() << "may not mount a small file system here";
  {
    auto file = AtomicFile::create(dir / "big", Overwrite::Never).value();
    const std::string block(1 << 16, 'x');
    Result<> written = file.write(block);
    for (int i = 0; i < 4 && written.ok(); ++i) written = file.write(block);
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(written.error().code, ErrorCode::CannotWrite);
    EXPECT_NE(written.error().message.find("disk is full"), std::string::npos) << written.error().message;
    EXPECT_LT(free_bytes(dir / "not/there/yet"), 1u << 17);
  }
  EXPECT_TRUE(names_in(dir.path()).empty());
  ::umount(dir.path().c_str());
}

TEST(SafePathTest, StaysBelowItsRoot) {
  const TempFolder dir;
  fs::create_directory(dir / "sub");
  EXPECT_EQ(SafePath::inside(dir.path(), "sub/new.mp4").value().path(), dir / "sub/new.mp4");
  EXPECT_EQ(SafePath::inside(dir.path(), "./sub//a").value().path(), dir / "sub/a");
  for (const std::string bad : {"", ".", "/etc/passwd", "../x", "sub/../../x", "sub\\x", "sub/.."})
    EXPECT_FALSE(SafePath::inside(dir.path(), bad).ok()) << bad;
  EXPECT_FALSE(SafePath::inside(dir.path(), std::string_view("a\0b", 3)).ok());
}

TEST(SafePathTest, FollowsNoLinkOutOfItsRoot) {
  const TempFolder dir, outside;
  fs::create_directory(dir / "real");
  fs::create_symlink(outside.path(), dir / "out");
  fs::create_symlink("real", dir / "in");
  fs::create_symlink(outside / "not-yet", dir / "dangling");  // writing through it would create a file outside
  fs::create_symlink("loop", dir / "loop");
  EXPECT_EQ(SafePath::inside(dir.path(), "in/a").value().path(), dir / "real/a");
  for (const std::string bad : {"out", "out/a", "dangling", "dangling/a", "loop", "loop/a"})
    EXPECT_FALSE(SafePath::inside(dir.path(), bad).ok()) << bad;
}

TEST(UserFoldersTest, FollowTheXdgRules) {
  ::setenv("XDG_CACHE_HOME", "/somewhere/cache", 1);
  ::setenv("XDG_STATE_HOME", "relative/is/ignored", 1);
  ::setenv("HOME", "/home/someone", 1);
  const auto folders = UserFolders::from_environment();
  EXPECT_EQ(folders.cache, "/somewhere/cache/rubato");
  EXPECT_EQ(folders.state, "/home/someone/.local/state/rubato");
  ::unsetenv("XDG_CACHE_HOME");
  ::unsetenv("XDG_STATE_HOME");
}

}  // namespace
}  // namespace rubato
