#include "app/cli/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/text.h"

namespace rubato::cli {
namespace {

// What other programs call it; far from our spelling, so that the nearest name does not find it.
struct Alias {
  std::string_view theirs, ours, how;  // `how`: what to write
};
constexpr Alias kFlagAliases[] = {
    {"cfg", "guidance", "--guidance"},
    {"cfg-scale", "guidance", "--guidance"},
    {"guidance-scale", "guidance", "--guidance"},
    {"width", "size", "--size WIDTHxHEIGHT"},
    {"height", "size", "--size WIDTHxHEIGHT"},
    {"resolution", "size", "--size WIDTHxHEIGHT"},
    {"num-frames", "frames", "--frames"},
    {"length", "frames", "--frames"},
    {"num-inference-steps", "steps", "--steps"},
    {"output", "out", "--out"},
    {"neg", "negative-prompt", "--negative-prompt"},
    {"precision", "dtype", "--dtype"},
};
constexpr Alias kValueAliases[] = {
    {"fp16", "float16", {}},  {"half", "float16", {}}, {"f16", "float16", {}},
    {"bf16", "bfloat16", {}}, {"fp32", "float32", {}}, {"f32", "float32", {}},
};

Error usage(std::string message) { return {ErrorCode::Usage, std::move(message)}; }

class Parser {
 public:
  Parser(std::span<const char* const> words, std::span<const Option> options, bool only_flags)
      : words_(words), options_(options), only_flags_(only_flags) {}

  Result<> run(std::map<std::string, std::vector<std::string>, std::less<>>& found, std::vector<std::string>& plain) {
    bool only_plain = false;
    for (next_ = 0; next_ < words_.size();) {
      const std::string_view word = words_[next_++];
      if (only_plain || word.size() < 2 || word[0] != '-') {
        plain.emplace_back(word);
      } else if (word == "--") {
        only_plain = true;
      } else if (word[1] == '-') {
        RUBATO_OK(long_option(word.substr(2), found));
      } else {
        RUBATO_OK(letters(word.substr(1), found));
      }
    }
    return {};
  }

 private:
  using Found = std::map<std::string, std::vector<std::string>, std::less<>>;

  Result<> long_option(std::string_view text, Found& found) {
    const auto equals = text.find('=');
    const auto name = text.substr(0, equals);
    auto option = std::find_if(options_.begin(), options_.end(), [&](const Option& o) { return o.name == name; });
    const bool negative = option == options_.end() && name.starts_with("no-");
    if (negative)
      option = std::find_if(options_.begin(), options_.end(),
                            [&](const Option& o) { return o.negatable && o.name == name.substr(3); });
    if (option == options_.end()) return usage(fmt::format("unknown flag --{}{}", name, suggestion(name)));
    const auto spelled = fmt::format("--{}", name);
    if (option->value.empty()) {
      if (option->negatable && equals == std::string_view::npos)
        return store(*option, negative ? "false" : "true", spelled, found);
      if (equals != std::string_view::npos) return usage(fmt::format("{} is a switch and takes no value", spelled));
      return store(*option, "", spelled, found);
    }
    if (equals != std::string_view::npos) return store(*option, std::string(text.substr(equals + 1)), spelled, found);
    return following(*option, spelled, found);
  }

  Result<> letters(std::string_view text, Found& found) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto option =
          std::find_if(options_.begin(), options_.end(), [&](const Option& o) { return o.letter == text[i]; });
      if (option == options_.end()) {
        // "-steps 4" is a long flag with one dash too few.
        const auto name = text.substr(0, text.find('='));
        const bool is_long =
            std::any_of(options_.begin(), options_.end(), [&](const Option& o) { return o.name == name; });
        if (is_long) return usage(fmt::format("unknown flag -{0}; write --{0} with two dashes", name));
        return usage(fmt::format("unknown flag -{}", text[i]));
      }
      const auto spelled = fmt::format("-{}", text[i]);
      if (option->value.empty()) {
        RUBATO_OK(store(*option, "", spelled, found));
        continue;
      }
      if (i + 1 < text.size()) return store(*option, std::string(text.substr(i + 1)), spelled, found);
      return following(*option, spelled, found);
    }
    return {};
  }

  // The value is the next word, whatever it looks like, except that another known flag means it was forgotten.
  Result<> following(const Option& option, const std::string& spelled, Found& found) {
    const auto missing = [&] { return usage(fmt::format("{} needs a value: {} {}", spelled, spelled, option.value)); };
    const std::string_view word = next_ < words_.size() ? words_[next_] : std::string_view{};
    if (!option.implied.empty() &&
        std::find(option.choices.begin(), option.choices.end(), word) == option.choices.end()) {
      // Where no other word may stand, it was meant as the value: store() names the choices.
      const bool meant = only_flags_ && !word.empty() && !word.starts_with('-');
      return store(option, meant ? std::string(word) : option.implied, spelled, found);
    }
    if (next_ >= words_.size()) return missing();
    if (word.starts_with("--")) {
      const auto name = word.substr(2, word.find('=') == std::string_view::npos ? word.size() : word.find('=') - 2);
      if (std::any_of(options_.begin(), options_.end(), [&](const Option& o) { return o.name == name; }))
        return missing();
    }
    ++next_;
    return store(option, std::string(word), spelled, found);
  }

