// Small text helpers shared by readers and error messages.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rubato {

// "a, b, c"
std::string join(std::span<const std::string> parts, std::string_view separator);
// "a, b, c and 12 more": for messages, since a damaged or foreign file can have thousands of names.
std::string list_names(std::span<const std::string> names, std::size_t most = 10);
std::vector<std::string> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);

// The candidate with the smallest edit distance to word, if it is close enough to be a likely typo
// (at most a third of the word's length, at least one edit).
std::optional<std::string> nearest_name(std::string_view word, std::span<const std::string> candidates);
// "; did you mean 'x'?" or "" : appended to messages about unknown names.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

// "39.1 MB" (decimal units, as disks are sold).
std::string human_bytes(std::uint64_t bytes);
// "1.5GiB", "800 MB", "2g", "4096" -> bytes: k, M, G, T are decimal, Ki, Mi, Gi, Ti binary, in any case, with or without
// the B. Nothing for anything else, below 0, or above 2^60.
std::optional<std::uint64_t> parse_bytes(std::string_view text);
// "1:05" or "2:03:07"
std::string human_duration(double seconds);
// Seconds of "90", "45s", "30m", "8h", "2d" or "1h30m"; nothing when it is none of these or not above zero.
std::optional<double> parse_duration(std::string_view text);

bool is_valid_utf8(std::string_view text);
// Text that someone else chose, for a terminal or a message: characters that would drive a terminal (controls,
// direction overrides) and bytes that are not UTF-8 appear as \x1b, \u202e, \xff. Line ends and tabs stay, unless it is
// a name, which has to stay on its line.
enum class Lines { Keep, Escape };
std::string printable(std::string_view text, Lines lines = Lines::Keep);
// Whether printable(name, Lines::Escape) changes nothing.
bool is_printable_name(std::string_view name);
// Cuts text to at most max_bytes without splitting a UTF-8 character.
std::string_view clip_utf8(std::string_view text, std::size_t max_bytes);

}  // namespace rubato
