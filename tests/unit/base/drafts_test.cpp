#include "engine/base/drafts.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <iterator>
#include <string>
#include <vector>

#include "engine/base/files.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

namespace fs = std::filesystem;
using test::TempFolder;

TEST(Drafts, OfADeadWriterAreRemovedAndThoseOfALivingOneAreNot) {
  TempFolder folder;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const auto writer = ::fork();
  if (writer == 0) {
    const auto file = AtomicFile::create(folder / "clip.mp4", Overwrite::Never);
    (void)!::write(ready[1], "x", 1);
    if (file.ok()) ::pause();
    ::_exit(1);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  const auto drafts = [&] { return std::distance(fs::directory_iterator(folder.path()), {}); };
  EXPECT_EQ(drafts(), 1);
  remove_dead_drafts(folder.path());
  EXPECT_EQ(drafts(), 1) << "it is being written";
  ::kill(writer, SIGKILL);
  ::waitpid(writer, nullptr, 0);
  remove_dead_drafts(folder.path());
  EXPECT_EQ(drafts(), 0);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(Drafts, NothingElseIsTouched) {
  TempFolder folder;
  for (const auto* name : {".clip.mp4.0123456789.tmp", ".frames.0123456789ABCDEFGHJKMNPQRS.tmp/frame_0001.png"})
    folder.write(name, "half");
  const std::vector<std::string> others{"clip.mp4.0123456789.tmp",  ".clip.mp4.0123456789",
                                        ".clip.mp4.012345678i.tmp", ".clip.mp4.01234567.tmp",
                                        ".x.0123456789.tmp",        ".notes.txt.0123456789.tmp",
                                        ".0123456789.tmp",          ".day.0123456789ABCDEFGHJKMNPQRS.tmp/letter.txt"};
  for (const auto& name : others) folder.write(name, "a person's");
  remove_dead_drafts(folder.path());
  for (const auto& name : others) EXPECT_TRUE(fs::exists(folder / name)) << name;
  EXPECT_EQ(static_cast<std::size_t>(std::distance(fs::directory_iterator(folder.path()), {})), others.size());
  remove_dead_drafts(folder / "not there");
}

TEST(Drafts, AWholeFileIsNoDraft) {
  TempFolder folder;
  auto file = AtomicFile::create(folder / "clip.mp4", Overwrite::Never);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file->write("pixels").ok());
  ASSERT_TRUE(file->commit().ok());
  remove_dead_drafts(folder.path());
  EXPECT_EQ(test::slurp(folder / "clip.mp4"), "pixels");
}

}  // namespace
}  // namespace rubato
