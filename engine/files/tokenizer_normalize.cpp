#include "engine/files/tokenizer_normalize.h"

#include <unicode/brkiter.h>
#include <unicode/bytestream.h>
#include <unicode/edits.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <memory>
#include <optional>
#include <utility>

#include "engine/base/check.h"

namespace rubato {
namespace {

struct Character {
  UChar32 code = 0;
  std::size_t size = 0;
};

Character character_at(std::string_view text, std::size_t at) {
  int offset = 0;
  Character c;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data()) + at;
  // NOLINTNEXTLINE(bugprone-inc-dec-in-conditions): ICU's macro
  U8_NEXT(bytes, offset, static_cast<int>(std::min<std::size_t>(text.size() - at, 4)), c.code);
  c.size = static_cast<std::size_t>(offset);
  return c;
}

Character character_before(std::string_view text, std::size_t end) {
  std::size_t at = end - 1;
  while (at > 0 && end - at < 4 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
  return {character_at(text, at).code, end - at};
}

bool is_word(UChar32 c) {
  return u_isUAlphabetic(c) || u_hasBinaryProperty(c, UCHAR_JOIN_CONTROL) ||
         (U_GET_GC_MASK(c) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) != 0;
}

// ---- steps ---------------------------------------------------------------------------------------------------------

// The replacement for the shortest entry of the trie that `text` begins with. (The shortest, and for the whole of
// `text`: that is what the reference does.)
std::optional<std::string_view> lookup(const Charsmap& map, std::string_view text) {
  const auto offset = [](std::uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); };
  std::size_t at = 0;
  if (map.units.empty()) return std::nullopt;
  at ^= offset(map.units[0]);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0) break;
    at ^= byte;
    if (at >= map.units.size()) return std::nullopt;
    const std::uint32_t unit = map.units[at];
    if ((unit & ((1u << 31) | 0xFFu)) != byte) return std::nullopt;
    at ^= offset(unit);
    if (((unit >> 8) & 1u) == 0) continue;
    if (at >= map.units.size()) return std::nullopt;
    const std::size_t value = map.units[at] & ((1u << 31) - 1);
    if (value >= map.targets.size()) return std::nullopt;
    const std::string_view rest = std::string_view(map.targets).substr(value);
    return rest.substr(0, rest.find('\0'));
  }
  return std::nullopt;
}

// Byte ranges of the user-perceived characters of a text.
std::vector<std::size_t> grapheme_ends(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::BreakIterator> breaks(
      icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
  RUBATO_CHECK(U_SUCCESS(status), "ICU has no break iterator: ", u_errorName(status));
  const auto wide = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int>(text.size())));
  breaks->setText(wide);
  std::vector<std::size_t> ends;
  std::size_t bytes = 0;
  breaks->first();
  for (int unit = 0, end = breaks->next(); end != icu::BreakIterator::DONE; end = breaks->next()) {
    while (unit < end) {
      const UChar32 c = wide.char32At(unit);
      unit += U16_LENGTH(c);
      bytes += static_cast<std::size_t>(U8_LENGTH(c));
    }
    ends.push_back(bytes);
  }
  return ends;
}

struct Normalize {
  const TracedText& in;

  TracedText empty_like() const {
    TracedText out;
    out.source_begin = in.source_begin;
    out.bytes.reserve(in.bytes.size());
    out.source.reserve(in.bytes.size());
    return out;
  }
  void copy(TracedText& out, std::size_t begin, std::size_t end) const {
    out.bytes.append(in.bytes, begin, end - begin);
    out.source.insert(out.source.end(), in.source.begin() + static_cast<std::ptrdiff_t>(begin),
                      in.source.begin() + static_cast<std::ptrdiff_t>(end));
  }

