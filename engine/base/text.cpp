#include "engine/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <numeric>

namespace rubato {
namespace {

// Insertions, deletions, replacements and swaps of neighbours, each one edit (optimal string alignment): "gne" is
// one edit from "gen".
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above.back();
}

}  // namespace

std::string join(std::span<const std::string> parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string list_names(std::span<const std::string> names, std::size_t most) {
  std::string text = join(names.first(std::min(names.size(), most)), ", ");
  if (names.size() > most) text += fmt::format(" and {} more", names.size() - most);
  return text;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  for (std::size_t end; (end = text.find(separator, start)) != std::string_view::npos; start = end + 1)
    parts.emplace_back(text.substr(start, end - start));
  parts.emplace_back(text.substr(start));
  return parts;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::optional<std::string> nearest_name(std::string_view word, std::span<const std::string> candidates) {
  if (word.size() > 64) return std::nullopt;
  const std::size_t limit = std::max<std::size_t>(1, (word.size() + 2) / 3);
  std::optional<std::string> best;
  std::size_t best_distance = limit + 1;
  for (const auto& candidate : candidates) {
    const auto distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const auto best = nearest_name(word, candidates);
  return best ? fmt::format("; did you mean '{}'?", *best) : std::string{};
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array kUnits{"B", "kB", "MB", "GB", "TB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1000.0;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  text = trim(text);
  double value = 0;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (fault != std::errc{} || !(value >= 0)) return std::nullopt;
  auto unit = trim(text.substr(static_cast<std::size_t>(stop - text.data())));
  const auto drop = [&](char letter) {
    if (unit.empty() || (unit.back() | 0x20) != letter) return false;
    unit.remove_suffix(1);
    return true;
  };
  const bool named = !unit.empty();
  drop('b');
  const double base = drop('i') ? 1024 : 1000;
  constexpr std::string_view kPrefixes = "kmgt";
  if (unit.size() > 1 || (unit.empty() && named && base == 1024)) return std::nullopt;
  if (!unit.empty()) {
    const auto power = kPrefixes.find(static_cast<char>(unit.front() | 0x20));
    if (power == std::string_view::npos) return std::nullopt;
    value *= std::pow(base, static_cast<double>(power + 1));
  }
  constexpr double kMost = 1152921504606846976.0;  // 2^60
  if (value > kMost) return std::nullopt;
  return static_cast<std::uint64_t>(std::llround(value));
}

std::string human_duration(double seconds) {
  const auto whole = std::llround(std::clamp(std::isnan(seconds) ? 0.0 : seconds, 0.0, 1e12));
  const auto h = whole / 3600, m = whole / 60 % 60, s = whole % 60;
  return h > 0 ? fmt::format("{}:{:02}:{:02}", h, m, s) : fmt::format("{}:{:02}", m, s);
}

std::optional<double> parse_duration(std::string_view text) {
  double total = 0;
  while (!text.empty()) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || !(number >= 0) || number > 1e9) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const char unit = text.empty() ? 's' : text.front();
    if (!text.empty()) text.remove_prefix(1);
    switch (unit) {
      case 's': total += number; break;
      case 'm': total += number * 60; break;
      case 'h': total += number * 3600; break;
      case 'd': total += number * 86400; break;
      default: return std::nullopt;
    }
  }
  return total > 0 ? std::optional(total) : std::nullopt;
}

namespace {

struct Character {
  char32_t point = 0;
  std::size_t bytes = 0;  // 0: not UTF-8
};

// The character that text begins with; text is not empty.
Character first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const std::size_t extra = lead >= 0xC2 && lead < 0xE0   ? 1
                            : (lead & 0xF0) == 0xE0       ? 2
                            : lead >= 0xF0 && lead < 0xF5 ? 3
                                                          : 0;
  if (extra == 0 || extra >= text.size()) return {};
  char32_t point = lead & (0x3Fu >> extra);
  for (std::size_t k = 1; k <= extra; ++k) {
    const auto c = static_cast<unsigned char>(text[k]);
    if ((c & 0xC0) != 0x80) return {};
    point = point << 6 | (c & 0x3Fu);
  }
  const bool overlong = (extra == 2 && point < 0x800) || (extra == 3 && point < 0x10000);
  if (overlong || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return {};
  return {point, extra + 1};
}

// Controls of both sets, and what turns the direction of writing.
bool drives_terminals(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    std::uint64_t eight = 0;  // most text is ASCII: eight characters at a time
    if (text.size() >= sizeof eight &&
        (std::memcpy(&eight, text.data(), sizeof eight), (eight & 0x8080808080808080u) == 0)) {
      text.remove_prefix(sizeof eight);
      continue;
    }
    const auto character = first_character(text);
    if (character.bytes == 0) return false;
    text.remove_prefix(character.bytes);
  }
  return true;
}

std::string printable(std::string_view text, Lines lines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto [point, bytes] = first_character(text);
    const bool stays = lines == Lines::Keep && (point == U'\n' || point == U'\t');
    if (bytes == 0)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    else if (stays || !drives_terminals(point))
      out += text.substr(0, bytes);
    else if (point == U'\n')
      out += "\\n";
    else
      out += point < 0x100 ? fmt::format("\\x{:02x}", static_cast<std::uint32_t>(point))
                           : fmt::format("\\u{:04x}", static_cast<std::uint32_t>(point));
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return out;
}

bool is_printable_name(std::string_view name) { return printable(name, Lines::Escape) == name; }

std::string_view clip_utf8(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  std::size_t end = max_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace rubato
