// The phases of a render as lengths in one bar. The same stands in the table below it, and in its description.
#pragma once

#include <QWidget>

#include "ui/report/run_report.h"

namespace rubato::ui {

class PhaseBar final : public QWidget {
  Q_OBJECT
 public:
  explicit PhaseBar(QWidget* parent = nullptr);
  void show_phases(QList<PhaseSeconds> phases);
  QSize sizeHint() const override { return {320, 24}; }

 protected:
  void paintEvent(QPaintEvent* event) override;
  bool event(QEvent* event) override;

 private:
  QList<QRectF> segments() const;
  QList<PhaseSeconds> phases_;
};

}  // namespace rubato::ui
