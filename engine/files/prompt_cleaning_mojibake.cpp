// Mojibake: UTF-8 bytes that were decoded as a single-byte encoding. The rules are those of ftfy 6.3.
#include <unicode/utf8.h>

#include <algorithm>
#include <bitset>
#include <initializer_list>
#include <optional>
#include <vector>

#include "engine/base/text.h"
#include "engine/files/prompt_cleaning_parts.h"
#include "engine/files/prompt_cleaning_tables.h"

namespace rubato::cleaning {
namespace {

std::uint32_t classes_of(char32_t c) {
  std::uint32_t classes = c == '\n' ? 0u : kNoLineBreak;
  if (c >= 'a' && c <= 'z')
    classes |= kAsciiLower;
  else if (c >= 'A' && c <= 'Z')
    classes |= kAsciiUpper;
  else
    classes |= kNoAsciiLetter;
  if (is_space(c)) classes |= kSpace;
  if (is_word(c)) classes |= kWord;
  if (c <= 0xFFFF) {
    const auto* end = kClassRuns + kClassRunCount;
    const auto* run =
        std::upper_bound(kClassRuns, end, c, [](char32_t code, const ClassRun& r) { return code < r.first; });
    if (run != kClassRuns && c <= (run - 1)->last) classes |= (run - 1)->classes;
  }
  return classes;
}

// ---- which neighbours give mojibake away ---------------------------------------------------------------------------

// One character of a rule: of any of the classes, or one of the listed ones.
struct One {
  std::uint32_t classes = 0;
  std::u32string_view also = {};
};
using Rule = std::vector<One>;

constexpr std::uint32_t kAccented = kLowerAccented | kUpperAccented;
constexpr std::uint32_t kLetter = kAsciiLower | kAsciiUpper;
constexpr std::uint32_t kMarks = kAccented | kBox | kStart | kEnd | kCurrency | kNumeric | kLaw;

One one_of(std::u32string_view characters) { return {0, characters}; }

const std::vector<Rule>& mojibake_rules() {
  static const std::u32string_view kSpaceOnly = U" ";
  static const One kArabicSecond = {kCommon | kCurrency | kBad | kNumeric | kStart, U"ŸŠ®°µ»"};
  static const std::vector<Rule> rules = {
      {{kC1}},
      {{kBad | kMarks}, {kBad}},
      {{kLetter}, {kLowerCommon | kUpperCommon}, {kBad}},
      {{kBad}, {kMarks}},
      {{kLowerAccented | kLowerCommon | kBox | kEnd | kCurrency | kNumeric}, {kUpperAccented}},
      {{kBox | kEnd | kCurrency | kNumeric}, {kLowerAccented}},
      {{kLowerAccented | kBox | kEnd}, {kCurrency}},
      {{kSpace}, {kUpperAccented}, {kCurrency}},
      {{kUpperAccented | kBox}, {kNumeric | kLaw}},
      {{kAccented | kBox | kCurrency | kEnd}, {kStart}, {kNumeric}},
      {{kAccented | kCurrency | kNumeric | kBox | kLaw}, {kEnd}, {kStart}},
      {{kCurrency | kNumeric | kBox}, {kStart}},
      {{kAsciiLower}, {kUpperAccented}, {kStart | kCurrency}},
      {{kBox}, {kKaomoji}},
      {{kAccented | kCurrency | kNumeric | kStart | kEnd | kLaw}, {kBox}},
      {{kBox}, {kEnd}},
      {{kAccented}, {kStart | kEnd}, {kWord}},
      {one_of(U"Œœ"), {kNoAsciiLetter}},
      {{kUpperAccented}, one_of(U"°")},
      // Windows-1252, two characters
      {one_of(U"ÂÃÎÐ"), {kStart | kEnd, U"€œŠš¢£Ÿž\u00A0\u00AD®©°·»–—´"}},
      {one_of(U"×"), one_of(U"²³")},
      // Windows-1252 of Arabic words, four characters
      {one_of(U"ØÙ"), kArabicSecond, one_of(U"ØÙ"), kArabicSecond},
      // Windows-1252 of South Asian scripts
      {one_of(U"à"), one_of(U"²µ¹¼½¾")},
      // Mac Roman
      {one_of(U"√"), one_of(U"±∂†≠®™´≤≥¥µø")},
      {one_of(U"≈"), one_of(U"°¢")},
      {one_of(U"‚"), one_of(U"Ä"), one_of(U"ìîïòôúùû†°¢π")},
      {one_of(U"‚"), one_of(U"âó"), one_of(U"àä°ê")},
      // Windows-1251
      {one_of(U"в"), one_of(U"Ђ")},
      {one_of(U"ВГРС"), {kC1 | kBad | kStart | kEnd | kCurrency, U"°µ"}, one_of(U"ВГРС")},
      {one_of(U"Г"), one_of(U"ў"), one_of(U"В"), one_of(U"Ђ"), one_of(U"В"), {kNoLineBreak}, {kLetter, kSpaceOnly}},
      // Windows-1252 of 'à', 'á' and the no-break space
      {one_of(U"Ã"), one_of(U"\u00A0¡")},
      {{kAsciiLower}, {kSpace}, one_of(U"ÃÂ"), one_of(kSpaceOnly)},
      {{kAsciiLower}, one_of(U"ÃÂ"), one_of(kSpaceOnly)},
      {{kAsciiLower | kEnd, U".,?!"}, one_of(U"Â"), {kStart | kEnd, kSpaceOnly}},
      // Windows-1253
      {one_of(U"β"), one_of(U"€"), one_of(U"™\u00A0Ά\u00AD®°")},
      {one_of(U"ΒΓΞΟ"), {kC1 | kBad | kStart | kEnd | kCurrency, U"°"}, one_of(U"ΒΓΞΟ")},
      // Windows-1257
      {one_of(U"ā"), one_of(U"€")},
  };
  return rules;
}

bool matches(const One& one, std::uint32_t classes, char32_t c) {
  return (one.classes & classes) != 0 || one.also.find(c) != std::u32string_view::npos;
}

// ---- byte sequences -------------------------------------------------------------------------------------------------

// "80-84 86-9F": a set of bytes.
std::bitset<256> byte_set(std::string_view spec) {
  std::bitset<256> set;
  for (const std::string& range : split(spec, ' ')) {
    const unsigned long first = std::stoul(range.substr(0, 2), nullptr, 16);
    const unsigned long last = range.size() > 2 ? std::stoul(range.substr(3), nullptr, 16) : first;
    for (unsigned long byte = first; byte <= last; ++byte) set.set(byte);
  }
  return set;
}

// Alternatives of byte sequences, tried in order.
class BytePatterns {
 public:
  BytePatterns(std::initializer_list<std::initializer_list<std::string_view>> patterns) {
    for (const auto& pattern : patterns) {
      auto& sets = patterns_.emplace_back();
      for (const std::string_view spec : pattern) sets.push_back(byte_set(spec));
    }
  }
  // Length of the first alternative that stands at `at`; 0 = none.
  std::size_t match(std::string_view bytes, std::size_t at) const {
    for (const auto& pattern : patterns_) {
      if (at + pattern.size() > bytes.size()) continue;
      bool same = true;
      for (std::size_t i = 0; same && i < pattern.size(); ++i)
        same = pattern[i][static_cast<unsigned char>(bytes[at + i])];
      if (same) return pattern.size();
    }
    return 0;
  }

