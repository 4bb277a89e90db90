#include "ui/library/tag_editor.h"

#include <QAbstractItemView>
#include <QCompleter>
#include <QKeyEvent>
#include <QStringListModel>

#include "ui/library/library_model.h"

namespace rubato::ui {
namespace {

const QString kBetween = QStringLiteral(", ");

QStringList tags_in(const QString& text) {
  QStringList tags;
  for (const auto& part : text.split(QLatin1Char(','))) tags.append(part.simplified());
  tags.removeAll(QString());
  return tags;
}

}  // namespace

TagEditor::TagEditor(LibraryModel& library, QWidget* parent)
    : QLineEdit(parent), library_(library), known_(new QCompleter(new QStringListModel(this), this)) {
  setObjectName(QStringLiteral("tags"));
  setAccessibleName(tr("Tags"));
  setAccessibleDescription(tr("Words with commas between them; Enter keeps them"));
  setPlaceholderText(tr("Tags: sea, night"));
  known_->setWidget(this);
  known_->setCaseSensitivity(Qt::CaseInsensitive);
  connect(this, &QLineEdit::textEdited, this, &TagEditor::offer);
  connect(known_, qOverload<const QString&>(&QCompleter::activated), this, &TagEditor::put);
  connect(&library_, &LibraryModel::changed, this, [this] {
    if (!hasFocus() || !isModified()) show_tags();
  });
}

void TagEditor::set_clips(const QStringList& ids) {
  if (ids == ids_) {
    if (!isModified()) show_tags();
    return;
  }
  if (isModified()) keep();  // what was typed belongs to those that were chosen
  ids_ = ids;
  show_tags();
}

void TagEditor::show_tags() {
  shown_ = library_.common_tags(ids_);
  setText(shown_.join(kBetween));
  setModified(false);
  setEnabled(!ids_.isEmpty());
}

void TagEditor::keep() {
  const auto wanted = tags_in(text());
  setModified(false);
  if (wanted != shown_) library_.change_tags(ids_, shown_, wanted);
  show_tags();
}

void TagEditor::offer() {
  const auto before = text().left(cursorPosition());
  const auto word = before.mid(before.lastIndexOf(QLatin1Char(',')) + 1).trimmed();
  if (word.isEmpty()) return known_->popup()->hide();
  auto known = library_.tags();
  for (const auto& tag : tags_in(text()))
    if (tag != word) known.removeAll(tag);
  static_cast<QStringListModel*>(known_->model())->setStringList(known);
  known_->setCompletionPrefix(word);
  if (known_->completionCount() > 0 && known_->currentCompletion() != word)
    known_->complete();
  else
    known_->popup()->hide();
}

// In place of the word at the cursor.
void TagEditor::put(const QString& tag) {
  const auto all = text();
  const auto begin = all.left(cursorPosition()).lastIndexOf(QLatin1Char(',')) + 1;
  auto end = all.indexOf(QLatin1Char(','), cursorPosition());
  if (end < 0) end = all.size();
  const auto before = all.left(begin), after = all.mid(end);
  setText(before + (begin > 0 ? QStringLiteral(" ") : QString()) + tag + after);
  setCursorPosition(static_cast<int>(text().size() - after.size()));
  setModified(true);
}

void TagEditor::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) {
    if (known_->popup()->isVisible()) return event->ignore();  // the list takes it
    keep();
    return;
  }
  if (event->key() == Qt::Key_Escape && isModified()) return show_tags();
  QLineEdit::keyPressEvent(event);
}

void TagEditor::focusOutEvent(QFocusEvent* event) {
  QLineEdit::focusOutEvent(event);
  if (isModified() && event->reason() != Qt::PopupFocusReason) keep();
}

}  // namespace rubato::ui
