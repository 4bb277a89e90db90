#include "ui/shell/command_palette.h"

#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/shell/commands.h"
#include "ui/widgets/text.h"

namespace rubato::ui {

CommandPalette::CommandPalette(const Commands& commands, QWidget* parent)
    : QDialog(parent, Qt::Popup), commands_(commands), words_(new QLineEdit), list_(new QListWidget) {
  setObjectName(QStringLiteral("palette"));
  setAccessibleName(tr("Commands"));
  setAttribute(Qt::WA_DeleteOnClose);
  words_->setPlaceholderText(tr("What do you want to do?"));
  words_->setAccessibleName(tr("Search commands"));
  list_->setObjectName(QStringLiteral("commands"));
  list_->setAccessibleName(tr("Matching commands"));
  list_->setFocusPolicy(Qt::NoFocus);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(8, 8, 8, 8);
  layout->setSpacing(8);
  layout->addWidget(words_);
  layout->addWidget(list_);
  words_->installEventFilter(this);
  connect(words_, &QLineEdit::textChanged, this, &CommandPalette::fill);
  connect(list_, &QListWidget::itemClicked, this, &CommandPalette::choose);
  fill();
  const int width = std::min(640, parent->width() - 64);
  resize(width, 400);
  move(parent->mapToGlobal(QPoint((parent->width() - width) / 2, 72)));
}

int CommandPalette::score(const QString& text, const QString& words) {
  int total = 1;
  for (const auto& word : words.split(QLatin1Char(' '), Qt::SkipEmptyParts)) {
    const auto at = text.indexOf(word, 0, Qt::CaseInsensitive);
    if (at < 0) return 0;
    total += at == 0 ? 4 : text[at - 1].isLetterOrNumber() ? 1 : 3;
  }
  return total;
}

void CommandPalette::fill() {
  struct Match {
    int score;
    const Commands::Entry* entry;
  };
  std::vector<Match> matches;
  for (const auto& entry : commands_.all()) {
    if (!entry.action || !entry.action->isEnabled() || !entry.action->isVisible()) continue;
    const int points =
        std::max(score(entry.action->text(), words_->text()) * 2,
                 score(menu_name(entry.spec.menu) + QLatin1Char(' ') + entry.action->text(), words_->text()));
    if (points > 0) matches.push_back({points, &entry});
  }
  std::stable_sort(matches.begin(), matches.end(), [](const Match& a, const Match& b) { return a.score > b.score; });
  list_->clear();
  for (const auto& match : matches) {
    auto* item = new QListWidgetItem(list_);
    item->setData(Qt::UserRole, match.entry->spec.id);
    const auto keys = match.entry->action->shortcut().toString(QKeySequence::NativeText);
    item->setData(Qt::AccessibleTextRole, keys.isEmpty() ? match.entry->action->text()
                                                         : match.entry->action->text() + QStringLiteral(", ") + keys);
    auto* row = new QWidget;
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(8, 4, 8, 4);
    auto* group = new QLabel(menu_name(match.entry->spec.menu));
    group->setObjectName(QStringLiteral("dim"));
    group->setMinimumWidth(72);
    auto* shortcut = new QLabel(keys);
    shortcut->setObjectName(QStringLiteral("dim"));
    layout->addWidget(group);
    layout->addWidget(new QLabel(match.entry->action->text()), 1);
    layout->addWidget(shortcut);
    row->setAttribute(Qt::WA_TransparentForMouseEvents);
    item->setSizeHint(QSize(0, 32));
    list_->setItemWidget(item, row);
  }
  list_->setCurrentRow(0);
}

void CommandPalette::choose() {
  const auto* item = list_->currentItem();
  const auto id = item != nullptr ? item->data(Qt::UserRole).toString() : QString();
  // Deleted only when it is back in the event loop, so it can still speak.
  close();
  if (!id.isEmpty()) Q_EMIT chosen(id);
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::KeyPress) {
    const int key = static_cast<QKeyEvent*>(event)->key();
    if (key == Qt::Key_Return || key == Qt::Key_Enter) {
      choose();
      return true;
    }
    const int step = key == Qt::Key_Down       ? 1
                     : key == Qt::Key_Up       ? -1
                     : key == Qt::Key_PageDown ? 8
                     : key == Qt::Key_PageUp   ? -8
                                               : 0;
    if (step != 0 && list_->count() > 0) {
      list_->setCurrentRow(std::clamp(list_->currentRow() + step, 0, list_->count() - 1));
      return true;
    }
  }
  return QDialog::eventFilter(watched, event);
}

}  // namespace rubato::ui
