// File names made of texts that strangers wrote: prompts, titles, names of models.
//
// The rules are those under which a name means the same file on every system and in every shell.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace rubato {

inline constexpr std::size_t kMaxNamePart = 120;  // bytes; what programs hang on (".tmp", "-partial") still fits in 255

// A text as part of a name: Unicode NFC; control characters, line separators, marks that turn the direction of text,
// and / \ : * ? " < > | become '_', as does each byte that is not UTF-8.
std::string clean_name_text(std::string_view text);

// One whole part of a path, of text that is clean already: no dot or dash in front, no dot or space at the end, not a
// name that Windows keeps for devices (those get a '_': "con_.mp4"), at most max_bytes, cut between two characters in
// front of the extension. Never empty.
std::string clean_name_part(std::string_view part, std::size_t max_bytes = kMaxNamePart);

// The first `count` characters (code points) of UTF-8 text.
std::string_view first_characters(std::string_view text, std::size_t count);

// What keeps `part` from being a clean part of a path, to stand behind it: "begins with a dot"; nullopt when it is one.
std::optional<std::string> name_part_fault(std::string_view part);

}  // namespace rubato
