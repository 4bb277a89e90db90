#include "engine/files/file_name.h"

#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>

#include "engine/base/check.h"
#include "engine/base/text.h"

namespace rubato {
namespace {

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_control(UChar32 c) {
  const bool plain_control = c < 0x20 || (c >= 0x7F && c < 0xA0);
  const bool separator = c == 0x2028 || c == 0x2029;
  const bool direction =
      c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
  const bool invisible_mark = c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB);
  return plain_control || separator || direction || invisible_mark;
}
bool is_punctuation_of_paths(UChar32 c) {
  constexpr std::string_view kRefused = "/\\:*?\"<>|";
  return c < 0x80 && kRefused.find(static_cast<char>(c)) != std::string_view::npos;
}

std::string nfc(const std::string& text) {
  if (is_ascii(text)) return text;
  UErrorCode status = U_ZERO_ERROR;
  const auto* rule = icu::Normalizer2::getNFCInstance(status);
  std::string out;
  icu::StringByteSink<std::string> sink(&out);
  if (U_SUCCESS(status))
    rule->normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<int>(text.size())), sink, nullptr, status);
  RUBATO_CHECK(U_SUCCESS(status), "ICU cannot normalise: ", u_errorName(status));
  return out;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

// Windows keeps these for devices, whatever extension follows.
bool is_device_name(std::string_view part) {
  std::string_view stem = part.substr(0, part.find('.'));
  while (stem.ends_with(' ')) stem.remove_suffix(1);
  constexpr std::array<std::string_view, 7> kWhole{"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"};
  if (std::any_of(kWhole.begin(), kWhole.end(), [&](auto name) { return equal_ignoring_case(stem, name); }))
    return true;
  if (stem.size() < 4) return false;
  const auto port = stem.substr(0, 3), number = stem.substr(3);
  if (!equal_ignoring_case(port, "com") && !equal_ignoring_case(port, "lpt")) return false;
  constexpr std::array<std::string_view, 3> kSuperscripts{"¹", "²", "³"};
  return (number.size() == 1 && number[0] >= '1' && number[0] <= '9') ||
         std::find(kSuperscripts.begin(), kSuperscripts.end(), number) != kSuperscripts.end();
}

// ".mp4" of "clip.mp4": short, without spaces, behind something; else "".
std::string_view extension_of(std::string_view part) {
  constexpr std::size_t kLongest = 16;
  const auto dot = part.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || part.size() - dot > kLongest) return {};
  const auto extension = part.substr(dot);
  return extension.find(' ') == std::string_view::npos ? extension : std::string_view{};
}

}  // namespace

std::string clean_name_text(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  const auto size = static_cast<std::int32_t>(std::min<std::size_t>(text.size(), 1u << 20));
  for (std::int32_t at = 0; at < size;) {
    const std::int32_t begin = at;
    UChar32 c = 0;
    U8_NEXT(text.data(), at, size, c);
    if (c < 0) {
      clean.append(static_cast<std::size_t>(at - begin), '_');
    } else if (is_control(c) || is_punctuation_of_paths(c)) {
      clean += '_';
    } else {
      clean.append(text, static_cast<std::size_t>(begin), static_cast<std::size_t>(at - begin));
    }
  }
  return nfc(clean);
}

std::string clean_name_part(std::string_view part, std::size_t max_bytes) {
  RUBATO_CHECK(max_bytes >= 32, "a part of a name needs room for its extension");
  const auto trim_end = [](std::string_view text) {
    while (text.ends_with('.') || text.ends_with(' ')) text.remove_suffix(1);
    return text;
  };
  std::string name(trim_end(part));
  if (!name.empty() && (name.front() == '.' || name.front() == '-' || name.front() == ' ')) name.front() = '_';
  if (name.empty()) return "_";
  const bool device = is_device_name(name);
  const std::string extension(extension_of(name));
  std::string stem = name.substr(0, name.size() - extension.size());
  const std::size_t room = max_bytes - extension.size() - (device ? 1 : 0);
  if (stem.size() > room) {
    stem = clip_utf8(stem, room);
    if (extension.empty()) stem = trim_end(stem);
  }
  if (!device) return stem + extension;
  // The mark goes behind what Windows looks at: everything in front of the first dot.
  const auto dot = std::min(stem.find('.'), stem.size());
  return stem.substr(0, dot) + '_' + stem.substr(dot) + extension;
}

std::string_view first_characters(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const bool starts = (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
    if (starts && count-- == 0) break;
  }
  return text.substr(0, at);
}

std::optional<std::string> name_part_fault(std::string_view part) {
  if (part.empty()) return "is empty";
  if (part.starts_with('.')) return "begins with a dot";
  if (part.starts_with('-')) return "begins with a dash";
  if (part.starts_with(' ')) return "begins with a space";
  if (part.ends_with('.')) return "ends with a dot";
  if (part.ends_with(' ')) return "ends with a space";
  if (part.size() > kMaxNamePart) return fmt::format("has {} bytes; at most {} are allowed", part.size(), kMaxNamePart);
  if (is_device_name(part)) return "is a name that Windows keeps for a device";
  if (!is_valid_utf8(part)) return "is not valid UTF-8 text";
  if (clean_name_text(part) != part) return "holds a character that names cannot have everywhere";
  return std::nullopt;
}

}  // namespace rubato
