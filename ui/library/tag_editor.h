// The tags of the chosen clips, as words with commas between them. Enter or leaving the field keeps them; one step of
// undo takes them back.
#pragma once

#include <QLineEdit>
#include <QStringList>

class QCompleter;

namespace rubato::ui {

class LibraryModel;

class TagEditor final : public QLineEdit {
  Q_OBJECT
 public:
  explicit TagEditor(LibraryModel& library, QWidget* parent = nullptr);
  // Shows the tags that all of these clips have; what is typed is put in their place.
  void set_clips(const QStringList& ids);

 protected:
  void keyPressEvent(QKeyEvent* event) override;
  void focusOutEvent(QFocusEvent* event) override;

 private:
  void show_tags();
  void keep();
  void offer();  // tags that are known, for the word at the cursor
  void put(const QString& tag);

  LibraryModel& library_;
  QCompleter* known_;
  QStringList ids_;
  QStringList shown_;  // tags that all of them have
};

}  // namespace rubato::ui
