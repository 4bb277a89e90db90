// The Queue workspace: all jobs in their order, what can be done to them, and the log of the chosen one.
#pragma once

#include <QMainWindow>

class QAction;
class QLabel;
class QPlainTextEdit;
class QPushButton;
class QStackedWidget;
class QTreeView;

namespace rubato::ui {

class QueueModel;
class Studio;

class QueueView final : public QMainWindow {
  Q_OBJECT
 public:
  explicit QueueView(Studio& studio, QWidget* parent = nullptr);

 private:
  void make_commands(Studio& studio);
  QWidget* make_table();
  QString chosen() const;
  void refresh();

  Studio& studio_;
  QueueModel& queue_;
  QTreeView* table_;
  QPlainTextEdit* log_;
  QStackedWidget* pages_;
  QPushButton* pause_;
  QLabel* state_;
};

}  // namespace rubato::ui
