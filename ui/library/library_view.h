// The Library workspace: the clips as pictures, search and stars above, what
// the chosen one is at the side.
#pragma once

#include <QMainWindow>

class QLabel;
class QListView;
class QMenu;
class QPushButton;
class QDockWidget;
class QStackedWidget;

namespace rubato::ui {

class CompareView;
class FilterBar;
class LibraryFilter;
class RunCompareView;
class Studio;
class TagEditor;

class LibraryView final : public QMainWindow {
  Q_OBJECT
 public:
  explicit LibraryView(Studio& studio, QWidget* parent = nullptr);

 private:
  void make_commands();
  QWidget* make_list();
  QWidget* make_details();
  QMenu* make_menu(QWidget* parent);
  QString chosen() const;
  QStringList all_chosen() const;
  void export_chosen();
  void trash_chosen();
  void compare();
  void end_compare();
  void follow_swap();
  void refresh();

  Studio& studio_;
  LibraryFilter* filter_;
  QListView* list_;
  FilterBar* bar_;
  QStackedWidget* pages_;
  QLabel* title_;
  QLabel* prompt_;
  QLabel* facts_;
  TagEditor* tags_;
  QWidget* actions_;
  QPushButton* compare_button_ = nullptr;
  CompareView* compare_ = nullptr;
  QDockWidget* dock_ = nullptr;
  QStackedWidget* side_ = nullptr;  // in the dock: the chosen clip, or what differs between two
  RunCompareView* runs_ = nullptr;
};

}  // namespace rubato::ui
