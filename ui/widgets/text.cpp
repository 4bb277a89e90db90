#include "ui/widgets/text.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QLocale>
#include <cmath>

namespace rubato::ui {
namespace {
QString tr(const char* text) { return QCoreApplication::translate("Text", text); }
}  // namespace

QString bytes_text(std::uint64_t bytes) {
  return QLocale().formattedDataSize(static_cast<qint64>(bytes), 1, QLocale::DataSizeSIFormat);
}

QString seconds_text(double seconds) {
  const auto s = static_cast<qint64>(std::llround(std::max(seconds, 0.0)));
  if (s < 60) return tr("%1 s").arg(s);
  if (s < 3600) return s % 60 == 0 ? tr("%1 min").arg(s / 60) : tr("%1 min %2 s").arg(s / 60).arg(s % 60);
  return tr("%1 h %2 min").arg(s / 3600).arg(s % 3600 / 60);
}

QString range_text(double lo_s, double hi_s) {
  const auto lo = seconds_text(lo_s), hi = seconds_text(hi_s);
  if (lo == hi) return tr("about %1").arg(lo);
  if (hi_s < 60) return tr("%1 to %2").arg(std::llround(lo_s)).arg(hi);
  return tr("%1 to %2").arg(lo, hi);
}

QString moment_text(double seconds) {
  const auto when = QDateTime::fromSecsSinceEpoch(static_cast<qint64>(seconds));
  const auto today = QDate::currentDate();
  const auto time = when.time().toString(QStringLiteral("HH:mm"));
  if (when.date() == today) return tr("today %1").arg(time);
  if (when.date() == today.addDays(-1)) return tr("yesterday %1").arg(time);
  return QLocale().toString(when.date(), QStringLiteral("d MMM yyyy"));
}

QString one_line(const QString& text, int most) {
  const auto line = text.simplified();
  return line.size() <= most ? line : line.left(most - 1).trimmed() + QChar(0x2026);
}

}  // namespace rubato::ui
