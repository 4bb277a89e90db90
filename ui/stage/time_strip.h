// The clip along its time: thumbnails, the place that is looked at, and the in–out range. A slider of frames, so that
// it is reached and read as one by keyboard and screen reader.
#pragma once

#include <QAbstractSlider>

namespace rubato::ui {

class Player;

class TimeStrip final : public QAbstractSlider {
  Q_OBJECT
 public:
  explicit TimeStrip(Player& player, QWidget* parent = nullptr);
  QSize sizeHint() const override { return {320, 56}; }
  QSize minimumSizeHint() const override { return {120, 40}; }

 Q_SIGNALS:
  void touched();  // by a person

 protected:
  void paintEvent(QPaintEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  int frame_at(double x) const;
  double x_of(double frame) const;
  void refresh();

  Player& player_;
};

}  // namespace rubato::ui
