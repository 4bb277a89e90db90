// clean_prompt: the clean-up that Wan's reference pipeline applies to a prompt before tokenizing it.
//
// It is ftfy's fix_text (6.3), HTML unescaping twice, and white space collapsed and trimmed:
//   - mojibake is repaired: UTF-8 that was decoded as Latin-1, Windows-1252, -1251, -1250, -1253, -1254, -1257,
//     ISO-8859-2, Mac Roman or code page 437 ("Ã©tÃ©" -> "été"), repeatedly, and where only a part of a text is broken;
//   - curly quotes become straight, Latin ligatures and half-/full-width forms their usual letters, NFC;
//   - terminal escapes, control characters and byte-order marks vanish, line breaks become spaces;
//   - HTML entities, named and numeric, become their characters, also when they were escaped twice.
// Left out: lone surrogates (they cannot stand in UTF-8; a text that is not valid UTF-8 is read with U+FFFD for each
// damaged sequence) and ftfy's cut of lines after a million characters.
#pragma once

#include <string>
#include <string_view>

namespace rubato {

std::string clean_prompt(std::string_view text);

}  // namespace rubato
