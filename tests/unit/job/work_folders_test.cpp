#include "pipelines/job/run/work_folders.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

namespace fs = std::filesystem;
using test::TempFolder;

TEST(WorkFolders, AreAdoptedWithWhatIsInThem) {
  const TempFolder state;
  EXPECT_EQ(WorkFolders::adopt(state.path(), "k", "A").value(), "");
  const auto a = WorkFolders::named(state.path(), "k", "A"), b = WorkFolders::named(state.path(), "k", "B");
  EXPECT_TRUE(fs::is_directory(a));
  state.write("work/k.A/out/clip.mp4.rubato-partial/latents.safetensors", "step 3");
  state.write("work/other.A/file", "another job's");
  EXPECT_EQ(WorkFolders::adopt(state.path(), "k", "B").value(), "k.A");
  EXPECT_FALSE(fs::exists(a));
  EXPECT_EQ(test::slurp(b / "out/clip.mp4.rubato-partial/latents.safetensors"), "step 3");
  EXPECT_EQ(WorkFolders(state.path()).of("k"), b);
  EXPECT_TRUE(fs::exists(state / "work/other.A/file"));
}

TEST(WorkFolders, GoOnFromADecidedPublicationAndLeaveOneFolder) {
  const TempFolder state;
  state.write("work/k.A/publish.json", "{}");
  state.write("work/k.B/out/clip.mp4", "newer");
  state.write("work/k/out/clip.mp4", "of a version without tokens");
  EXPECT_EQ(WorkFolders::adopt(state.path(), "k", "C").value(), "k.A");
  EXPECT_EQ(WorkFolders(state.path()).all().size(), 1u);
  EXPECT_TRUE(fs::exists(state / "work/k.C/publish.json"));
}

// The former holder was stopped while it saved.
TEST(WorkFolders, TakeNothingFromAFormerHolderThatWakesUp) {
  const TempFolder state;
  state.write("work/k.A/out/clip.mp4.rubato-partial/latents.safetensors", "step 3");
  const auto target = state / "work/k.A/out/clip.mp4.rubato-partial/latents.safetensors";
  auto draft = AtomicFile::create(target, Overwrite::Always);
  ASSERT_TRUE(draft.ok());
  ASSERT_TRUE(draft->write("step").ok());
  ASSERT_TRUE(WorkFolders::adopt(state.path(), "k", "B").ok());
  ASSERT_TRUE(draft->write(" 4").ok()) << "what it has open it may write";
  EXPECT_FALSE(draft->commit().ok());
  EXPECT_FALSE(write_file_atomically(target, "step 5", Overwrite::Always).ok());
  EXPECT_FALSE(fs::exists(state / "work/k.A"));
  const auto taken = state / "work/k.B/out/clip.mp4.rubato-partial";
  EXPECT_EQ(test::slurp(taken / "latents.safetensors"), "step 3");
  EXPECT_EQ(std::distance(fs::directory_iterator(taken), fs::directory_iterator()), 1) << "no draft is left";
}

}  // namespace
}  // namespace rubato
