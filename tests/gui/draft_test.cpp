#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QSignalSpy>
#include <fstream>
#include <random>

#include "pipelines/job/schema.h"
#include "tests/gui/fake_engine.h"
#include "ui/create/draft_keeper.h"
#include "ui/create/video_draft.h"

namespace rubato::ui {
namespace {

using testing::HasSubstr;

// For every field of the schema: what a random job has there can be set as text, undone and done again.
TEST(VideoDraft, EveryFieldUndoesAndRedoes) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 5; ++round) {
    VideoJob wanted;
    fill_random(fields_of(wanted), random);
    VideoDraft draft;
    for (const auto& field : fields_of(wanted)) {
      if (std::holds_alternative<Method>(field.rule)) continue;  // each has one method yet
      const auto before = draft.job();
      const auto done = draft.set(field.name, field_text(field));
      ASSERT_TRUE(done.ok()) << done.error().message;
      EXPECT_EQ(draft.text(field.name), field_text(field)) << field.name;
      const auto after = draft.job();
      if (before == after) continue;
      draft.undo().undo();
      EXPECT_EQ(draft.job(), before) << field.name;
      draft.undo().redo();
      EXPECT_EQ(draft.job(), after) << field.name;
    }
    while (draft.undo().canUndo()) draft.undo().undo();
    EXPECT_EQ(draft.job(), VideoJob());
  }
}

TEST(VideoDraft, WhatIsTypedInOneGoIsOneStep) {
  VideoDraft draft;
  for (const auto* text : {"a", "a r", "a red", "a red star"})
    ASSERT_TRUE(draft.set("prompt", QLatin1String(text)).ok());
  ASSERT_TRUE(draft.set("steps", QStringLiteral("12")).ok());
  EXPECT_EQ(draft.undo().count(), 2);
  draft.undo().undo();
  EXPECT_FALSE(draft.job().steps);
  EXPECT_EQ(draft.job().prompt, "a red star");
  draft.undo().undo();
  EXPECT_EQ(draft.job().prompt, "");
}

TEST(VideoDraft, AValueOutOfRangeChangesNothingAndNamesTheNearest) {
  VideoDraft draft;
  QSignalSpy changed(&draft, &VideoDraft::changed);
  const auto done = draft.set("steps", QStringLiteral("5000"));
  ASSERT_FALSE(done.ok());
  EXPECT_THAT(done.error().message, HasSubstr("1000"));
  EXPECT_EQ(changed.count(), 0);
  EXPECT_EQ(draft.undo().count(), 0);
}

TEST(VideoDraft, AResetOpensTheField) {
  VideoDraft draft;
  ASSERT_TRUE(draft.set("frames", QStringLiteral("33")).ok());
  EXPECT_TRUE(draft.is_set("frames"));
  draft.reset("frames");
  EXPECT_FALSE(draft.is_set("frames"));
  EXPECT_FALSE(draft.job().frames);
}

TEST(DraftKeeper, FiveCopiesInTurnAndTheNewestCounts) {
  const test::TempFolder folder;
  {
    VideoDraft draft;
    DraftKeeper keeper(draft, folder.path());
    for (int i = 1; i <= 7; ++i) {
      ASSERT_TRUE(draft.set("steps", QString::number(i)).ok());
      ASSERT_TRUE(keeper.save().ok());
    }
  }
  int copies = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) copies += entry.is_regular_file();
  EXPECT_EQ(copies, DraftKeeper::kCopies);
  ASSERT_TRUE(DraftKeeper::newest(folder.path()));
  EXPECT_EQ(DraftKeeper::newest(folder.path())->job.steps, 7);

  // The newest was the second (7 = 5 + 2); cut off, the one before it counts, and the next save spares that one.
  std::ofstream(folder / "draft-2.json", std::ios::trunc) << "{\"version\": 1, \"jo";
  EXPECT_EQ(DraftKeeper::newest(folder.path())->job.steps, 6);
  VideoDraft draft;
  DraftKeeper keeper(draft, folder.path());
  ASSERT_TRUE(draft.set("steps", QStringLiteral("8")).ok());
  ASSERT_TRUE(keeper.save().ok());
  EXPECT_EQ(DraftKeeper::newest(folder.path())->job.steps, 8);
}

TEST(DraftKeeper, WhatIsNotYetWrittenIsWrittenAtTheEnd) {
  const test::TempFolder folder;
  VideoDraft draft;
  {
    DraftKeeper keeper(draft, folder.path());
    ASSERT_TRUE(draft.set("prompt", QStringLiteral("a ring")).ok());
  }
  ASSERT_TRUE(DraftKeeper::newest(folder.path()));
  EXPECT_EQ(DraftKeeper::newest(folder.path())->job.prompt, "a ring");
}

}  // namespace
}  // namespace rubato::ui
