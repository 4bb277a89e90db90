// A label of one line that is cut with an ellipsis where it is too long, and never makes its window wider.
#pragma once

#include <QLabel>
#include <QPainter>
#include <QStyle>

namespace rubato::ui {

class ElidedLabel final : public QLabel {
  Q_OBJECT
 public:
  using QLabel::QLabel;
  QSize minimumSizeHint() const override { return {48, QLabel::minimumSizeHint().height()}; }

 protected:
  void paintEvent(QPaintEvent*) override {
    QPainter painter(this);
    const auto line = fontMetrics().elidedText(text(), Qt::ElideRight, contentsRect().width());
    style()->drawItemText(&painter, contentsRect(), Qt::AlignLeft | Qt::AlignVCenter, palette(), isEnabled(), line,
                          foregroundRole());
  }
};

}  // namespace rubato::ui
