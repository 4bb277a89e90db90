// Texts between the engine's UTF-8 and Qt's UTF-16, and numbers as people read them.
#pragma once

#include <QString>
#include <QStringList>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace rubato::ui {

inline QString qt(std::string_view text) { return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size())); }
// Only of a path: a std::string is text.
template <std::same_as<std::filesystem::path> Path>
QString qt(const Path& path) {
  return qt(std::string_view(path.native()));
}
inline std::string utf8(const QString& text) { return text.toStdString(); }
inline std::filesystem::path path_of(const QString& text) { return utf8(text); }

// "1.4 GB", "312 MB": decimal units, as disks and file managers count.
QString bytes_text(std::uint64_t bytes);
// "8 s", "2 min 5 s", "1 h 4 min"
QString seconds_text(double seconds);
// "about 8 to 12 s"; one number where both ends read the same.
QString range_text(double lo_s, double hi_s);
// "today 14:02", "yesterday 09:30", "24 Nov 2026"; seconds since 1970.
QString moment_text(double seconds);
// "Rendering, 3 waiting": parts of one line, none of them a sentence.
QString listed(const QStringList& parts);
// The first `most` characters on one line, with an ellipsis behind what was cut.
QString one_line(const QString& text, int most);

}  // namespace rubato::ui
