#include "ui/widgets/text.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QLocale>
#include <cmath>

namespace rubato::ui {
namespace {

struct Text {
  Q_DECLARE_TR_FUNCTIONS(Text)
};

// Hours and minutes; the C locale would add seconds.
QString clock_text(const QTime& time) {
  const QLocale locale;
  return locale.language() == QLocale::C ? time.toString(QStringLiteral("HH:mm"))
                                         : locale.toString(time, QLocale::ShortFormat);
}

}  // namespace

QString bytes_text(std::uint64_t bytes) {
  return QLocale().formattedDataSize(static_cast<qint64>(bytes), 1, QLocale::DataSizeSIFormat);
}

QString seconds_text(double seconds) {
  const auto s = static_cast<qint64>(std::llround(std::max(seconds, 0.0)));
  if (s < 60) return Text::tr("%1 s").arg(s);
  if (s < 3600) return s % 60 == 0 ? Text::tr("%1 min").arg(s / 60) : Text::tr("%1 min %2 s").arg(s / 60).arg(s % 60);
  return Text::tr("%1 h %2 min").arg(s / 3600).arg(s % 3600 / 60);
}

QString range_text(double lo_s, double hi_s) {
  const auto lo = seconds_text(lo_s), hi = seconds_text(hi_s);
  if (lo == hi) return Text::tr("about %1").arg(lo);
  if (hi_s < 60) return Text::tr("%1 to %2").arg(std::llround(lo_s)).arg(hi);
  return Text::tr("%1 to %2").arg(lo, hi);
}

QString moment_text(double seconds) {
  const auto when = QDateTime::fromSecsSinceEpoch(static_cast<qint64>(seconds));
  const auto today = QDate::currentDate();
  const auto time = clock_text(when.time());
  if (when.date() == today) return Text::tr("today %1").arg(time);
  if (when.date() == today.addDays(-1)) return Text::tr("yesterday %1").arg(time);
  //: How a date is written, by the letters of QDate: 24 Nov 2026
  return QLocale().toString(when.date(), Text::tr("d MMM yyyy"));
}

QString listed(const QStringList& parts) {
  //: Between the parts of a line: "Rendering, 3 waiting"
  return parts.join(Text::tr(", "));
}

QString one_line(const QString& text, int most) {
  const auto line = text.simplified();
  return line.size() <= most ? line : line.left(most - 1).trimmed() + QChar(0x2026);
}

}  // namespace rubato::ui
