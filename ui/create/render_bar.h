// Below the stage while something renders: phase, progress, time left, and the two ways to stop.
#pragma once

#include <QWidget>

class QLabel;
class QProgressBar;
class QPushButton;
class QToolButton;

namespace rubato::ui {

class RenderModel;

class RenderBar final : public QWidget {
  Q_OBJECT
 public:
  explicit RenderBar(RenderModel& render, QWidget* parent = nullptr);

  // Whether the stage shows the preview; the button says so and asks for the other.
  void set_following(bool follows);

 Q_SIGNALS:
  void preview_wanted(bool wanted);

 private:
  void refresh();

  RenderModel& render_;
  QLabel* phase_;
  QLabel* time_;
  QProgressBar* bar_;
  QToolButton* preview_;
  QPushButton* stop_;
  QPushButton* cancel_;
};

}  // namespace rubato::ui
