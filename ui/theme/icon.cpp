// Icons are drawn when they are needed, at the size and scale of the screen, in the colours of the theme of that
// moment.
#include <QFile>
#include <QIconEngine>
#include <QPainter>
#include <QPixmapCache>
#include <QSvgRenderer>

#include "ui/theme/theme.h"

namespace rubato::ui {
namespace {

class ThemedIcon final : public QIconEngine {
 public:
  ThemedIcon(QString name, const char* color) : name_(std::move(name)), color_(color) {}

  void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override {
    QFile file(QStringLiteral(":/icons/") + name_ + QStringLiteral(".svg"));
    if (!file.open(QIODevice::ReadOnly)) return;
    auto svg = file.readAll();
    svg.replace("currentColor", color(mode).name().toLatin1());
    QSvgRenderer(svg).render(painter, rect);
  }

  QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override {
    const auto key =
        QStringLiteral("rubato/%1/%2/%3x%4").arg(name_, color(mode).name()).arg(size.width()).arg(size.height());
    QPixmap pixmap;
    if (QPixmapCache::find(key, &pixmap)) return pixmap;
    pixmap = QPixmap(size);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    paint(&painter, QRect(QPoint(), size), mode, state);
    painter.end();
    QPixmapCache::insert(key, pixmap);
    return pixmap;
  }

  QPixmap scaledPixmap(const QSize& size, QIcon::Mode mode, QIcon::State state, qreal scale) override {
    auto made = pixmap(size, mode, state);  // size is in device pixels
    made.setDevicePixelRatio(scale);
    return made;
  }

  QIconEngine* clone() const override { return new ThemedIcon(name_, color_); }

 private:
  QColor color(QIcon::Mode mode) const {
    if (name_ == QLatin1String("rubato")) return Qt::black;  // has its own
    return current_theme().color(mode == QIcon::Disabled ? "dim" : mode == QIcon::Selected ? "on_selection" : color_);
  }

  QString name_;
  const char* color_;  // a literal
};

}  // namespace

QIcon icon(const QString& name, const char* color) {
  current_theme();  // makes sure that the resources are there
  return QIcon(new ThemedIcon(name, color));
}

}  // namespace rubato::ui
