// Every page in every language, and in a made-up one that is two fifths longer, in the smallest window: nothing is cut,
// nothing is left untranslated, no two accelerators clash. Pictures of it are left in screenshots/.
#include <gtest/gtest.h>

#include <QAbstractSpinBox>
#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QDockWidget>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QMenuBar>
#include <QPushButton>
#include <QRegularExpression>
#include <QScrollArea>
#include <QStyleOptionButton>
#include <QStyleOptionComboBox>
#include <QToolBar>
#include <QToolButton>
#include <set>

#include "tests/gui/full_studio.h"
#include "tests/gui/pseudo_translator.h"
#include "ui/create/draft_check.h"
#include "ui/doctor/doctor_view.h"
#include "ui/languages/language.h"
#include "ui/preferences/preferences_dialog.h"
#include "ui/report/report_dialog.h"
#include "ui/shell/command_palette.h"
#include "ui/shell/commands.h"
#include "ui/shell/main_window.h"
#include "ui/shell/shortcuts_dialog.h"
#include "ui/stage/compare_model.h"
#include "ui/stage/player.h"
#include "ui/theme/theme.h"
#include "ui/widgets/elided_label.h"

namespace rubato::ui {
namespace {

using test::PseudoTranslator;
using test::wait_until;

constexpr auto kPseudo = "pseudo";

// What the test itself put there: names of models, prompts, paths, and sentences of the engine.
const QRegularExpression& data() {
  static const QRegularExpression known(QString::fromLatin1(
      "\\d+/\\d+/\\d+ \\d+:\\d+ [AP]M|/clips/.*|there is not enough.*|no NVIDIA.*|Free some.*|Install it.*|[^~]* free "
      "here.*|Write what.*|\\S* "
      "answers after.*|"
      "[^ ]*rubato-[^.]*|Rubato|Wan 2\\.1 T2V \\S+|practice-video|auto|cpu|[a-z]?float\\d+|/[\\w/.-]+|"
      "a (small|big) [\\w ,]+(\\.mp4)?|\\d+ [A-Z][a-z]+ "
      "\\d{4}|neutral|full|none|off|[0-9x.]+|English|Deutsch|MP4|GPU|kB|MB|GB|"
      "Ctrl|Shift|Alt|Del|Esc|Space|Left|Right|Up|Down|Home|End|Return|F\\d|\\+[A-Z]$|^[A-Z]$|transformer|vae|never|"
      "always"));
  return known;
}

class Fits : public testing::TestWithParam<const char*> {
 protected:
  Fits() {
    apply_theme(*qApp, theme_named(QStringLiteral("dark")));
    apply_language(*qApp, pseudo() ? QStringLiteral("en") : QLatin1String(GetParam()));
    if (pseudo()) QCoreApplication::installTranslator(&translator_);
  }
  ~Fits() override {
    QCoreApplication::removeTranslator(&translator_);
    apply_language(*qApp, QStringLiteral("en"));
  }
  static bool pseudo() { return GetParam() == std::string(kPseudo); }

  void fault(const QWidget* widget, const QString& text, const char* what) {
    const auto* parent = widget->parentWidget();
    const auto said =
        QStringLiteral("%1: “%2” %3 (%4 %5 in %6 %7, %8×%9)")
            .arg(place_, text, QLatin1String(what), QLatin1String(widget->metaObject()->className()),
                 widget->objectName(), QLatin1String(parent != nullptr ? parent->metaObject()->className() : "-"),
                 parent != nullptr ? parent->objectName() : QString())
            .arg(widget->width())
            .arg(widget->height());
    if (told_.insert(said.toStdString()).second) ADD_FAILURE() << said.toStdString();
  }

  // Looks at all that is to be seen of a window or dialog.
  void look(QWidget& window, const QString& place) {
    place_ = place;
    QTest::qWait(30);
    for (auto* widget : window.findChildren<QWidget*>()) {
      if (!widget->isVisibleTo(&window) || widget->window() != &window) continue;
      fits(widget);
      if (pseudo()) is_translated(widget);
    }
    accelerators(window);
    const QString folder = QStringLiteral(RUBATO_BIN_DIR "/../screenshots");
    QDir().mkpath(folder);
    window.grab().save(QStringLiteral("%1/%2-%3.png").arg(folder, QLatin1String(GetParam()), place));
  }

 private:
  static int width_of(const QWidget* widget, QString text) {
    text.remove(QLatin1Char('&'));
    return widget->fontMetrics().size(Qt::TextSingleLine, text).width();
  }

