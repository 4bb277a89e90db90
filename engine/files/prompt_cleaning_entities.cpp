// HTML character references.
#include <unicode/locid.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <optional>

#include "engine/files/prompt_cleaning_parts.h"
#include "engine/files/prompt_cleaning_tables.h"

namespace rubato::cleaning {
namespace {

bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }
bool is_hex(char32_t c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_alnum(char32_t c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char32_t lower(char32_t c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

// Value of a name, with or without ';' as it stands; nullopt when HTML has no such name.
std::optional<std::string_view> named(std::u32string_view name) {
  const std::string key(to_utf8(name));
  const auto* end = kEntities + kEntityCount;
  const auto* found =
      std::lower_bound(kEntities, end, key, [](const Entity& e, const std::string& k) { return e.name < k; });
  return found != end && found->name == key ? std::optional(found->value) : std::nullopt;
}

// What a number stands for: some are taken as Windows-1252, invalid ones vanish or become U+FFFD.
std::u32string numbered(std::uint64_t number) {
  if (number == 0 || number > 0x10FFFF || (number >= 0xD800 && number <= 0xDFFF)) return U"\uFFFD";
  const auto c = static_cast<char32_t>(number);
  if (c >= 0x80 && c <= 0x9F) return std::u32string(1, windows_1252(c));
  const bool control = (c < 0x20 && c != '\t' && c != '\n' && c != '\f' && c != '\r') || c == 0x7F;
  const bool no_character = (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE;
  return control || no_character ? std::u32string() : std::u32string(1, c);
}

// A reference at the front of text (which begins with '&'): how long it is, and what it stands for.
struct Reference {
  std::size_t length = 0;  // 0 = none
  std::u32string value;
};

Reference number_at(std::u32string_view text) {
  std::size_t at = 2;
  const bool hex = text.size() > at && lower(text[at]) == 'x';
  at += hex ? 1 : 0;
  const std::size_t digits = at;
  std::uint64_t number = 0;
  for (; at < text.size() && (hex ? is_hex(text[at]) : is_digit(text[at])); ++at) {
    const char32_t c = lower(text[at]);
    number = std::min<std::uint64_t>(number * (hex ? 16 : 10) + (is_digit(c) ? c - '0' : c - 'a' + 10), 1u << 30);
  }
  if (at == digits) return {};
  if (at < text.size() && text[at] == ';') ++at;
  return {at, numbered(number)};
}

Reference name_at(std::u32string_view text) {
  constexpr std::size_t kLongestName = 32;
  std::size_t end = 1;
  while (end < text.size() && end - 1 < kLongestName &&
         std::u32string_view(U"\t\n\f <&#;").find(text[end]) == std::u32string_view::npos)
    ++end;
  if (end == 1) return {};
  if (end < text.size() && text[end] == ';') ++end;
  if (const auto value = named(text.substr(1, end - 1))) return {end, to_code_points(*value)};
  for (std::size_t size = end - 2; size >= 2; --size)  // "&notin" where "&not" is meant
    if (const auto value = named(text.substr(1, size))) return {1 + size, to_code_points(*value)};
  return {};
}

template <typename ReferenceAt>
std::u32string replace_references(std::u32string_view text, ReferenceAt&& reference_at) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Reference found = text[at] == '&' ? reference_at(text.substr(at)) : Reference{};
    if (found.length == 0) {
      out += text[at++];
    } else {
      out += found.value;
      at += found.length;
    }
  }
  return out;
}

// "NTILDE;" for "ntilde;": a name in capitals that HTML does not know, of one that is all in small letters.
std::optional<std::u32string> named_in_capitals(std::u32string_view name) {
  std::u32string small(name);
  std::transform(small.begin(), small.end(), small.begin(), lower);
  if (std::any_of(name.begin(), name.end(), [](char32_t c) { return c != ';' && lower(c) == c && !is_digit(c); }))
    return std::nullopt;
  const auto value = named(small);
  const std::u32string reference = U"&" + std::u32string(name);
  if (!value || small == name || unescape_html(reference) != reference) return std::nullopt;
  auto capitals = icu::UnicodeString::fromUTF8(icu::StringPiece(value->data(), static_cast<int>(value->size())));
  capitals.toUpper(icu::Locale::getRoot());
  std::string utf8;
  capitals.toUTF8String(utf8);
  return to_code_points(utf8);
}

}  // namespace

std::u32string unescape_html(std::u32string_view text) {
  return replace_references(text, [](std::u32string_view rest) {
    return rest.size() > 1 && rest[1] == '#' ? number_at(rest) : name_at(rest);
  });
}

std::u32string unescape_html_carefully(std::u32string_view text) {
  constexpr std::size_t kLongestName = 24;
  return replace_references(text, [](std::u32string_view rest) -> Reference {
    const std::size_t begin = rest.size() > 1 && rest[1] == '#' ? 2 : 1;
    std::size_t end = begin;
    while (end < rest.size() && is_alnum(rest[end])) ++end;
    if (end == begin || end - begin > kLongestName || end == rest.size() || rest[end] != ';') return {};
    const std::u32string_view name = rest.substr(1, end);  // with ';'
    if (begin == 2) {
      std::u32string value = unescape_html(rest.substr(0, end + 1));
      return value.find(U';') == std::u32string::npos ? Reference{end + 1, std::move(value)} : Reference{};
    }
    if (const auto value = named(name)) return {end + 1, to_code_points(*value)};
    if (auto value = named_in_capitals(name)) return {end + 1, std::move(*value)};
    return {};
  });
}

}  // namespace rubato::cleaning
