// The parts of prompt cleaning, on code points. See prompt_cleaning.h for what they add up to.
#pragma once

#include <string>
#include <string_view>

namespace rubato::cleaning {

// White space and word characters as Python's regular expressions have them.
bool is_space(char32_t c);
bool is_word(char32_t c);

std::u32string to_code_points(std::string_view utf8);  // damaged sequences become U+FFFD
std::string to_utf8(std::u32string_view text);

// ---- prompt_cleaning_entities.cpp
// HTML's own rules: names without ';' where allowed, longest name first, replacements for invalid numbers.
std::u32string unescape_html(std::u32string_view text);
// ftfy's more careful ones: only with ';', but also names in capitals ("&NTILDE;").
std::u32string unescape_html_carefully(std::u32string_view text);

// ---- prompt_cleaning_mojibake.cpp
// Whether the text holds characters next to each other that hardly occur but by a wrong decoding.
bool looks_like_mojibake(std::u32string_view text);
// Undoes wrong decodings as long as there are any.
std::u32string repair_mojibake(std::u32string text);
// A C1 control character as the Windows-1252 character of its number, other characters as they are.
char32_t windows_1252(char32_t c);

}  // namespace rubato::cleaning