  void fits(QWidget* widget) {
    if (auto* label = qobject_cast<QLabel*>(widget)) return label_fits(label);
    if (auto* button = qobject_cast<QPushButton*>(widget)) {
      QStyleOptionButton option;
      option.initFrom(button);
      option.icon = button->icon();
      const auto room = button->style()->subElementRect(QStyle::SE_PushButtonContents, &option, button).width();
      const int icon = button->icon().isNull() ? 0 : button->iconSize().width() + 4;
      if (!button->text().isEmpty() && width_of(button, button->text()) + icon > room)
        fault(widget, button->text(), "is cut");
      return;
    }
    if (auto* button = qobject_cast<QToolButton*>(widget)) {
      const bool shows = button->toolButtonStyle() != Qt::ToolButtonIconOnly || button->icon().isNull();
      if (shows && !button->text().isEmpty() && button->width() < button->sizeHint().width())
        fault(widget, button->text(), "is cut");
      if (button->objectName() == QLatin1String("qt_toolbar_ext_button")) fault(widget, {}, "hides what has no room");
      return;
    }
    if (auto* scroll = qobject_cast<QScrollArea*>(widget)) {
      if (scroll->horizontalScrollBarPolicy() == Qt::ScrollBarAlwaysOff &&
          scroll->widget()->width() > scroll->viewport()->width())
        fault(widget, QString::number(scroll->widget()->width()), "wide, and cannot be scrolled to");
      return;
    }
    if (auto* box = qobject_cast<QComboBox*>(widget)) {
      QStyleOptionComboBox option;
      option.initFrom(box);
      option.editable = box->isEditable();
      const auto room =
          box->style()->subControlRect(QStyle::CC_ComboBox, &option, QStyle::SC_ComboBoxEditField, box).width();
      // The name of a model may be of any length.
      if (box->objectName() != QLatin1String("model") && width_of(box, box->currentText()) > room)
        fault(widget, box->currentText(), "is cut");
      return;
    }
    if (auto* box = qobject_cast<QAbstractSpinBox*>(widget)) {
      if (const auto* line = box->findChild<QLineEdit*>(); width_of(line, box->text()) + 2 > line->width())
        fault(widget, box->text(), "is cut");
      return;
    }
    if (auto* line = qobject_cast<QLineEdit*>(widget)) {
      if (line->text().isEmpty() && width_of(line, line->placeholderText()) + 4 > line->contentsRect().width())
        fault(widget, line->placeholderText(), "is cut");
      return;
    }
    if (auto* header = qobject_cast<QHeaderView*>(widget)) {
      for (int i = 0; i < header->count(); ++i) {
        const auto text = header->model()->headerData(i, header->orientation()).toString();
        if (!header->isSectionHidden(i) && width_of(header, text) + 13 > header->sectionSize(i))
          fault(widget, text, "is cut");
      }
      return;
    }
    if (auto* bar = qobject_cast<QMenuBar*>(widget)) {
      for (auto* action : bar->actions())
        if (action->isVisible() && bar->actionGeometry(action).right() > bar->width())
          fault(widget, action->text(), "has no room");
      return;
    }
    if (auto* dock = qobject_cast<QDockWidget*>(widget))
      if (width_of(dock, dock->windowTitle()) + 72 > dock->width()) fault(widget, dock->windowTitle(), "is cut");
  }

  void label_fits(QLabel* label) {
    if (label->text().isEmpty() || qobject_cast<ElidedLabel*>(label) != nullptr) return;
    const auto* parent = label->parentWidget();
    const bool scrolls = parent != nullptr && qobject_cast<QScrollArea*>(parent->parentWidget()) != nullptr;
    if (parent != nullptr && !scrolls && !parent->rect().contains(label->geometry()))
      fault(label, label->text(), "stands outside");
    if (!label->wordWrap()) {
      if (label->sizeHint().width() > label->width()) fault(label, label->text(), "is cut");
      return;
    }
    if (label->heightForWidth(label->width()) > label->height()) fault(label, label->text(), "needs more lines");
    static const QRegularExpression breaks(QStringLiteral("[\\s/]"));
    for (const auto& word : label->text().split(breaks))
      if (width_of(label, word) > label->contentsRect().width()) fault(label, word, "is too long a word");
  }

  void translated(const QWidget* widget, const QString& text) {
    auto rest = PseudoTranslator::outside(text);
    rest.remove(data());
    for (const auto c : rest)
      if (c.isLetter()) return fault(widget, text, "has words that no translator sees");
  }

  void is_translated(QWidget* widget) {
    if (widget->objectName().startsWith(QLatin1String("qt_"))) return;  // Qt's own, with Qt's translations
    if (auto* label = qobject_cast<QLabel*>(widget)) translated(widget, label->text());
    if (auto* button = qobject_cast<QAbstractButton*>(widget)) translated(widget, button->text());
    if (auto* dock = qobject_cast<QDockWidget*>(widget)) translated(widget, dock->windowTitle());
    if (auto* line = qobject_cast<QLineEdit*>(widget)) translated(widget, line->placeholderText());
    if (auto* bar = qobject_cast<QMenuBar*>(widget))
      for (auto* menu : bar->actions()) {
        translated(widget, menu->text());
        for (auto* action : menu->menu()->actions()) translated(widget, action->text());
      }
    if (auto* header = qobject_cast<QHeaderView*>(widget))
      for (int i = 0; i < header->count(); ++i)
        translated(widget, header->model()->headerData(i, header->orientation()).toString());
    translated(widget, widget->accessibleName());
    if (qobject_cast<QToolButton*>(widget) == nullptr && qobject_cast<QComboBox*>(widget) == nullptr)
      translated(widget, widget->accessibleDescription());
  }

