// The choice of language, while the window is open; and commands of pages that nobody has opened.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <QComboBox>
#include <QDockWidget>
#include <QLineEdit>
#include <QMenuBar>
#include <QPlainTextEdit>
#include <QStatusBar>

#include "tests/gui/fake_engine.h"
#include "ui/create/draft_check.h"
#include "ui/create/prompt_panel.h"
#include "ui/create/video_draft.h"
#include "ui/create/video_workspace.h"
#include "ui/languages/language.h"
#include "ui/preferences/preferences_dialog.h"
#include "ui/queue/queue_model.h"
#include "ui/shell/command_palette.h"
#include "ui/shell/commands.h"
#include "ui/shell/main_window.h"
#include "ui/widgets/notice.h"

namespace rubato::ui {
namespace {

using test::FakeStudio;
using test::wait_until;

struct Window : FakeStudio {
  Window() {
    studio->settings().setValue(QStringLiteral("welcomed"), true);
    window = std::make_unique<MainWindow>(*studio, builtin_workspaces());
    window->show();
    window->activateWindow();
    EXPECT_TRUE(QTest::qWaitForWindowActive(window.get()));
  }
  ~Window() { apply_language(*qApp, QStringLiteral("en")); }
  std::string first_menu() { return window->menuBar()->actions().first()->text().toStdString(); }
  std::unique_ptr<MainWindow> window;
};

TEST(Preferences, AnotherLanguageIsThereAtOnceAndNothingIsLost) {
  Window w;
  ASSERT_TRUE(w.studio->draft().set("prompt", QStringLiteral("a small ring")).ok());
  w.window->notice()->show_text(QStringLiteral("to be read"));
  ASSERT_TRUE(wait_until([&] { return w.window->page(QStringLiteral("doctor")) != nullptr; }));
  const auto commands = w.studio->commands().all().size();
  QTest::keyClick(w.window.get(), Qt::Key_Comma, Qt::ControlModifier);
  auto* dialog = w.window->findChild<PreferencesDialog*>();
  ASSERT_NE(dialog, nullptr);
  ASSERT_TRUE(wait_until([&] { return dialog->isVisible(); }));
  const auto choose = [&](const char* language) {
    auto* box = dialog->language();
    box->setCurrentIndex(box->findData(QLatin1String(language)));
    Q_EMIT box->activated(box->currentIndex());
  };
  choose("de");
  ASSERT_TRUE(wait_until([&] { return w.first_menu() == "&Datei"; }));
  EXPECT_EQ(dialog->windowTitle().toStdString(), "Voreinstellungen");
  EXPECT_EQ(dialog->language()->currentText().toStdString(), "Deutsch");
  EXPECT_EQ(w.studio->settings().value(QStringLiteral("language")).toString().toStdString(), "de");
  EXPECT_EQ(w.window->workspace().toStdString(), "video");
  auto* video = qobject_cast<VideoWorkspace*>(w.window->page(QStringLiteral("video")));
  ASSERT_NE(video, nullptr);
  EXPECT_EQ(video->prompt()->prompt()->toPlainText().toStdString(), "a small ring");
  EXPECT_EQ(video->findChild<QDockWidget*>(QStringLiteral("settingsDock"))->windowTitle().toStdString(),
            "Einstellungen");
  EXPECT_TRUE(wait_until([&] { return w.window->notice()->isVisible(); }));
  EXPECT_EQ(w.window->notice()->text().toStdString(), "To be read");
  ASSERT_TRUE(wait_until([&] { return w.window->page(QStringLiteral("doctor")) != nullptr; }));
  EXPECT_EQ(w.studio->commands().all().size(), commands);
  EXPECT_EQ(w.window->findChildren<QStatusBar*>(Qt::FindDirectChildrenOnly).size(), 1);
  choose("en");
  ASSERT_TRUE(wait_until([&] { return w.first_menu() == "&File"; }));
  dialog->close();
  w.window->activateWindow();
  ASSERT_TRUE(QTest::qWaitForWindowActive(w.window.get()));
  // The keys work as before.
  QTest::keyClick(w.window.get(), Qt::Key_3, Qt::AltModifier);
  EXPECT_EQ(w.window->workspace().toStdString(), "library");
}

TEST(Preferences, TheThemeOfThePageIsChosenThere) {
  Window w;
  PreferencesDialog dialog(w.studio->settings(), w.window.get());
  dialog.setAttribute(Qt::WA_DeleteOnClose, false);
  QStringList chosen;
  QObject::connect(&dialog, &PreferencesDialog::theme_chosen, [&](const QString& id) { chosen += id; });
  dialog.theme()->setCurrentIndex(dialog.theme()->findData(QStringLiteral("light")));
  Q_EMIT dialog.theme()->activated(dialog.theme()->currentIndex());
  EXPECT_EQ(chosen, QStringList{QStringLiteral("light")});
}

// From the palette, by its words; and what acts on a choice only brings the page where one chooses.
TEST(MainWindow, CommandsOfPagesThatWereNeverOpenedAreInThePalette) {
  Window w;
  VideoJob job;
  job.prompt = "a ring";
  job.out = "/tmp/x.mp4";
  ASSERT_TRUE(w.studio->queue().add(job, QStringLiteral("a ring"), QueueModel::Turn::Last));
  const auto ask = [&](const char* words) {
    w.window->activateWindow();
    ASSERT_TRUE(QTest::qWaitForWindowActive(w.window.get()));
    QTest::keyClick(w.window.get(), Qt::Key_K, Qt::ControlModifier);
    QPointer<CommandPalette> palette = w.window->findChild<CommandPalette*>();
    ASSERT_NE(palette, nullptr);
    auto* line = palette->findChild<QLineEdit*>();
    QTest::keyClicks(line, QLatin1String(words));
    QTest::keyClick(line, Qt::Key_Return);
    ASSERT_TRUE(wait_until([&] { return palette.isNull(); }));
  };
  ask("queue cancel");
  ASSERT_TRUE(wait_until([&] { return w.window->workspace() == QLatin1String("queue"); }));
  QTest::qWait(50);
  EXPECT_EQ(w.studio->queue().job(0).state, JobState::Queued);
  ask("queue cancel");  // now it is in sight
  EXPECT_TRUE(wait_until([&] { return w.studio->queue().job(0).state == JobState::Cancelled; }));
}

}  // namespace
}  // namespace rubato::ui
