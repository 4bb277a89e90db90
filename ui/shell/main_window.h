// The main window: workspace bar, pages, messages, menus, status. It knows the workspaces only by their list.
//
// Everything that people work on lives in the models, so a change of language simply builds all of its parts anew.
// Pages are made when they are first looked at, the others while nothing else is to be done: their commands are then
// there.
#pragma once

#include <QLabel>
#include <QMainWindow>
#include <QMap>
#include <QTimer>

#include "ui/shell/workspaces.h"

class QStackedWidget;
class QToolBar;

namespace rubato::ui {

class ElidedLabel;
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
  void changeEvent(QEvent* event) override;
  void showEvent(QShowEvent* event) override;
  void closeEvent(QCloseEvent* event) override;
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;

 private:
  void build();
  void take_down();
  void speak_anew();
  void make_commands();
  void make_own_commands();
  QWidget* make_page(const WorkspaceSpec& spec);
  void make_next_page();
  void make_all_pages();
  void run_command(const QString& id);
  void open_preferences();
  void open_palette();
  void make_bar();
  void make_status();
  void make_menus();
  void show_first_run();
  void keep_layout();
  void say(const QString& text);
  void show_queue_state();

  Studio& studio_;
  std::vector<WorkspaceSpec> specs_;
  QStackedWidget* stack_ = nullptr;
  Notice* notice_;
  QTimer idle_;      // makes the pages that nobody has looked at yet
  QTimer language_;  // builds everything anew, once for several changes
  QMap<QString, QWidget*> pages_;
  QMap<QString, QAction*> switches_;
  QMap<QString, QByteArray> delivered_;  // layouts of pages as they were made
  QString current_;
  ElidedLabel* message_ = nullptr;
  QLabel* queue_state_ = nullptr;
};

}  // namespace rubato::ui
