// Two clips against each other: a wipe between them, side by side, or their difference, with the PSNR of each frame.
#pragma once

#include <QAbstractSlider>
#include <QWidget>

class QLabel;
class QPushButton;
class QSlider;
class QToolButton;

namespace rubato::ui {

class Commands;
class CompareModel;

// The pictures. In a wipe the place of the edge is its value, 0 to 1000 from the left: by mouse, or with the arrows.
class ComparePicture final : public QAbstractSlider {
  Q_OBJECT
 public:
  enum class Mode { Wipe, SideBySide, Difference };
  explicit ComparePicture(CompareModel& model, QWidget* parent = nullptr);
  void set_mode(Mode mode);
  Mode mode() const { return mode_; }
  QSize sizeHint() const override { return {640, 360}; }

 protected:
  void paintEvent(QPaintEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;

 private:
  void put_edge(double x);

  CompareModel& model_;
  Mode mode_ = Mode::Wipe;
};

class CompareView final : public QWidget {
  Q_OBJECT
 public:
  CompareView(CompareModel& model, Commands& commands, QWidget* parent = nullptr);
  ComparePicture* picture() { return picture_; }

 Q_SIGNALS:
  void closed();
  void settings_wanted(int which);  // of clip 0 or 1

 private:
  void make_commands(Commands& commands);
  void refresh();

  CompareModel& model_;
  ComparePicture* picture_;
  QSlider* time_;
  QLabel* place_;
  QLabel* distance_;
  QToolButton* modes_[3];
  QPushButton* take_[2];
};

}  // namespace rubato::ui