  TracedText operator()(const Charsmap& map) const {
    constexpr std::size_t kWholeGrapheme = 6;  // longer ones are looked up character by character
    TracedText out = empty_like();
    const std::string_view text = in.bytes;
    std::size_t begin = 0;
    for (const std::size_t end : grapheme_ends(text)) {
      if (end - begin < kWholeGrapheme) {
        if (const auto target = lookup(map, text.substr(begin, end - begin))) {
          out.append(*target, in.source[begin]);
          begin = end;
          continue;
        }
      }
      while (begin < end) {
        const std::size_t next = begin + character_at(text, begin).size;
        if (const auto target = lookup(map, text.substr(begin, next - begin))) {
          out.append(*target, in.source[begin]);
        } else {
          copy(out, begin, next);
        }
        begin = next;
      }
    }
    // The reference loses track of characters that it drops at the front: the text still begins where it began.
    if (!out.source.empty()) out.source.front() = in.source.front();
    return out;
  }

  TracedText operator()(const StripSpaces& strip) const {
    const std::size_t begin = strip.left ? leading_spaces(in.bytes) : 0;
    const std::size_t end = in.bytes.size() - (strip.right ? trailing_spaces(in.bytes) : 0);
    TracedText out = empty_like();
    if (begin < end) copy(out, begin, end);
    return out;
  }

  TracedText operator()(const ReplaceText& rule) const {
    TracedText out = empty_like();
    const std::string_view text = in.bytes;
    const auto match = [&](std::size_t at) -> std::size_t {  // bytes of one occurrence at `at`, 0 for none
      if (!rule.what.empty()) return text.substr(at).starts_with(rule.what) ? rule.what.size() : 0;
      const Character c = character_at(text, at);
      return u_isUWhiteSpace(c.code) ? c.size : 0;
    };
    for (std::size_t at = 0; at < text.size();) {
      std::size_t end = at, last = at, count = 0;
      for (std::size_t size = 0; end < text.size() && (size = match(end)) > 0 && (rule.runs || count == 0); ++count) {
        last = end + size - 1;
        end += size;
      }
      if (count >= rule.min_count) {
        out.append(rule.content, in.source[last]);  // of the last character, as in the reference
      } else {
        if (end == at) end = at + character_at(text, at).size;
        copy(out, at, end);
      }
      at = end;
    }
    return out;
  }

  TracedText operator()(const PrependText& rule) const {
    TracedText out = empty_like();
    if (!in.bytes.empty()) out.append(rule.text, in.source.front());
    copy(out, 0, in.bytes.size());
    return out;
  }

  TracedText operator()(UnicodeForm form) const {
    UErrorCode status = U_ZERO_ERROR;
    const bool compat = form == UnicodeForm::Nfkc || form == UnicodeForm::Nfkd;
    const bool compose = form == UnicodeForm::Nfc || form == UnicodeForm::Nfkc;
    const auto* rule = icu::Normalizer2::getInstance(nullptr, compat ? "nfkc" : "nfc",
                                                     compose ? UNORM2_COMPOSE : UNORM2_DECOMPOSE, status);
    TracedText out = empty_like();
    icu::Edits edits;
    {
      icu::StringByteSink<std::string> sink(&out.bytes);
      if (U_SUCCESS(status)) {
        rule->normalizeUTF8(0, icu::StringPiece(in.bytes.data(), static_cast<int>(in.bytes.size())), sink, &edits,
                            status);
      }
    }
    RUBATO_CHECK(U_SUCCESS(status), "ICU cannot normalise: ", u_errorName(status));
    for (auto edit = edits.getFineIterator(); edit.next(status);) {
      for (int i = 0; i < edit.newLength(); ++i) {
        const int from = edit.sourceIndex() + (edit.hasChange() ? 0 : i);
        out.source.push_back(
            in.source[static_cast<std::size_t>(std::min<int>(from, static_cast<int>(in.source.size()) - 1))]);
      }
    }
    RUBATO_CHECK(out.source.size() == out.bytes.size());
    return out;
  }

