// The Library workspace: the clips as pictures, search and stars above, what the chosen one is at the side.
#pragma once

#include <QMainWindow>

class QLabel;
class QLineEdit;
class QListView;
class QPushButton;
class QStackedWidget;
class QToolButton;

namespace rubato::ui {

class CompareView;
class LibraryFilter;
class Studio;

class LibraryView final : public QMainWindow {
  Q_OBJECT
 public:
  explicit LibraryView(Studio& studio, QWidget* parent = nullptr);

 private:
  void make_commands();
  QWidget* make_list();
  QWidget* make_details();
  QString chosen() const;
  void compare();
  void refresh();

  Studio& studio_;
  LibraryFilter* filter_;
  QListView* list_;
  QLineEdit* search_;
  QToolButton* stars_;
  QStackedWidget* pages_;
  QLabel* title_;
  QLabel* prompt_;
  QLabel* facts_;
  QWidget* actions_;
  QPushButton* compare_button_ = nullptr;
  CompareView* compare_ = nullptr;
};

}  // namespace rubato::ui
