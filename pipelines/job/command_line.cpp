#include "pipelines/job/command_line.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "pipelines/job/field_value.h"
#include "pipelines/job/schema.h"

namespace rubato {
namespace {

using nlohmann::json;

// As people write it: what with, what of, how, where to.
int place_of(std::string_view name) { return name == "model" ? 0 : name == "prompt" ? 1 : name == "out" ? 3 : 2; }

// "vgdfr:keep=0.6,threshold=0.4"
std::string policy_text(const json& policy) {
  auto text = policy.at("method").get<std::string>();
  char before = ':';
  for (const auto& [knob, value] : policy.items()) {
    if (knob == "method") continue;
    text += before + knob + '=' + (value.is_string() ? value.get<std::string>() : value.dump());
    before = ',';
  }
  return text;
}

std::string text_of(const json& value) {
  if (value.is_object()) return policy_text(value);
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// A value that a reader of flags could take for a flag, or that a flag need not have, stands behind '='.
bool needs_equals(const FieldRef& field, std::string_view text) {
  const auto* choice = std::get_if<Choice>(&field.rule);
  return text.empty() || text.starts_with('-') || (choice != nullptr && !choice->implied.empty());
}

void add_flag(const FieldRef& field, const json& value, std::vector<std::string>& words) {
  const auto flag = flag_of(field.name);
  if (value.is_boolean()) {
    words.push_back(value.get<bool>() ? flag : "--no-" + flag.substr(2));
    return;
  }
  const auto text = text_of(value);
  if (needs_equals(field, text)) {
    words.push_back(flag + '=' + text);
    return;
  }
  words.push_back(field.options.letter != 0 ? std::string{'-', field.options.letter} : flag);
  words.push_back(text);
}

}  // namespace

std::string shell_quoted(std::string_view word) {
  constexpr std::string_view kHarmless = "@%+=:,./_-";
  const auto harmless = [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           kHarmless.find(c) != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), harmless)) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::vector<std::string> command_flags(const VideoJob& job) {
  VideoJob copy = job, empty;  // fields are views of a job that may be changed
  const auto fields = fields_of(copy), nothing = fields_of(empty);
  std::vector<std::string> words;
  for (int place = 0; place < 4; ++place)
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (place_of(fields[i].name) != place) continue;
      const auto value = detail::value_of(fields[i]);
      if (!value.is_null() && value != detail::value_of(nothing[i])) add_flag(fields[i], value, words);
    }
  return words;
}

std::string command_line(const VideoJob& job) {
  std::string line = "rubato-cli gen video";
  for (const auto& word : command_flags(job)) {
    // --flag='two words' reads better than '--flag=two words'.
    const auto equals = word.starts_with("--") ? word.find('=') : std::string::npos;
    line += ' ';
    line += equals == std::string::npos ? shell_quoted(word)
                                        : word.substr(0, equals + 1) + shell_quoted(word.substr(equals + 1));
  }
  return line;
}

}  // namespace rubato