 private:
  std::vector<std::vector<std::bitset<256>>> patterns_;
};

// UTF-8 in which a space stands where byte A0 was.
const BytePatterns& altered_utf8() {
  static const BytePatterns patterns = {{"C2 C3 C5 CE D0 D9", "20"},          {"E2 E3", "20", "80-84 86-9F A1-BF"},
                                        {"E0-E3", "80-84 86-9F A1-BF", "20"}, {"F0", "20", "80-BF", "80-BF"},
                                        {"F0", "80-BF", "20", "80-BF"},       {"F0", "80-BF", "80-BF", "20"}};
  return patterns;
}

// UTF-8 (and UTF-8 of surrogate pairs) in which some bytes are lost: 1A, or a question mark.
const BytePatterns& lossy_utf8() {
  static const BytePatterns patterns = {{"C2-DF", "1A"},
                                        {"C2-C3", "3F"},
                                        {"ED", "A0-AF", "1A 3F", "ED", "B0-BF", "1A 3F 80-BF"},
                                        {"ED", "A0-AF", "1A 3F 80-BF", "ED", "B0-BF", "1A 3F"},
                                        {"E0-EF", "1A 3F", "1A 80-BF"},
                                        {"E0-EF", "1A 80-BF", "1A 3F"},
                                        {"F0-F4", "1A 3F", "1A 80-BF", "1A 80-BF"},
                                        {"F0-F4", "1A 80-BF", "1A 3F", "1A 80-BF"},
                                        {"F0-F4", "1A 80-BF", "1A 80-BF", "1A 3F"},
                                        {"1A"}};
  return patterns;
}

std::string restore_byte_a0(std::string_view bytes) {
  // "Ã la" was "à la": the space stays, but for words that begin so in Portuguese (and a second space).
  static const std::initializer_list<std::string_view> kWordGoesOn = {" ", "quele", "quela", "quilo", "s "};
  std::string spaced;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    spaced += bytes[at];
    if (!bytes.substr(at).starts_with("\xC3 ")) continue;
    const std::string_view rest = bytes.substr(at + 2);
    if (std::none_of(kWordGoesOn.begin(), kWordGoesOn.end(),
                     [&](std::string_view word) { return rest.starts_with(word); })) {
      spaced += "\xA0 ";
      ++at;
    }
  }
  for (std::size_t at = 0; at < spaced.size();) {
    const std::size_t length = altered_utf8().match(spaced, at);
    for (std::size_t i = 0; i < length; ++i)
      if (spaced[at + i] == ' ') spaced[at + i] = '\xA0';
    at += std::max<std::size_t>(length, 1);
  }
  return spaced;
}

std::string replace_lossy_sequences(std::string_view bytes) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length = lossy_utf8().match(bytes, at);
    if (length > 0)
      out += "\xEF\xBF\xBD";
    else
      out += bytes[at];
    at += std::max<std::size_t>(length, 1);
  }
  return out;
}

