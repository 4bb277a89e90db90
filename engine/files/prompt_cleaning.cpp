#include "engine/files/prompt_cleaning.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>

#include "engine/base/check.h"
#include "engine/files/prompt_cleaning_parts.h"

namespace rubato {
namespace cleaning {
namespace {

icu::UnicodeString to_utf16(std::u32string_view text) {
  icu::UnicodeString wide;
  for (const char32_t c : text) wide.append(static_cast<UChar32>(c));
  return wide;
}

std::u32string from_utf16(const icu::UnicodeString& wide) {
  std::u32string text;
  for (int at = 0; at < wide.length(); at = wide.moveIndex32(at, 1)) text += static_cast<char32_t>(wide.char32At(at));
  return text;
}

std::u32string normalize(std::u32string_view text, const char* form) {
  UErrorCode status = U_ZERO_ERROR;
  const auto* rule = icu::Normalizer2::getInstance(nullptr, form, UNORM2_COMPOSE, status);
  const icu::UnicodeString wide = U_SUCCESS(status) ? rule->normalize(to_utf16(text), status) : icu::UnicodeString();
  RUBATO_CHECK(U_SUCCESS(status), "ICU cannot normalise: ", u_errorName(status));
  return from_utf16(wide);
}

// ---- one character at a time ----------------------------------------------------------------------------------------

// Typographic ligatures and digraphs of old code pages. Not æ, œ: those are letters.
struct Ligature {
  char32_t from;
  std::u32string_view to;
};
constexpr Ligature kLigatures[] = {
    {U'Ĳ', U"IJ"},  {U'ĳ', U"ij"},  {U'ŉ', U"ʼn"}, {U'Ǳ', U"DZ"}, {U'ǲ', U"Dz"}, {U'ǳ', U"dz"},
    {U'Ǆ', U"DŽ"},  {U'ǅ', U"Dž"},  {U'ǆ', U"dž"}, {U'Ǉ', U"LJ"}, {U'ǈ', U"Lj"}, {U'ǉ', U"lj"},
    {U'Ǌ', U"NJ"},  {U'ǋ', U"Nj"},  {U'ǌ', U"nj"}, {U'ﬀ', U"ff"}, {U'ﬁ', U"fi"}, {U'ﬂ', U"fl"},
    {U'ﬃ', U"ffi"}, {U'ﬄ', U"ffl"}, {U'ﬅ', U"ſt"}, {U'ﬆ', U"st"},
};

// Characters that become another one: curly quotes, line breaks of all kinds.
struct Range {
  char32_t first, last;
};
constexpr Range kSingleQuotes[] = {{0x02BC, 0x02BC}, {0x2018, 0x201B}};
constexpr Range kDoubleQuotes[] = {{0x201C, 0x201F}};
constexpr Range kLineBreaks[] = {{0x0D, 0x0D}, {0x85, 0x85}, {0x2028, 0x2029}};
// Control characters that vanish: C0 but for white space, deprecated format characters, annotations, byte-order mark.
constexpr Range kDropped[] = {{0x00, 0x08},     {0x0B, 0x0B},     {0x0E, 0x1F},    {0x7F, 0x7F},
                              {0x206A, 0x206F}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFC}};
// Half- and full-width forms (and the ideographic space): their ordinary forms, which NFKC knows.
constexpr Range kWidthForms[] = {{0x3000, 0x3000}, {0xFF01, 0xFFEF}};

template <std::size_t N>
bool in(const Range (&ranges)[N], char32_t c) {
  return std::any_of(ranges, ranges + N, [c](const Range& r) { return c >= r.first && c <= r.last; });
}

std::u32string replace_characters(std::u32string_view text) {
  std::u32string out;
  for (const char32_t original : text) {
    const char32_t c = windows_1252(original);
    const auto* ligature =
        std::find_if(std::begin(kLigatures), std::end(kLigatures), [c](const Ligature& l) { return l.from == c; });
    std::u32string forms = ligature != std::end(kLigatures) ? std::u32string(ligature->to)
                           : in(kWidthForms, c)             ? normalize(std::u32string_view(&c, 1), "nfkc")
                                                            : std::u32string(1, c);
    for (char32_t& form : forms) {
      if (in(kDoubleQuotes, form)) form = '"';
      if (in(kSingleQuotes, form)) form = '\'';
    }
    out += forms;
  }
  return out;
}

std::u32string fix_line_breaks(std::u32string_view text) {
  std::u32string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\r' && at + 1 < text.size() && text[at + 1] == '\n') continue;
    out += in(kLineBreaks, text[at]) ? U'\n' : text[at];
  }
  return out;
}

// Escape sequences such as ESC [ 1 ; 31 m, which colour text in a terminal.
std::u32string remove_terminal_escapes(std::u32string_view text) {
  const auto is_parameter = [](char32_t c) {
    return c == ';' || u_charType(static_cast<UChar32>(c)) == U_DECIMAL_DIGIT_NUMBER;
  };
  const auto is_letter = [](char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  std::u32string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text.substr(at).starts_with(U"\x1B[")) {
      std::size_t end = at + 2;
      while (end < text.size() && is_parameter(text[end])) ++end;
      if (end < text.size() && is_letter(text[end])) {
        at = end + 1;
        continue;
      }
    }
    out += text[at++];
  }
  return out;
}

// One line, as often as something changes.
std::u32string fix_line(std::u32string text, bool unescape) {
  for (;;) {
    std::u32string fixed = unescape ? unescape_html_carefully(text) : text;
    fixed = repair_mojibake(std::move(fixed));
    fixed = replace_characters(fixed);
    fixed = fix_line_breaks(fixed);
    fixed = remove_terminal_escapes(fixed);
    std::erase_if(fixed, [](char32_t c) { return in(kDropped, c); });
    fixed = normalize(fixed, "nfc");
    if (fixed == text) return text;
    text = std::move(fixed);
  }
}

std::u32string fix_text(std::u32string_view text) {
  std::u32string out;
  bool unescape = true;  // until a '<' says that this is markup
  while (!text.empty()) {
    const std::size_t line_break = text.find(U'\n');
    const std::size_t size = line_break == std::u32string_view::npos ? text.size() : line_break + 1;
    const std::u32string_view line = text.substr(0, size);
    if (line.find(U'<') != std::u32string_view::npos) unescape = false;
    out += fix_line(std::u32string(line), unescape);
    text.remove_prefix(size);
  }
  return out;
}

std::u32string collapse_spaces(std::u32string_view text) {
  std::u32string out;
  for (const char32_t c : text) {
    if (!is_space(c))
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += U' ';
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace

bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
         u_charType(static_cast<UChar32>(c)) == U_SPACE_SEPARATOR || c == 0x2028 || c == 0x2029;
}

bool is_word(char32_t c) {
  return c == '_' || (U_GET_GC_MASK(static_cast<UChar32>(c)) & (U_GC_L_MASK | U_GC_N_MASK)) != 0;
}

std::u32string to_code_points(std::string_view utf8) {
  return from_utf16(icu::UnicodeString::fromUTF8(icu::StringPiece(utf8.data(), static_cast<int>(utf8.size()))));
}

std::string to_utf8(std::u32string_view text) {
  std::string utf8;
  to_utf16(text).toUTF8String(utf8);
  return utf8;
}

}  // namespace cleaning

std::string clean_prompt(std::string_view text) {
  using namespace cleaning;
  std::u32string clean = fix_text(to_code_points(text));
  clean = unescape_html(unescape_html(clean));
  return to_utf8(collapse_spaces(clean));
}

}  // namespace rubato
