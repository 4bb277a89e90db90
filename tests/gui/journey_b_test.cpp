// Journey B with the real engine, by keyboard alone where the first goes by mouse: folders as creators have them, four
// seeds in the queue, one of them cancelled, two compared, the settings of the better one taken, one changed, and a
// clip verified.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QLabel>
#include <QListView>
#include <QTreeView>

#include "tests/gui/session.h"
#include "ui/create/model_picker.h"
#include "ui/library/verifier.h"
#include "ui/stage/compare_model.h"
#include "ui/stage/compare_view.h"

namespace rubato::ui {
namespace {

using test::Session;
using test::wait_until;
namespace fs = std::filesystem;

TEST(JourneyB, FoldersFourSeedsAComparisonAndAVerification) {
  if (RUBATO_TEST_ENGINE == 0) GTEST_SKIP() << "this build has no worker or no media";
  const test::TempFolder home;
  // A hub cache, whose files are links to blobs, and a folder of which a part is missing.
  const fs::path whole = fs::path(RUBATO_TEST_DATA) / "wan_21_s0";
  const auto snapshot = home / "hub/models--someone--tiny-wan/snapshots/0123abcd";
  fs::create_directories(snapshot.parent_path());
  fs::copy(whole, snapshot, fs::copy_options::recursive);
  fs::create_directories(home / "models");
  fs::copy(whole, home / "models/lacking", fs::copy_options::recursive);
  fs::remove_all(home / "models/lacking/vae");

  Session session(home.path());
  auto& studio = *session.studio;
  studio.settings().setValue(QStringLiteral("welcomed"), true);
  for (const auto* folder : {"hub", "models"}) ASSERT_TRUE(add_model_folder(studio.user(), home / folder).ok());
  QSignalSpy scanned(&studio.models(), &ModelsModel::scanned);
  QTest::keyClick(session.window.get(), Qt::Key_4, Qt::AltModifier);
  ASSERT_EQ(session.window->workspace(), QStringLiteral("models"));
  QTest::keyClick(session.window.get(), Qt::Key_F5);
  ASSERT_TRUE(scanned.wait(60'000));
  ASSERT_TRUE(wait_until([&] { return studio.models().rowCount() == 3; }));  // these two and the practice model
  std::string states;
  for (int row = 0; row < 3; ++row)
    states += studio.models().index(row, ModelsModel::State).data().toString().toStdString() + "\n";
  EXPECT_THAT(states, testing::HasSubstr("missing: vae"));
  EXPECT_EQ(studio.models().usable().size(), 2u);
  session.picture("b1-models");

  // Four seeds of one sentence; the queue is held meanwhile, so that it can be put into order.
  QTest::keyClick(session.window.get(), Qt::Key_1, Qt::AltModifier);
  auto* prompt = session.video()->prompt()->prompt();
  prompt->setFocus();
  QTest::keyClicks(prompt, QStringLiteral("a big red star waits"));
  ASSERT_TRUE(studio.draft().set("frames", QStringLiteral("9")).ok());
  ASSERT_TRUE(studio.draft().set("steps", QStringLiteral("3")).ok());
  ASSERT_TRUE(wait_until([&] { return studio.check().verdict().resolved && session.ready(); }));
  studio.queue().pause();
  QTest::keyClick(prompt, Qt::Key_R, Qt::ControlModifier | Qt::ShiftModifier);
  ASSERT_EQ(studio.queue().rowCount(), 4);
  QTest::keyClick(session.window.get(), Qt::Key_2, Qt::AltModifier);
  auto* table = session.window->findChild<QTreeView*>(QStringLiteral("jobs"));
  ASSERT_NE(table, nullptr);
  table->setFocus();
  table->setCurrentIndex(studio.queue().index(3, 0));
  const auto last = studio.queue().job(3).id;
  QTest::keyClick(table, Qt::Key_Up, Qt::AltModifier);
  EXPECT_EQ(studio.queue().job(2).id, last);
  table->setCurrentIndex(studio.queue().index(3, 0));
  QTest::keyClick(table, Qt::Key_C);
  ASSERT_TRUE(wait_until([&] { return studio.queue().waiting() == 3; }));
  session.picture("b2-queue");
  studio.queue().resume();
  ASSERT_TRUE(wait_until([&] { return studio.library().rowCount() == 3; }, test::kRender));

  // Two of them against each other.
  QTest::keyClick(session.window.get(), Qt::Key_3, Qt::AltModifier);
  auto* clips = session.window->findChild<QListView*>(QStringLiteral("clips"));
  clips->setFocus();
  clips->setCurrentIndex(clips->model()->index(0, 0));
  QTest::keyClick(clips, Qt::Key_Right, Qt::ShiftModifier);
  QTest::keyClick(clips, Qt::Key_B);
  auto* compare = session.window->findChild<CompareView*>();
  ASSERT_TRUE(wait_until([&] {
    return compare->isVisible() && !studio.compare().image(0).isNull() && !studio.compare().image(1).isNull();
  })) << compare->isVisible();
  EXPECT_TRUE(studio.compare().psnr());  // other seeds, other pictures
  session.picture("b3-compare");
  const auto winner = studio.compare().file(0);
  Q_EMIT compare->settings_wanted(0);
  ASSERT_TRUE(wait_until([&] { return studio.draft().job().seed.has_value(); }));
  const auto seed = std::to_string(*studio.draft().job().seed);
  EXPECT_THAT(winner.string(), testing::HasSubstr(seed));
  ASSERT_EQ(session.window->workspace(), QStringLiteral("video"));

  // One setting is changed, and the clip made once more; its file can be verified.
  ASSERT_TRUE(studio.draft().set("steps", QStringLiteral("4")).ok());
  ASSERT_TRUE(wait_until([&] { return !studio.check().settled(); }) && session.ready());
  QTest::keyClick(session.window.get(), Qt::Key_Return, Qt::ControlModifier);
  ASSERT_TRUE(wait_until([&] { return studio.library().rowCount() == 4; }, test::kRender));
  EXPECT_EQ(studio.library().item(0).seed, seed);
  QSignalSpy judged(&studio.verifier(), &Verifier::judged);
  studio.verifier().verify(studio.library().item(0).path);
  ASSERT_TRUE(judged.wait(test::kRender));
  EXPECT_THAT(judged[0][0].toString().toStdString(), testing::HasSubstr("bit-identical"));
}

}  // namespace
}  // namespace rubato::ui