// Strict UTF-8, and of its variants surrogate pairs as two three-byte sequences and C0 80 for U+0000.
std::optional<std::u32string> decode_utf8(std::string_view bytes) {
  const auto byte = [&](std::size_t at) { return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0u; };
  const auto within = [&](std::size_t at, unsigned low, unsigned high) { return byte(at) >= low && byte(at) <= high; };
  std::u32string out;
  for (std::size_t at = 0; at < bytes.size();) {
    if (byte(at) == 0xC0 && byte(at + 1) == 0x80) {
      out += U'\0';
      at += 2;
    } else if (byte(at) == 0xED && within(at + 1, 0xA0, 0xAF) && within(at + 2, 0x80, 0xBF) && byte(at + 3) == 0xED &&
               within(at + 4, 0xB0, 0xBF) && within(at + 5, 0x80, 0xBF)) {
      const unsigned high = ((byte(at + 1) & 0x0F) << 16) + ((byte(at + 2) & 0x3F) << 10);
      const unsigned low = ((byte(at + 4) & 0x0F) << 6) + (byte(at + 5) & 0x3F);
      out += static_cast<char32_t>(0x10000 + high + low);
      at += 6;
    } else {
      std::int32_t offset = 0, code = 0;
      const auto* from = reinterpret_cast<const std::uint8_t*>(bytes.data()) + at;
      // NOLINTNEXTLINE(bugprone-inc-dec-in-conditions): ICU's macro
      U8_NEXT(from, offset, static_cast<std::int32_t>(std::min<std::size_t>(bytes.size() - at, 4)), code);
      if (code < 0) return std::nullopt;
      out += static_cast<char32_t>(code);
      at += static_cast<std::size_t>(offset);
    }
  }
  return out;
}

// The bytes of a text in a code page; nullopt if some character is not in it.
std::optional<std::string> encode(std::u32string_view text, const CodePage& page) {
  std::string bytes;
  for (const char32_t c : text) {
    if (c < 0x80 && !(page.sloppy && c == 0x1A)) {
      bytes += static_cast<char>(c);
    } else if (page.sloppy && c == 0xFFFD) {
      bytes += '\x1A';
    } else {
      const auto found = std::find(page.upper.begin(), page.upper.end(), c);
      if (c < 0x80 || found == page.upper.end()) return std::nullopt;
      bytes += static_cast<char>(0x80 + (found - page.upper.begin()));
    }
  }
  return bytes;
}

