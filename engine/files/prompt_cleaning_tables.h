// The facts behind prompt cleaning, as tables; prompt_cleaning_tables.cpp is generated.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rubato::cleaning {

// What a character tells about text that was decoded wrongly. Names as in ftfy; a character may have several.
enum CharClass : std::uint32_t {
  kCommon = 1u << 0,  // appears everywhere: no clue by itself
  kC1 = 1u << 1,      // C1 control characters
  kBad = 1u << 2,     // hardly ever used but in mojibake
  kLaw = 1u << 3,     // pilcrow, section sign
  kCurrency = 1u << 4,
  kStart = 1u << 5,  // punctuation that opens
  kEnd = 1u << 6,    // punctuation that closes
  kNumeric = 1u << 7,
  kKaomoji = 1u << 8,  // letters used to draw faces
  kUpperAccented = 1u << 9,
  kLowerAccented = 1u << 10,
  kUpperCommon = 1u << 11,
  kLowerCommon = 1u << 12,
  kBox = 1u << 13,       // box drawing
  kFirstOf2 = 1u << 14,  // how the first byte of a two-byte UTF-8 sequence looks in some code page
  kFirstOf3 = 1u << 15,
  kFirstOf4 = 1u << 16,
  kContinuation = 1u << 17,        // how a continuation byte looks, or a space in place of byte A0
  kContinuationStrict = 1u << 18,  // those of them that hardly stand for themselves
  // Not in the table but computed:
  kAsciiLower = 1u << 24,
  kAsciiUpper = 1u << 25,
  kSpace = 1u << 26,
  kWord = 1u << 27,
  kNoAsciiLetter = 1u << 28,
  kNoLineBreak = 1u << 29,
};

// Characters first … last with the same classes; sorted.
struct ClassRun {
  char16_t first, last;
  std::uint32_t classes;
};
extern const ClassRun kClassRuns[];
extern const std::size_t kClassRunCount;

// What bytes 80 … FF of a single-byte encoding stand for. In a sloppy one an unassigned byte stands for the control
// character of its number, and byte 1A for U+FFFD.
struct CodePage {
  std::string_view name;
  bool sloppy;
  std::array<char16_t, 128> upper;
};
inline constexpr std::size_t kCodePageCount = 10;
extern const CodePage kCodePages[kCodePageCount];  // in the order in which they are tried; the first is Latin-1

// HTML's named characters, sorted by name; the name has its ';', or not where HTML allows that. Values are UTF-8.
struct Entity {
  std::string_view name, value;
};
extern const Entity kEntities[];
extern const std::size_t kEntityCount;

}  // namespace rubato::cleaning
