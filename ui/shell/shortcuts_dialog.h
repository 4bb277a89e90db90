// All shortcuts in a list that can be searched and edited; one that another command has is refused and says whose it
// is.
#pragma once

#include <QDialog>

class QKeySequenceEdit;
class QLabel;
class QLineEdit;
class QTreeWidget;

namespace rubato::ui {

class Commands;

class ShortcutsDialog final : public QDialog {
  Q_OBJECT
 public:
  ShortcutsDialog(Commands& commands, QWidget* parent);

 private:
  QString chosen() const;
  void fill();
  void apply();
  void say(const QString& text, bool bad);

  Commands& commands_;
  QLineEdit* search_;
  QTreeWidget* list_;
  QKeySequenceEdit* keys_;
  QLabel* message_;
};

}  // namespace rubato::ui