// ---- repairs --------------------------------------------------------------------------------------------------------

std::optional<std::u32string> decode_again(std::u32string_view text) {
  for (const CodePage& page : kCodePages) {
    auto bytes = encode(text, page);
    if (!bytes) continue;
    if (page.name != "macroman") {  // there it would match an en dash before a space
      bool altered = false;
      for (std::size_t at = 0; !altered && at < bytes->size(); ++at) altered = altered_utf8().match(*bytes, at) > 0;
      if (altered) *bytes = restore_byte_a0(*bytes);
    }
    if (page.sloppy) *bytes = replace_lossy_sequences(*bytes);
    if (auto fixed = decode_utf8(*bytes)) return fixed;
  }
  return std::nullopt;
}

std::u32string repair_once(const std::u32string& text);

// End of a run of what looks like UTF-8 sequences at `at`; `at` itself if there is none.
std::size_t end_of_sequences(const std::vector<std::uint32_t>& classes, std::size_t at) {
  for (;;) {
    if (at >= classes.size()) return at;
    const std::size_t more = classes[at] & kFirstOf2   ? 1
                             : classes[at] & kFirstOf3 ? 2
                             : classes[at] & kFirstOf4 ? 3
                                                       : 0;
    if (more == 0 || at + more >= classes.size()) return at;
    for (std::size_t i = 1; i <= more; ++i)
      if (!(classes[at + i] & kContinuation)) return at;
    at += 1 + more;
  }
}

// Repairs stretches that look like UTF-8 inside a text that as a whole is not.
std::u32string repair_stretches(const std::u32string& text) {
  std::vector<std::uint32_t> classes(text.size());
  std::transform(text.begin(), text.end(), classes.begin(), classes_of);
  std::u32string out;
  for (std::size_t at = 0; at < text.size();) {
    const bool amid_garble = at > 0 && (classes[at - 1] & kContinuationStrict) != 0;
    const std::size_t end = amid_garble ? at : end_of_sequences(classes, at);
    if (end == at) {
      out += text[at++];
      continue;
    }
    std::u32string stretch = text.substr(at, end - at);
    // Shorter than the text, so that this ends.
    if (stretch.size() < text.size() && looks_like_mojibake(stretch)) stretch = repair_mojibake(std::move(stretch));
    out += stretch;
    at = end;
  }
  return out;
}

std::u32string repair_once(const std::u32string& text) {
  const auto is_c1 = [](char32_t c) { return c >= 0x80 && c <= 0x9F; };
  if (std::all_of(text.begin(), text.end(), [](char32_t c) { return c < 0x80; }) || !looks_like_mojibake(text))
    return text;
  if (auto fixed = decode_again(text)) return *fixed;
  if (auto fixed = repair_stretches(text); fixed != text) return fixed;
  // Latin-1 that was meant as Windows-1252, or single C1 control characters that were: the same in effect.
  if (std::any_of(text.begin(), text.end(), is_c1)) {
    std::u32string fixed = text;
    std::transform(fixed.begin(), fixed.end(), fixed.begin(), windows_1252);
    return fixed;
  }
  return text;
}

}  // namespace

char32_t windows_1252(char32_t c) {
  const CodePage& page = kCodePages[1];
  return c >= 0x80 && c <= 0x9F ? page.upper[c - 0x80] : c;
}

bool looks_like_mojibake(std::u32string_view text) {
  if (text.size() >= 2 && (text[0] == U'Ã' || text[0] == U'Â') && text[1] == ' ') return true;
  std::vector<std::uint32_t> classes(text.size());
  std::transform(text.begin(), text.end(), classes.begin(), classes_of);
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const Rule& rule : mojibake_rules()) {
      if (at + rule.size() > text.size()) continue;
      bool all = true;
      for (std::size_t i = 0; all && i < rule.size(); ++i) all = matches(rule[i], classes[at + i], text[at + i]);
      if (all) return true;
    }
  }
  return false;
}

std::u32string repair_mojibake(std::u32string text) {
  for (;;) {
    std::u32string repaired = repair_once(text);
    if (repaired == text) return text;
    text = std::move(repaired);
  }
}

}  // namespace rubato::cleaning
