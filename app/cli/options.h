// Options: one table per command. The parser, --help, the man page and the shell completions all read
// it, so a flag that exists is documented and completed, and one that does not exist is nowhere.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"

namespace rubato::cli {

// What a shell should offer for a value.
enum class Offer { Nothing, Files, Folders, Models, Choices };

struct Option {
  std::string name;                  // without dashes: "max-sequence-length"
  char letter = 0;                   // 'p' for -p; 0 = none
  std::string value;                 // "TEXT" in the help; empty = a switch
  std::string help;                  // a sentence without its full stop
  std::string group = "Options";     // heading in the help
  std::vector<std::string> choices;  // the only values that are accepted, when not empty
  Offer offer = Offer::Nothing;
  bool repeatable = false;
  std::string range = {};      // which values make sense, for the help: "1 to 100"
  std::string initial = {};    // what holds when it is not given, for the help
  std::string implied = {};    // the value of the bare flag, where it may stand without one
  bool negatable = false;      // a switch that also has --no-NAME; its values are "true" and "false"
  bool negative_only = false;  // such a switch that is on anyway: the help shows --no-NAME alone
};

struct Positional {
  std::string name;  // "FILE" in the help
  std::string help;
  std::vector<std::string> choices;
  Offer offer = Offer::Nothing;
  bool required = true;
  bool repeatable = false;
};

// The command line of one command, sorted by name. Values are text as typed.
class Arguments {
 public:
  bool has(std::string_view name) const { return options_.contains(name); }
  // How often a switch was given (-vv = 2).
  int count(std::string_view name) const;
  // The last value of an option; nothing when it was not given.
  std::optional<std::string> value(std::string_view name) const;
  std::string value_or(std::string_view name, std::string_view fallback) const;
  std::vector<std::string> values(std::string_view name) const;
  const std::vector<std::string>& positionals() const { return positionals_; }
  // The options that were given, in the order of their names.
  const std::map<std::string, std::vector<std::string>, std::less<>>& options() const { return options_; }

 private:
  friend Result<Arguments> parse_arguments(std::span<const char* const>, std::span<const Option>,
                                           std::span<const Positional>);
  std::map<std::string, std::vector<std::string>, std::less<>> options_;
  std::vector<std::string> positionals_;
};

// Reads `words` (without the command's own name) by the tables. Takes `--name VALUE`, `--name=VALUE`, `-n VALUE`,
// `-nVALUE`, grouped switches `-qv`, and `--` before words that begin with a dash. Usage error for an unknown or
// ambiguous flag (with the nearest name), a missing or unwanted value, a value outside the choices, a flag given
// twice, and a missing or superfluous positional.
Result<Arguments> parse_arguments(std::span<const char* const> words, std::span<const Option> options,
                                  std::span<const Positional> positionals);

// "a, b or c"
std::string one_of(std::span<const std::string> names);

}  // namespace rubato::cli