  Result<> store(const Option& option, std::string value, const std::string& spelled, Found& found) {
    if (!option.choices.empty() &&
        std::find(option.choices.begin(), option.choices.end(), value) == option.choices.end())
      return usage(fmt::format("{} takes {}, not '{}'{}", spelled, one_of(option.choices), value,
                               meant_value(value, option.choices)));
    auto& values = found[option.name];
    if (!values.empty() && !option.repeatable)
      return usage(fmt::format("--{} is given twice; give it once", option.name));
    values.push_back(std::move(value));
    return {};
  }

  static std::string meant_value(const std::string& value, const std::vector<std::string>& choices) {
    for (const auto& alias : kValueAliases)
      if (alias.theirs == value && std::ranges::find(choices, alias.ours) != choices.end())
        return fmt::format("; did you mean '{}'?", alias.ours);
    return did_you_mean(value, choices);
  }

  std::string suggestion(std::string_view name) const {
    for (const auto& alias : kFlagAliases)
      if (alias.theirs == name && std::ranges::find(options_, alias.ours, &Option::name) != options_.end())
        return fmt::format("; did you mean {}?", alias.how);
    std::vector<std::string> names;
    for (const auto& option : options_) {
      if (!option.negative_only) names.push_back(option.name);
      if (option.negatable) names.push_back("no-" + option.name);
    }
    const auto near = nearest_name(name, names);
    return near ? fmt::format("; did you mean --{}?", *near) : "";
  }

  std::span<const char* const> words_;
  std::span<const Option> options_;
  bool only_flags_;  // no word stands on its own
  std::size_t next_ = 0;
};

// "A job file" → "a job file"
std::string inside_a_sentence(std::string help) {
  if (!help.empty() && help[0] >= 'A' && help[0] <= 'Z') help[0] = static_cast<char>(help[0] - 'A' + 'a');
  return help;
}

Result<> check_positionals(const std::vector<std::string>& given, std::span<const Positional> wanted) {
  const bool open_ended = !wanted.empty() && wanted.back().repeatable;
  if (given.size() > wanted.size() && !open_ended) {
    const auto& word = given[wanted.size()];
    return usage(wanted.empty() ? fmt::format("'{}' is one word too many: this command takes flags only", word)
                                : fmt::format("'{}' is one word too many after {}", word, wanted.back().name));
  }
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (wanted[i].required && given.size() <= i)
      return usage(wanted[i].choices.empty()
                       ? fmt::format("{} is missing; give {}", wanted[i].name, inside_a_sentence(wanted[i].help))
                       : fmt::format("{} is missing; give {}", wanted[i].name, one_of(wanted[i].choices)));
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto& choices = wanted[std::min(i, wanted.size() - 1)].choices;
    if (!choices.empty() && std::find(choices.begin(), choices.end(), given[i]) == choices.end())
      return usage(fmt::format("expected {}, not '{}'{}", one_of(choices), given[i], did_you_mean(given[i], choices)));
  }
  return {};
}

}  // namespace

int Arguments::count(std::string_view name) const {
  const auto it = options_.find(name);
  return it == options_.end() ? 0 : static_cast<int>(it->second.size());
}

std::optional<std::string> Arguments::value(std::string_view name) const {
  const auto it = options_.find(name);
  if (it == options_.end()) return std::nullopt;
  return it->second.back();
}

std::string Arguments::value_or(std::string_view name, std::string_view fallback) const {
  return value(name).value_or(std::string(fallback));
}

std::vector<std::string> Arguments::values(std::string_view name) const {
  const auto it = options_.find(name);
  return it == options_.end() ? std::vector<std::string>{} : it->second;
}

Result<Arguments> parse_arguments(std::span<const char* const> words, std::span<const Option> options,
                                  std::span<const Positional> positionals) {
  Arguments parsed;
  RUBATO_OK(Parser(words, options, positionals.empty()).run(parsed.options_, parsed.positionals_));
  // Help is given even where the rest is incomplete.
  if (!parsed.has("help")) RUBATO_OK(check_positionals(parsed.positionals_, positionals));
  return parsed;
}

std::string one_of(std::span<const std::string> names) {
  if (names.empty()) return "nothing";
  if (names.size() == 1) return names[0];
  return fmt::format("{} or {}", fmt::join(names.first(names.size() - 1), ", "), names.back());
}

}  // namespace rubato::cli