  TracedText operator()(const NmtControls&) const {
    TracedText out = empty_like();
    for (std::size_t at = 0; at < in.bytes.size();) {
      const auto [c, size] = character_at(in.bytes, at);
      const bool dropped =
          (c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F;
      const bool space = c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 ||
                         (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF ||
                         c == 0xFFFD;
      if (space) {
        out.append(" ", in.source[at]);
      } else if (!dropped) {
        copy(out, at, at + size);
      }
      at += size;
    }
    return out;
  }
};

struct PreTokenize {
  TracedText in;

  std::vector<TracedText> operator()(const WhitespaceSplit&) const {
    std::vector<TracedText> words;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < in.bytes.size();) {
      const Character c = character_at(in.bytes, at);
      if (u_isUWhiteSpace(c.code)) {
        if (begin < at) words.push_back(in.cut(begin, at));
        begin = at + c.size;
      }
      at += c.size;
    }
    if (begin < in.bytes.size()) words.push_back(in.cut(begin, in.bytes.size()));
    return words;
  }

  std::vector<TracedText> operator()(const Metaspace& rule) const {
    TracedText text = Normalize{in}(ReplaceText{" ", rule.replacement, 1, false});
    const bool wanted = rule.prepend == Metaspace::Prepend::Always ||
                        (rule.prepend == Metaspace::Prepend::First && text.source_begin == 0);
    if (wanted && !text.bytes.starts_with(rule.replacement)) text = Normalize{text}(PrependText{rule.replacement});
    if (!rule.split) return {std::move(text)};
    std::vector<TracedText> words;  // every replacement character begins a word
    std::size_t begin = 0;
    for (std::size_t at = text.bytes.find(rule.replacement, 1); at != std::string::npos;
         at = text.bytes.find(rule.replacement, at + 1)) {
      words.push_back(text.cut(begin, at));
      begin = at;
    }
    words.push_back(text.cut(begin, text.bytes.size()));
    return words;
  }
};

}  // namespace

TracedText TracedText::of(std::string_view text) {
  TracedText traced;
  traced.bytes = text;
  traced.source.resize(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) traced.source[i] = static_cast<std::uint32_t>(i);
  return traced;
}

void TracedText::append(std::string_view text, std::uint32_t from) {
  bytes += text;
  source.resize(bytes.size(), from);
}

TracedText TracedText::cut(std::size_t begin, std::size_t end) const {
  TracedText part;
  part.bytes = bytes.substr(begin, end - begin);
  part.source.assign(source.begin() + static_cast<std::ptrdiff_t>(begin),
                     source.begin() + static_cast<std::ptrdiff_t>(end));
  part.source_begin = part.source.empty() ? source_begin : part.source.front();
  return part;
}

TracedText normalize(TracedText text, std::span<const NormalizerStep> steps) {
  for (const auto& step : steps) text = std::visit(Normalize{text}, step);
  return text;
}

std::vector<TracedText> pre_tokenize(TracedText text, std::span<const PreTokenizerStep> steps) {
  std::vector<TracedText> words;
  words.push_back(std::move(text));
  for (const auto& step : steps) {
    std::vector<TracedText> next;
    for (auto& word : words) {
      if (word.bytes.empty()) continue;
      auto parts = std::visit(PreTokenize{std::move(word)}, step);
      std::move(parts.begin(), parts.end(), std::back_inserter(next));
    }
    words = std::move(next);
  }
  std::erase_if(words, [](const TracedText& word) { return word.bytes.empty(); });
  return words;
}

std::size_t leading_spaces(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const Character c = character_at(text, at);
    if (!u_isUWhiteSpace(c.code)) break;
    at += c.size;
  }
  return at;
}

std::size_t trailing_spaces(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0) {
    const Character c = character_before(text, end);
    if (!u_isUWhiteSpace(c.code)) break;
    end -= c.size;
  }
  return text.size() - end;
}

bool starts_with_word(std::string_view text) { return !text.empty() && is_word(character_at(text, 0).code); }
bool ends_with_word(std::string_view text) {
  return !text.empty() && is_word(character_before(text, text.size()).code);
}

}  // namespace rubato
