#include "ui/shell/shortcuts_dialog.h"

#include <QDialogButtonBox>
#include <QHeaderView>
#include <QKeySequenceEdit>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QStyle>
#include <QTreeWidget>
#include <QVBoxLayout>

#include "ui/shell/commands.h"
#include "ui/widgets/engine_text.h"
#include "ui/widgets/tall_rows.h"
#include "ui/widgets/text.h"

namespace rubato::ui {

ShortcutsDialog::ShortcutsDialog(Commands& commands, QWidget* parent)
    : QDialog(parent),
      commands_(commands),
      search_(new QLineEdit),
      list_(new QTreeWidget),
      keys_(new QKeySequenceEdit),
      message_(new QLabel) {
  setWindowTitle(tr("Shortcuts"));
  resize(640, 560);
  search_->setPlaceholderText(tr("Search commands or keys"));
  search_->setAccessibleName(tr("Search shortcuts"));
  list_->setAccessibleName(tr("Shortcuts"));
  list_->setItemDelegate(new TallRows(list_));
  list_->setRootIsDecorated(false);
  list_->setHeaderLabels({tr("Command"), tr("Where"), tr("Keys")});
  list_->header()->setStretchLastSection(false);
  list_->header()->setSectionResizeMode(QHeaderView::ResizeToContents);
  list_->header()->setSectionResizeMode(0, QHeaderView::Stretch);
  keys_->setAccessibleName(tr("New shortcut"));
  auto* set = new QPushButton(tr("Set"));
  auto* reset = new QPushButton(tr("As delivered"));
  auto* none = new QPushButton(tr("No shortcut"));
  auto* close = new QDialogButtonBox;
  close->addButton(tr("Close"), QDialogButtonBox::RejectRole);
  message_->setWordWrap(true);
  message_->setMinimumHeight(24);

  auto* edit = new QHBoxLayout;
  edit->setSpacing(8);
  edit->addWidget(keys_, 1);
  edit->addWidget(set);
  edit->addWidget(none);
  edit->addWidget(reset);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(16, 16, 16, 16);
  layout->setSpacing(8);
  layout->addWidget(search_);
  layout->addWidget(list_, 1);
  layout->addLayout(edit);
  layout->addWidget(message_);
  layout->addWidget(close);

  connect(close, &QDialogButtonBox::rejected, this, &QDialog::reject);
  connect(search_, &QLineEdit::textChanged, this, &ShortcutsDialog::fill);
  connect(list_, &QTreeWidget::currentItemChanged, this, [this] {
    const auto* action = commands_.find(chosen());
    keys_->setKeySequence(action != nullptr ? action->shortcut() : QKeySequence());
    say({}, false);
  });
  connect(set, &QPushButton::clicked, this, &ShortcutsDialog::apply);
  connect(none, &QPushButton::clicked, this, [this] {
    keys_->clear();
    apply();
  });
  connect(reset, &QPushButton::clicked, this, [this] {
    if (chosen().isEmpty()) return;
    const auto done = commands_.reset_shortcut(chosen());
    done ? fill() : say(for_window(done.error().message), true);
  });
  fill();
}

QString ShortcutsDialog::chosen() const {
  const auto* item = list_->currentItem();
  return item != nullptr ? item->data(0, Qt::UserRole).toString() : QString();
}

void ShortcutsDialog::fill() {
  const auto keep = chosen();
  list_->clear();
  for (const auto& entry : commands_.all()) {
    if (!entry.action) continue;
    const auto keys = entry.action->shortcut().toString(QKeySequence::NativeText);
    const auto words = entry.spec.text + QLatin1Char(' ') + menu_name(entry.spec.menu) + QLatin1Char(' ') + keys;
    if (!words.contains(search_->text(), Qt::CaseInsensitive)) continue;
    auto* item = new QTreeWidgetItem(list_, {entry.spec.text, menu_name(entry.spec.menu), keys});
    item->setData(0, Qt::UserRole, entry.spec.id);
    if (entry.spec.id == keep) list_->setCurrentItem(item);
  }
  if (list_->currentItem() == nullptr) list_->setCurrentItem(list_->topLevelItem(0));
}

void ShortcutsDialog::apply() {
  if (chosen().isEmpty()) return;
  const auto done = commands_.set_shortcut(chosen(), keys_->keySequence());
  if (!done) return say(for_window(done.error().message), true);
  fill();
  say(tr("Saved."), false);
}

void ShortcutsDialog::say(const QString& text, bool bad) {
  message_->setObjectName(bad ? QStringLiteral("bad") : QStringLiteral("dim"));
  message_->style()->unpolish(message_);
  message_->style()->polish(message_);
  message_->setText(text);
}

}  // namespace rubato::ui
