// The command palette: type a few letters of what you want to do, press Enter.
#pragma once

#include <QDialog>

class QLineEdit;
class QListWidget;

namespace rubato::ui {

class Commands;

class CommandPalette final : public QDialog {
  Q_OBJECT
 public:
  CommandPalette(const Commands& commands, QWidget* parent);

  // How well `words` fit `text`: 0 = not at all; beginnings of words count more than letters inside.
  static int score(const QString& text, const QString& words);

 Q_SIGNALS:
  void chosen(const QString& id);  // of a command; the palette has closed

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void fill();
  void choose();

  const Commands& commands_;
  QLineEdit* words_;
  QListWidget* list_;
};

}  // namespace rubato::ui
