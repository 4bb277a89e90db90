// What is looked for in the library: words, the star, a model, a tag, a day and a size.
#pragma once

#include <QTimer>
#include <QWidget>

class QComboBox;
class QLineEdit;
class QToolButton;

namespace rubato::ui {

class LibraryFilter;
class LibraryModel;

class FilterBar final : public QWidget {
  Q_OBJECT
 public:
  FilterBar(const LibraryModel& library, LibraryFilter& filter, QWidget* parent = nullptr);
  QLineEdit* search() { return search_; }
  QToolButton* stars() { return stars_; }
  QComboBox* models() { return models_; }
  QComboBox* tags() { return tags_; }
  QComboBox* days() { return days_; }
  QComboBox* sizes() { return sizes_; }
  void clear();  // everything is shown again

 private:
  void offer();
  void apply();

  const LibraryModel& library_;
  LibraryFilter& filter_;
  QLineEdit* search_;
  QToolButton* stars_;
  QComboBox* models_;
  QComboBox* tags_;
  QComboBox* days_;
  QComboBox* sizes_;
  QToolButton* clear_;
  QTimer soon_;  // many changes in a row are looked at once
};

}  // namespace rubato::ui
