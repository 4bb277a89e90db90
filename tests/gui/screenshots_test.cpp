// A picture of every page, in each theme and at the smallest size: to be looked at, in screenshots/ of the build
// folder. What can be judged by a program is: everything fits into the smallest window.
#include <gtest/gtest.h>

#include <QDir>
#include <QListView>
#include <QScrollArea>
#include <QScrollBar>

#include "tests/gui/full_studio.h"
#include "tests/gui/sample_run.h"
#include "ui/create/draft_check.h"
#include "ui/doctor/doctor_view.h"
#include "ui/report/report_dialog.h"
#include "ui/shell/command_palette.h"
#include "ui/shell/commands.h"
#include "ui/shell/main_window.h"
#include "ui/shell/shortcuts_dialog.h"
#include "ui/stage/compare_model.h"
#include "ui/stage/player.h"
#include "ui/theme/theme.h"

namespace rubato::ui {
namespace {

QString file_for(const QString& name) {
  const QString folder = QStringLiteral(RUBATO_BIN_DIR "/../screenshots");
  QDir().mkpath(folder);
  return QStringLiteral("%1/%2.png").arg(folder, name);
}

class Pages : public testing::TestWithParam<const char*> {};

TEST_P(Pages, FitIntoTheSmallestWindow) {
  apply_theme(*qApp, theme_named(QLatin1String(GetParam())));
  test::FakeStudio fake;
  fake.studio->settings().setValue(QStringLiteral("welcomed"), false);
  MainWindow window(*fake.studio, builtin_workspaces());
  window.resize(1024, 700);
  window.show();
  ASSERT_TRUE(QTest::qWaitForWindowExposed(&window));
  window.grab().save(file_for(QStringLiteral("welcome-%1").arg(QLatin1String(GetParam()))));
  for (const bool filled : {false, true}) {
    if (filled) test::fill(fake);
    for (const auto& spec : builtin_workspaces()) {
      window.show_workspace(spec.id);
      ASSERT_TRUE(test::wait_until([&] { return fake.studio->check().settled(); }));
      if (auto* doctor = qobject_cast<DoctorView*>(window.page(spec.id)); doctor != nullptr && filled)
        doctor->show_answer(test::kDoctor);
      QTest::qWait(50);
      EXPECT_EQ(window.size(), QSize(1024, 700)) << spec.id.toStdString();
      EXPECT_TRUE(window.grab().save(file_for(
          QStringLiteral("%1-%2-%3")
              .arg(spec.id, filled ? QStringLiteral("filled") : QStringLiteral("empty"), QLatin1String(GetParam())))));
    }
  }
  window.resize(1440, 900);
  fake.studio->open_clip("/clip.mp4");
  ASSERT_TRUE(test::wait_until([&] { return fake.studio->player().is_open(); }));
  QTest::qWait(100);
  window.grab().save(file_for(QStringLiteral("player-%1").arg(QLatin1String(GetParam()))));
  window.show_workspace(QStringLiteral("library"));
  auto* clips = window.findChild<QListView*>(QStringLiteral("clips"));
  clips->selectionModel()->setCurrentIndex(clips->model()->index(0, 0), QItemSelectionModel::ClearAndSelect);
  clips->selectionModel()->select(clips->model()->index(1, 0), QItemSelectionModel::Select);
  fake.studio->commands().find(QStringLiteral("library.compare"))->trigger();
  ASSERT_TRUE(test::wait_until([&] { return !fake.studio->compare().image(1).isNull(); }));
  QTest::qWait(50);
  window.grab().save(file_for(QStringLiteral("compare-%1").arg(QLatin1String(GetParam()))));
  window.resize(1024, 700);
  QTest::qWait(50);
  EXPECT_EQ(window.size(), QSize(1024, 700));
  window.grab().save(file_for(QStringLiteral("compare-small-%1").arg(QLatin1String(GetParam()))));
  for (const bool known : {true, false}) {
    ReportDialog report(&window);
    report.setAttribute(Qt::WA_DeleteOnClose, false);
    report.show_run(known ? test::sample_run()
                          : ui::Run{.title = QStringLiteral("ring"), .path = QStringLiteral("/ring.mp4")});
    report.show();
    const auto name = known ? QStringLiteral("report") : QStringLiteral("report-unknown");
    QTest::qWait(20);
    report.grab().save(file_for(QStringLiteral("%1-%2").arg(name, QLatin1String(GetParam()))));
    auto* scroll = report.findChild<QScrollArea*>();
    scroll->verticalScrollBar()->setValue(scroll->verticalScrollBar()->maximum());
    report.grab().save(file_for(QStringLiteral("%1-end-%2").arg(name, QLatin1String(GetParam()))));
  }
  CommandPalette palette(fake.studio->commands(), &window);
  palette.setAttribute(Qt::WA_DeleteOnClose, false);
  palette.show();
  palette.grab().save(file_for(QStringLiteral("palette-%1").arg(QLatin1String(GetParam()))));
  ShortcutsDialog shortcuts(fake.studio->commands(), &window);
  shortcuts.show();
  shortcuts.grab().save(file_for(QStringLiteral("shortcuts-%1").arg(QLatin1String(GetParam()))));
}

INSTANTIATE_TEST_SUITE_P(Themes, Pages, testing::Values("dark", "light", "high-contrast"), [](const auto& tested) {
  std::string name = tested.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace rubato::ui
