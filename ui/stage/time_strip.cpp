#include "ui/stage/time_strip.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>

#include "ui/stage/player.h"
#include "ui/theme/theme.h"

namespace rubato::ui {
namespace {
constexpr int kMargin = 8, kMark = 8;  // room for the marks above the pictures
}

TimeStrip::TimeStrip(Player& player, QWidget* parent) : QAbstractSlider(parent), player_(player) {
  setObjectName(QStringLiteral("timeStrip"));
  setAccessibleName(tr("Frame"));
  setFocusPolicy(Qt::StrongFocus);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  setPageStep(10);
  connect(&player_, &Player::moved, this, &TimeStrip::refresh);
  connect(&player_, &Player::changed, this, qOverload<>(&QWidget::update));
  connect(&player_.frames(), &ClipFrames::ready, this, qOverload<>(&QWidget::update));
  connect(this, &QAbstractSlider::valueChanged, this, [this](int frame) {
    if (frame != player_.position()) player_.seek(frame);
  });
}

void TimeStrip::refresh() {
  setRange(0, std::max(player_.count() - 1, 0));
  setValue(player_.position());
  update();
}

double TimeStrip::x_of(double frame) const {
  const double width = this->width() - 2.0 * kMargin;
  return kMargin + (player_.count() > 0 ? frame / player_.count() * width : 0);
}

int TimeStrip::frame_at(double x) const {
  const double width = this->width() - 2.0 * kMargin;
  return width > 0 ? static_cast<int>((x - kMargin) / width * player_.count()) : 0;
}

void TimeStrip::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setRenderHint(QPainter::SmoothPixmapTransform);
  const auto& theme = current_theme();
  painter.fillRect(rect(), theme.color("panel"));
  const QRectF track(kMargin, kMark, width() - 2 * kMargin, height() - kMark - 8);
  painter.fillRect(track, theme.color("stage"));
  if (player_.count() == 0) return;

  // As many pictures as fit, each for the part of the clip that it stands over.
  const auto& facts = *player_.frames().facts();
  const double picture = track.height() * facts.width / facts.height;
  const int pictures = std::max(1, static_cast<int>(track.width() / picture));
  painter.setClipRect(track);
  for (int i = 0; i < pictures; ++i) {
    const int frame = static_cast<int>((i + 0.5) / pictures * player_.count());
    const QRectF place(track.left() + i * track.width() / pictures, track.top(), track.width() / pictures,
                       track.height());
    if (!player_.frames().has(frame)) continue;
    const auto image = player_.frames().frame(frame);
    // Its middle part, in the shape of the place.
    const double wanted = place.width() / place.height(), is = static_cast<double>(image.width()) / image.height();
    QRectF part(0, 0, image.width(), image.height());
    if (is > wanted)
      part.adjust((part.width() - part.height() * wanted) / 2, 0, -(part.width() - part.height() * wanted) / 2, 0);
    else
      part.adjust(0, (part.height() - part.width() / wanted) / 2, 0, -(part.height() - part.width() / wanted) / 2);
    painter.drawImage(place, image, part);
  }
  painter.setClipping(false);

  if (player_.has_range()) {
    auto shade = theme.color("stage");
    shade.setAlpha(180);
    const double from = x_of(player_.in_point()), to = x_of(player_.out_point() + 1);
    painter.fillRect(QRectF(track.left(), track.top(), from - track.left(), track.height()), shade);
    painter.fillRect(QRectF(to, track.top(), track.right() - to, track.height()), shade);
    painter.setPen(QPen(theme.color("accent"), 2));
    // Brackets, so that the two ends differ by shape.
    painter.drawPolyline(
        QPolygonF{{from + 5, 3}, {from + 1, 3}, {from + 1, track.bottom()}, {from + 5, track.bottom()}});
    painter.drawPolyline(QPolygonF{{to - 5, 3}, {to - 1, 3}, {to - 1, track.bottom()}, {to - 5, track.bottom()}});
  }
  const double x = x_of(player_.position() + 0.5);
  painter.setPen(Qt::NoPen);
  painter.setBrush(theme.color("text"));
  painter.drawRect(QRectF(x - 1, 2, 2, height() - 8));
  painter.drawPolygon(QPolygonF{{x - 5, 0}, {x + 5, 0}, {x, 7}});
  if (hasFocus()) {
    painter.setPen(QPen(theme.color("accent"), 1));
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5));
  }
}

void TimeStrip::mousePressEvent(QMouseEvent* event) {
  setFocus();
  Q_EMIT touched();
  player_.stop();
  player_.seek(frame_at(event->position().x()));
}

void TimeStrip::mouseMoveEvent(QMouseEvent* event) {
  if ((event->buttons() & Qt::LeftButton) != 0) player_.seek(frame_at(event->position().x()));
}

void TimeStrip::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Up || event->key() == Qt::Key_Down) return event->ignore();
  Q_EMIT touched();
  player_.stop();
  QAbstractSlider::keyPressEvent(event);
}

}  // namespace rubato::ui
