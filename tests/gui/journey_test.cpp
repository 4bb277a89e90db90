// Journey A with the real engine: a newcomer's first start, first clip, stepping through it, a variation, an undo, and
// everything found again after a restart. By mouse and keyboard, in a home of its own; pictures lie in screenshots/.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QDir>
#include <QElapsedTimer>
#include <QListView>
#include <QPushButton>

#include "tests/gui/session.h"

namespace rubato::ui {
namespace {

using test::kRender;
using test::Session;
using test::wait_until;
namespace fs = std::filesystem;

// The longest time in which the window answered nothing.
class Watchdog : public QObject {
 public:
  Watchdog() {
    since_.start();
    startTimer(5, Qt::PreciseTimer);
  }
  qint64 longest() const { return longest_; }
  void excuse() { since_.restart(); }  // what the test itself did
  void reset() {
    since_.restart();
    longest_ = 0;
  }

 protected:
  void timerEvent(QTimerEvent*) override { longest_ = std::max(longest_, since_.restart()); }

 private:
  QElapsedTimer since_;
  qint64 longest_ = 0;
};

// Writes a number into a field of the form, as a person does.
void type_number(Session& session, const char* field, int value) {
  auto* input = session.video()->form()->input(field);
  ASSERT_NE(input, nullptr) << field;
  input->setFocus();
  QTest::keyClick(input, Qt::Key_A, Qt::ControlModifier);
  QTest::keyClicks(input, QString::number(value));
  QTest::keyClick(input, Qt::Key_Tab);
}

TEST(JourneyA, FromTheFirstStartToAClipThatIsFoundAgain) {
  if (RUBATO_TEST_ENGINE == 0) GTEST_SKIP() << "this build has no worker or no media";
  const test::TempFolder home;
  Watchdog watchdog;
  std::string first, second;
  {
    Session session(home.path());
    auto& studio = *session.studio;
    const auto choices = session.window->findChildren<QPushButton*>(QStringLiteral("choice"));
    ASSERT_EQ(choices.size(), 3);
    session.picture("1-welcome");
    QTest::mouseClick(choices[0], Qt::LeftButton);
    ASSERT_EQ(session.window->workspace(), QStringLiteral("video"));
    EXPECT_FALSE(studio.draft().job().prompt.empty());
    type_number(session, "frames", 9);
    type_number(session, "steps", 3);
    EXPECT_EQ(studio.draft().job().frames, 9);
    EXPECT_EQ(studio.draft().job().steps, 3);
    ASSERT_TRUE(session.ready()) << studio.check().verdict().problem.toStdString();
    EXPECT_TRUE(studio.check().verdict().memory);
    session.picture("2-ready");

    bool previewed = false;
    QObject::connect(&studio.render(), &RenderModel::pictured, [&] {
      if (previewed) return;
      previewed = true;
      session.picture("3-preview");
      watchdog.excuse();
    });
    watchdog.reset();
    QTest::mouseClick(session.video()->render_panel()->button(), Qt::LeftButton);
    ASSERT_TRUE(wait_until([&] { return studio.library().rowCount() == 1; }, kRender))
        << studio.queue().index(0, QueueModel::Progress).data().toString().toStdString();
    EXPECT_TRUE(previewed);
    RecordProperty("longest_stall_ms", std::to_string(watchdog.longest()));
    EXPECT_LT(watchdog.longest(), 500) << "the window stood still while it rendered";
    first = studio.library().item(0).path;
    EXPECT_TRUE(fs::exists(first));

    // Step through it, frame by frame.
    auto& player = studio.player();
    ASSERT_TRUE(wait_until([&] { return player.is_open() && !player.image().isNull(); }));
    EXPECT_EQ(player.count(), 9);
    auto* view = session.video()->stage()->view();
    view->setFocus();
    QTest::keyClick(view, Qt::Key_K);
    QTest::keyClick(view, Qt::Key_Home);
    for (int i = 1; i <= 8; ++i) {
      QTest::keyClick(view, Qt::Key_Right);
      EXPECT_EQ(player.position(), i);
      EXPECT_FALSE(player.image().isNull());
    }
    session.picture("4-clip");

    // The same once more with another seed.
    ASSERT_TRUE(session.ready());
    QTest::keyClick(session.window.get(), Qt::Key_R, Qt::ControlModifier);
    ASSERT_TRUE(wait_until([&] { return studio.library().rowCount() == 2; }, kRender));
    second = studio.library().item(0).path;
    EXPECT_NE(first, second);
    EXPECT_NE(studio.library().item(0).seed, studio.library().item(1).seed);

    // A setting is taken back.
    type_number(session, "steps", 5);
    EXPECT_EQ(studio.draft().job().steps, 5);
    QTest::keyClick(session.window.get(), Qt::Key_Z, Qt::ControlModifier);
    EXPECT_EQ(studio.draft().job().steps, 3);
    QTest::keyClick(session.window.get(), Qt::Key_2, Qt::AltModifier);
    session.picture("5-queue");
    EXPECT_EQ(studio.queue().rowCount(), 2);
  }
  // The next day.
  Session session(home.path());
  auto& studio = *session.studio;
  EXPECT_TRUE(session.window->notice()->isHidden());
  EXPECT_EQ(studio.draft().job().steps, 3);
  QTest::keyClick(session.window.get(), Qt::Key_3, Qt::AltModifier);
  ASSERT_EQ(session.window->workspace(), QStringLiteral("library"));
  ASSERT_EQ(studio.library().rowCount(), 2);
  EXPECT_EQ(studio.library().item(0).path, second);
  EXPECT_EQ(studio.library().item(1).path, first);
  ASSERT_TRUE(wait_until([&] { return !studio.library().index(0).data(Qt::DecorationRole).isNull(); }));
  QTest::qWait(50);
  session.picture("6-library");
  // Its settings come back out of the file, with the seed that was drawn.
  auto* clips = session.window->findChild<QListView*>(QStringLiteral("clips"));
  ASSERT_NE(clips, nullptr);
  clips->setFocus();
  QTest::keyClick(clips, Qt::Key_U);
  ASSERT_TRUE(wait_until([&] { return studio.draft().job().seed.has_value(); }));
  EXPECT_EQ(std::to_string(*studio.draft().job().seed), studio.library().item(0).seed);
  EXPECT_EQ(studio.draft().job().frames, 9);
}

// The pictures of the README, made by packaging/readme-screens.sh into $RUBATO_PICTURES; no test, so not run as one.
TEST(Readme, DISABLED_Pictures) {
  const auto* folder = std::getenv("RUBATO_PICTURES");
  ASSERT_NE(folder, nullptr);
  const test::TempFolder home;
  Session session(home.path());
  auto& studio = *session.studio;
  QTest::mouseClick(session.window->findChildren<QPushButton*>(QStringLiteral("choice"))[0], Qt::LeftButton);
  const auto save = [&](const char* name) {
    QTest::qWait(200);
    EXPECT_TRUE(
        session.window->grab().save(QStringLiteral("%1/%2.png").arg(QLatin1String(folder), QLatin1String(name))));
  };
  const char* prompts[] = {"a big orange cross falls, then stops on a grey wall", "a big yellow heart grows at sunset",
                           "a small white star rises over the sea", "a big blue circle moves right at night",
                           "a small cyan ring circles around in a forest"};
  ASSERT_TRUE(studio.draft().set("seed", QStringLiteral("7")).ok());
  int made = 0;
  for (const auto* prompt : prompts) {
    ASSERT_TRUE(studio.draft().set("prompt", QLatin1String(prompt)).ok());
    ASSERT_TRUE(wait_until([&] { return !session.studio->check().settled(); }) && session.ready());
    studio.desk().render(QueueModel::Turn::Last);
    ASSERT_TRUE(wait_until([&] { return studio.library().rowCount() == made + 1; }, kRender));
    ++made;
  }
  auto& player = studio.player();
  ASSERT_TRUE(wait_until([&] { return player.is_open() && player.count() == 65; }));
  player.stop();
  player.seek(20);
  ASSERT_TRUE(wait_until([&] {
    for (int i = 0; i < 65; i += 4) player.frames().frame(i);
    return player.frames().has(64) && player.frames().has(20);
  }));
  ASSERT_TRUE(wait_until([&] { return studio.check().settled(); }));
  save("studio-video");
  session.window->show_workspace(QStringLiteral("library"));
  ASSERT_TRUE(wait_until([&] {
    for (int i = 0; i < made; ++i)
      if (studio.library().index(i).data(Qt::DecorationRole).isNull()) return false;
    return true;
  }));
  studio.library().set_starred(studio.library().index(1).data(LibraryModel::kIdRole).toString(), true);
  save("studio-library");
}

}  // namespace
}  // namespace rubato::ui
