#include "ui/report/phase_bar.h"

#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>

#include "ui/theme/theme.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {
constexpr double kGap = 2, kLeast = 3;  // pixels: a phase that took no time is still one

QString words(const PhaseSeconds& phase) {
  return PhaseBar::tr("%1: %2", "phase: time").arg(phase.name, short_seconds(phase.seconds));
}
}  // namespace

PhaseBar::PhaseBar(QWidget* parent) : QWidget(parent) {
  setFixedHeight(24);
  setAccessibleName(tr("Time by phase"));
}

void PhaseBar::show_phases(QList<PhaseSeconds> phases) {
  phases_ = std::move(phases);
  QStringList all;
  for (const auto& phase : phases_) all.append(words(phase));
  setAccessibleDescription(listed(all));
  update();
}

QList<QRectF> PhaseBar::segments() const {
  double sum = 0;
  for (const auto& phase : phases_) sum += phase.seconds;
  const double room = width() - (kGap + kLeast) * static_cast<double>(phases_.size()) + kGap;
  QList<QRectF> places;
  double x = 0;
  for (const auto& phase : phases_) {
    const double wide = kLeast + (sum > 0 ? room * phase.seconds / sum : 0);
    places.append(QRectF(x, 0.5, wide, height() - 1));
    x += wide + kGap;
  }
  return places;
}

void PhaseBar::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  const auto& theme = current_theme();
  const auto places = segments();
  for (qsizetype i = 0; i < places.size(); ++i) {
    // Neighbours are told apart by their ground and the gap, and named where there is room.
    const bool strong = i % 2 == 0;
    painter.setPen(strong ? QPen(Qt::NoPen) : QPen(theme.color("border"), 1));
    painter.setBrush(theme.color(strong ? "accent" : "raised"));
    painter.drawRoundedRect(places[i], 3, 3);
    painter.setPen(theme.color(strong ? "on_accent" : "text"));
    const auto inner = places[i].adjusted(8, 0, -8, 0);
    if (painter.fontMetrics().horizontalAdvance(phases_[i].name) <= inner.width())
      painter.drawText(inner, Qt::AlignVCenter | Qt::AlignLeft, phases_[i].name);
  }
}

bool PhaseBar::event(QEvent* event) {
  if (event->type() != QEvent::ToolTip) return QWidget::event(event);
  const auto* help = static_cast<QHelpEvent*>(event);
  const auto places = segments();
  for (qsizetype i = 0; i < places.size(); ++i)
    if (places[i].contains(help->pos())) QToolTip::showText(help->globalPos(), words(phases_[i]), this);
  return true;
}

}  // namespace rubato::ui
