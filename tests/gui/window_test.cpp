// The whole window on an engine that does what the test says: by mouse and keyboard.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QAccessible>
#include <QComboBox>
#include <QLineEdit>
#include <QListView>
#include <QPushButton>
#include <QSignalSpy>
#include <QToolButton>
#include <nlohmann/json.hpp>

#include "tests/gui/fake_engine.h"
#include "ui/create/draft_check.h"
#include "ui/create/prompt_panel.h"
#include "ui/create/render_desk.h"
#include "ui/create/render_panel.h"
#include "ui/create/settings_form.h"
#include "ui/create/video_draft.h"
#include "ui/create/video_workspace.h"
#include "ui/queue/queue_model.h"
#include "ui/shell/commands.h"
#include "ui/shell/main_window.h"
#include "ui/stage/player.h"
#include "ui/stage/stage.h"
#include "ui/widgets/notice.h"

namespace rubato::ui {
namespace {

using test::FakeStudio;
using test::wait_until;

struct Window : FakeStudio {
  explicit Window(bool welcomed = true) {
    studio->settings().setValue(QStringLiteral("welcomed"), welcomed);
    window = std::make_unique<MainWindow>(*studio, builtin_workspaces());
    window->show();
    window->activateWindow();
    EXPECT_TRUE(QTest::qWaitForWindowActive(window.get()));
  }
  VideoWorkspace* video() { return qobject_cast<VideoWorkspace*>(window->page(QStringLiteral("video"))); }
  std::unique_ptr<MainWindow> window;
};

std::string prompt_of(Window& w) { return w.studio->draft().job().prompt; }

TEST(MainWindow, FromAPromptToAClipInTheLibrary) {
  Window w;
  auto* prompt = w.video()->prompt()->prompt();
  auto* button = w.video()->render_panel()->button();
  ASSERT_TRUE(wait_until([&] { return w.studio->check().settled(); }));
  EXPECT_FALSE(button->isEnabled());
  prompt->setFocus();
  QTest::keyClicks(prompt, QStringLiteral("a small ring"));
  EXPECT_EQ(prompt_of(w), "a small ring");
  ASSERT_TRUE(wait_until([&] { return button->isEnabled() && w.studio->check().settled(); }));
  QTest::mouseClick(button, Qt::LeftButton);
  ASSERT_EQ(w.studio->queue().rowCount(), 1);
  const auto id = w.engine->begin();
  ASSERT_FALSE(id.empty());
  w.engine->tell(id, {.phase = QStringLiteral("denoise"), .done = 1, .total = 4, .fraction = 0.2});
  w.engine->show(id, 0);
  EXPECT_TRUE(w.video()->stage()->previewing());
  w.engine->finish(id, (w.folder->path() / "clips/a.mp4").string());
  EXPECT_EQ(w.studio->library().rowCount(), 1);
  ASSERT_TRUE(wait_until([&] { return w.studio->player().is_open(); }));
  EXPECT_FALSE(w.video()->stage()->previewing());
  // The seed was open, so one was drawn: it stands in the library and not in the draft.
  EXPECT_FALSE(w.studio->library().item(0).seed.empty());
  EXPECT_FALSE(w.studio->draft().job().seed);
}

TEST(MainWindow, CtrlEnterRendersAndCtrlZTakesBackWhatWasTyped) {
  Window w;
  auto* prompt = w.video()->prompt()->prompt();
  prompt->setFocus();
  QTest::keyClicks(prompt, QStringLiteral("ring"));
  ASSERT_TRUE(wait_until([&] { return w.studio->check().settled() && w.studio->check().verdict().resolved; }));
  QTest::keyClick(prompt, Qt::Key_Return, Qt::ControlModifier);
  ASSERT_TRUE(wait_until([&] { return w.studio->queue().rowCount() == 1; }));
  QTest::keyClick(prompt, Qt::Key_Z, Qt::ControlModifier);
  EXPECT_EQ(prompt_of(w), "");
  EXPECT_EQ(prompt->toPlainText(), QString());
  QTest::keyClick(prompt, Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
  EXPECT_EQ(prompt_of(w), "ring");
}

// The second would find the first one's file in its way.
TEST(MainWindow, TheSameClipTwiceInTheQueueHasTwoNames) {
  Window w;
  ASSERT_TRUE(w.studio->draft().set("prompt", QStringLiteral("a small ring")).ok());
  ASSERT_TRUE(w.studio->draft().set("seed", QStringLiteral("7")).ok());
  ASSERT_TRUE(wait_until([&] { return w.studio->desk().can_render(); }));
  for (int i = 0; i < 2; ++i) w.studio->desk().render(QueueModel::Turn::Last);
  ASSERT_TRUE(wait_until([&] { return w.studio->queue().rowCount() == 2; }));
  const auto out = [&](int row) {
    return nlohmann::json::parse(w.studio->queue().job(row).spec)["out"].get<std::string>();
  };
  EXPECT_THAT(out(0), testing::EndsWith("-7.mp4"));
  EXPECT_THAT(out(1), testing::EndsWith("-7-2.mp4"));
}

TEST(MainWindow, TheFormFollowsTheSchemaAndTheModel) {
  Window w;
  ASSERT_TRUE(wait_until([&] { return w.studio->check().settled(); }));
  auto* form = w.video()->form();
  VideoJob job;
  for (const auto& field : fields_of(job)) {
    if (field.group != Group::Inspection) continue;
    EXPECT_EQ(form->input(std::string(field.name)), nullptr) << field.name;
  }
  EXPECT_FALSE(form->shows("image"));       // this model takes none
  EXPECT_FALSE(form->shows("guidance_2"));  // and has one expert
  auto* steps = form->input("steps");
  ASSERT_NE(steps, nullptr);
  EXPECT_THAT(steps->property("text").toString().toStdString(), testing::Eq("30"));
  steps->setFocus();
  QTest::keyClick(steps, Qt::Key_Up);  // from what the model takes
  EXPECT_EQ(w.studio->draft().job().steps, 31);
  w.studio->undo().undo();
  EXPECT_FALSE(w.studio->draft().job().steps);
}

TEST(MainWindow, AltAndANumberGoesToAWorkspaceAndItIsRemembered) {
  auto folder = std::make_shared<test::TempFolder>();
  {
    Window w;
    folder = w.folder;
    QTest::keyClick(w.window.get(), Qt::Key_3, Qt::AltModifier);
    EXPECT_EQ(w.window->workspace(), QStringLiteral("library"));
    w.window->close();
  }
  FakeStudio again(folder, 20);
  MainWindow window(*again.studio, builtin_workspaces());
  EXPECT_EQ(window.workspace(), QStringLiteral("library"));
}

TEST(MainWindow, ANewcomerHasThreeWaysToBegin) {
  Window w(false);
  const auto choices = w.window->findChildren<QPushButton*>(QStringLiteral("choice"));
  ASSERT_EQ(choices.size(), 3);
  QTest::mouseClick(choices[0], Qt::LeftButton);
  EXPECT_EQ(w.window->workspace(), QStringLiteral("video"));
  EXPECT_FALSE(prompt_of(w).empty());
  EXPECT_TRUE(w.studio->settings().value(QStringLiteral("welcomed")).toBool());
}

// From the welcome page to a clip in the library without a mouse.
TEST(MainWindow, ByKeyboardAlone) {
  Window w(false);
  auto* at = QApplication::focusWidget();
  ASSERT_NE(at, nullptr);
  EXPECT_EQ(at->objectName(), QStringLiteral("choice"));
  QTest::keyClick(at, Qt::Key_Space);
  ASSERT_EQ(w.window->workspace(), QStringLiteral("video"));
  at = QApplication::focusWidget();
  EXPECT_EQ(at->objectName(), QStringLiteral("prompt"));
  QTest::keyClicks(at, QStringLiteral(" at night"));
  EXPECT_THAT(prompt_of(w), testing::HasSubstr("at night"));
  // Tab reaches the steps and then the button; nothing on the way holds the focus.
  std::vector<std::string> places;
  for (int i = 0; i < 40 && (places.empty() || places.back() != "primary"); ++i) {
    QTest::keyClick(QApplication::focusWidget(), Qt::Key_Tab);
    places.push_back(QApplication::focusWidget()->objectName().toStdString());
  }
  EXPECT_THAT(places, testing::Contains("steps"));
  ASSERT_TRUE(wait_until([&] { return w.studio->check().settled() && w.studio->check().verdict().resolved; }));
  QTest::keyClick(w.window.get(), Qt::Key_Return, Qt::ControlModifier);
  ASSERT_TRUE(wait_until([&] { return w.studio->queue().rowCount() == 1; }));
  const auto id = w.engine->begin();
  w.engine->finish(id, "/clips/a.mp4");
  QTest::keyClick(w.window.get(), Qt::Key_3, Qt::AltModifier);
  EXPECT_EQ(w.window->workspace(), QStringLiteral("library"));
  EXPECT_EQ(QApplication::focusWidget()->objectName(), QStringLiteral("clips"));
  QTest::keyClick(QApplication::focusWidget(), Qt::Key_S);
  EXPECT_TRUE(w.studio->library().item(0).starred);
}

TEST(MainWindow, TheSettingsOfAFileAreOneStepAndTouchNoPath) {
  Window w;
  ASSERT_TRUE(w.studio->draft().set("prompt", QStringLiteral("before")).ok());
  QSignalSpy taken(w.studio.get(), &Studio::settings_taken);
  w.studio->take_settings_of("/clip.mp4");
  ASSERT_TRUE(taken.wait());
  EXPECT_THAT(w.window->notice()->text().toStdString(), testing::HasSubstr("Steps: open → 12"));
  EXPECT_EQ(prompt_of(w), "recorded");
  EXPECT_EQ(w.studio->draft().job().out, "");
  auto* undo = w.window->notice()->findChild<QPushButton*>();
  ASSERT_NE(undo, nullptr);
  QTest::mouseClick(undo, Qt::LeftButton);
  EXPECT_EQ(prompt_of(w), "before");
  EXPECT_FALSE(w.studio->draft().job().steps);
}

TEST(MainWindow, JKLAndArrowsMoveTheClipWhereTheStageHasTheFocus) {
  Window w;
  w.studio->open_clip("/clip.mp4");
  auto& player = w.studio->player();
  ASSERT_TRUE(wait_until([&] { return player.is_open(); }));
  auto* view = w.video()->stage()->view();
  view->setFocus();
  ASSERT_TRUE(wait_until([&] { return view->hasFocus(); }));
  QTest::keyClick(view, Qt::Key_K);
  EXPECT_EQ(player.speed(), 0);
  player.seek(5);
  QTest::keyClick(view, Qt::Key_Right);
  EXPECT_EQ(player.position(), 6);
  QTest::keyClick(view, Qt::Key_Left, Qt::ShiftModifier);
  EXPECT_EQ(player.position(), 0);
  QTest::keyClick(view, Qt::Key_L);
  EXPECT_EQ(player.speed(), 1);
  QTest::keyClick(view, Qt::Key_Space);
  EXPECT_EQ(player.speed(), 0);
  // Letters that are typed are letters.
  auto* prompt = w.video()->prompt()->prompt();
  prompt->setFocus();
  QTest::keyClicks(prompt, QStringLiteral("jkl io"));
  EXPECT_EQ(prompt_of(w), "jkl io");
}

// Walks everything that can have the focus: each has a name that a screen reader can say.
TEST(MainWindow, NothingThatTakesTheFocusIsNameless) {
  Window w;
  w.studio->library().add({.path = "/tmp/a.mp4", .title = "a", .prompt = "a", .model = "m", .added = 1});
  for (const auto& spec : builtin_workspaces()) {
    w.window->show_workspace(spec.id);
    QTest::qWait(10);
    for (auto* widget : w.window->findChildren<QWidget*>()) {
      if (widget->focusPolicy() == Qt::NoFocus || !widget->isVisibleTo(w.window.get())) continue;
      if (widget->focusProxy() != nullptr || qobject_cast<QLineEdit*>(widget) != nullptr) {
        // Parts of an editor that has the name.
        if (qobject_cast<QComboBox*>(widget->parentWidget()) || widget->parentWidget()->inherits("QAbstractSpinBox"))
          continue;
      }
      auto* accessible = QAccessible::queryAccessibleInterface(widget);
      ASSERT_NE(accessible, nullptr);
      EXPECT_FALSE(accessible->text(QAccessible::Name).isEmpty())
          << spec.id.toStdString() << ": " << widget->metaObject()->className() << " "
          << widget->objectName().toStdString() << " in " << widget->parentWidget()->metaObject()->className();
    }
  }
}

}  // namespace
}  // namespace rubato::ui
