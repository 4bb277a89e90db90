// The Models workspace: the folders that are looked into, the models found there, and what an incomplete one lacks.
#pragma once

#include <QWidget>

#include "engine/base/error.h"

class QLabel;
class QListWidget;
class QPushButton;
class QTreeView;

namespace rubato::ui {

class ModelsModel;
class Studio;

class ModelsView final : public QWidget {
  Q_OBJECT
 public:
  explicit ModelsView(Studio& studio, QWidget* parent = nullptr);

 private:
  void make_commands();
  QWidget* make_folders();
  void add_folder();
  void change_folders(const Result<>& done);
  void refresh();
  void show_details();

  Studio& studio_;
  ModelsModel& models_;
  QTreeView* table_;
  QListWidget* folders_;
  QLabel* state_;
  QLabel* details_;
  QPushButton* remove_;
};

}  // namespace rubato::ui