  void clash(const QWidget& window, const QStringList& texts) {
    std::set<QChar> seen;
    static const QRegularExpression one(QStringLiteral("&([A-Za-z])"));
    for (const auto& text : texts) {
      const auto match = one.match(text);
      if (match.hasMatch() && !seen.insert(match.captured(1).at(0).toUpper()).second)
        fault(&window, text, "has the accelerator of another");
    }
  }

  void accelerators(const QWidget& window) {
    QStringList page;
    for (auto* label : window.findChildren<QLabel*>())
      if (label->isVisibleTo(&window) && label->buddy() != nullptr) page += label->text();
    for (auto* button : window.findChildren<QAbstractButton*>())
      if (button->isVisibleTo(&window)) page += button->text();
    for (auto* bar : window.findChildren<QMenuBar*>())
      for (auto* menu : bar->actions()) {
        page += menu->text();
        QStringList entries;
        for (auto* action : menu->menu()->actions()) entries += action->text();
        clash(window, entries);
      }
    clash(window, page);
  }

  PseudoTranslator translator_;
  QString place_;
  std::set<std::string> told_;
};

TEST_P(Fits, IntoTheSmallestWindow) {
  test::FakeStudio fake;
  fake.studio->settings().setValue(QStringLiteral("welcomed"), false);
  MainWindow window(*fake.studio, builtin_workspaces());
  window.resize(1024, 700);
  window.show();
  ASSERT_TRUE(QTest::qWaitForWindowExposed(&window));
  look(window, QStringLiteral("welcome"));
  for (const bool filled : {false, true}) {
    if (filled) test::fill(fake);
    for (const auto& spec : builtin_workspaces()) {
      window.show_workspace(spec.id);
      ASSERT_TRUE(wait_until([&] { return fake.studio->check().settled(); }));
      if (auto* doctor = qobject_cast<DoctorView*>(window.page(spec.id)); doctor != nullptr && filled)
        doctor->show_answer(test::kDoctor);
      look(window, spec.id + (filled ? QStringLiteral("-filled") : QStringLiteral("-empty")));
      EXPECT_EQ(window.size(), QSize(1024, 700)) << spec.id.toStdString();
    }
  }
  window.show_workspace(QStringLiteral("video"));
  for (auto* button : window.page(QStringLiteral("video"))->findChildren<QToolButton*>())
    if (button->isCheckable() && button->toolButtonStyle() == Qt::ToolButtonTextBesideIcon) button->click();
  look(window, QStringLiteral("video-advanced"));
  fake.studio->open_clip("/clip.mp4");
  ASSERT_TRUE(wait_until([&] { return fake.studio->player().is_open(); }));
  look(window, QStringLiteral("player"));

  window.show_workspace(QStringLiteral("library"));
  auto* clips = window.findChild<QListView*>(QStringLiteral("clips"));
  clips->selectionModel()->setCurrentIndex(clips->model()->index(0, 0), QItemSelectionModel::ClearAndSelect);
  clips->selectionModel()->select(clips->model()->index(1, 0), QItemSelectionModel::Select);
  fake.studio->commands().find(QStringLiteral("library.compare"))->trigger();
  ASSERT_TRUE(wait_until([&] { return !fake.studio->compare().image(1).isNull(); }));
  look(window, QStringLiteral("compare"));

  ReportDialog report(&window);
  report.setAttribute(Qt::WA_DeleteOnClose, false);
  report.show_run(test::sample_run());
  report.show();
  look(report, QStringLiteral("report"));
  report.close();
  CommandPalette palette(fake.studio->commands(), &window);
  palette.setAttribute(Qt::WA_DeleteOnClose, false);
  palette.show();
  look(palette, QStringLiteral("palette"));
  palette.close();
  ShortcutsDialog shortcuts(fake.studio->commands(), &window);
  shortcuts.show();
  look(shortcuts, QStringLiteral("shortcuts"));
  shortcuts.close();
  PreferencesDialog preferences(fake.studio->settings(), &window);
  preferences.setAttribute(Qt::WA_DeleteOnClose, false);
  preferences.show();
  look(preferences, QStringLiteral("preferences"));
  preferences.close();
}

INSTANTIATE_TEST_SUITE_P(Languages, Fits, testing::Values("en", "de", "zh_CN", kPseudo));

}  // namespace
}  // namespace rubato::ui
