// The main window: workspace bar, pages, messages, menus, status. It knows the workspaces only by their list.
#pragma once

#include <QLabel>
#include <QMainWindow>
#include <QMap>

#include "ui/shell/workspaces.h"

class QActionGroup;
class QStackedWidget;
class QToolBar;

namespace rubato::ui {

class Notice;
class Studio;

class MainWindow final : public QMainWindow {
  Q_OBJECT
 public:
  MainWindow(Studio& studio, std::vector<WorkspaceSpec> workspaces, QWidget* parent = nullptr);

  void show_workspace(const QString& id);
  QString workspace() const { return current_; }
  QWidget* page(const QString& id) const { return pages_.value(id); }
  Notice* notice() { return notice_; }
  // What was found at the opening (a crash, a damaged file), with what can be done about it.
  void tell(const QStringList& notes);
  void set_theme(const QString& id);

 protected:
  void closeEvent(QCloseEvent* event) override;
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;

 private:
  void make_commands();
  void make_bar();
  void make_status();
  void make_menus();
  void show_first_run();
  void keep_layout();
  void say(const QString& text);
  void show_queue_state();

  Studio& studio_;
  std::vector<WorkspaceSpec> specs_;
  QStackedWidget* stack_;
  Notice* notice_;
  QMap<QString, QWidget*> pages_;
  QMap<QString, QAction*> switches_;
  QMap<QString, QByteArray> delivered_;  // layouts of pages as they were made
  QString current_;
  QLabel* message_;
  QLabel* queue_state_;
};

}  // namespace rubato::ui
