#include "app/cli/help.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/cli/output.h"
#include "engine/base/text.h"

namespace rubato::cli {
namespace {

constexpr int kHelpColumns = 100;

// Breaks text at spaces so that no line is longer than `columns`; lines after the first start with `indent` spaces.
std::string wrapped(std::string_view text, int columns, int indent) {
  std::string out;
  int used = indent;
  for (const auto& word : split(text, ' ')) {
    const int width = display_width(word);
    if (used > indent && used + 1 + width > columns) {
      out += '\n' + std::string(static_cast<std::size_t>(indent), ' ');
      used = indent;
    } else if (used > indent) {
      out += ' ';
      ++used;
    }
    out += word;
    used += width;
  }
  return out;
}

std::string spelled(const Option& option) {
  if (option.negative_only) return fmt::format("    --no-{}", option.name);
  auto text =
      option.letter != 0 ? fmt::format("-{}, --{}", option.letter, option.name) : fmt::format("    --{}", option.name);
  if (!option.value.empty()) text += option.implied.empty() ? ' ' + option.value : fmt::format(" [{}]", option.value);
  return text;
}

std::string rows(const std::vector<std::pair<std::string, std::string>>& entries, int widest_allowed) {
  int widest = 0;
  for (const auto& [left, right] : entries)
    if (const int w = display_width(left); w <= widest_allowed) widest = std::max(widest, w);
  std::string out;
  for (const auto& [left, right] : entries) {
    const int gap = widest - display_width(left);
    out += "  " + left;
    out += gap >= 0 ? std::string(static_cast<std::size_t>(gap + 2), ' ')
                    : '\n' + std::string(static_cast<std::size_t>(widest + 4), ' ');
    out += wrapped(right, kHelpColumns, widest + 4) + '\n';
  }
  return out;
}

std::vector<std::string> groups_in_order(const std::vector<Option>& options) {
  std::vector<std::string> groups;
  for (const auto& option : options)
    if (std::find(groups.begin(), groups.end(), option.group) == groups.end()) groups.push_back(option.group);
  return groups;
}

std::string paragraphs(std::string_view text) {
  std::string out;
  for (const auto& paragraph : split(text, '\n')) out += wrapped(paragraph, kHelpColumns, 0) + '\n';
  return out;
}

}  // namespace

std::string explained(const Option& option) {
  std::vector<std::string> notes;
  if (!option.choices.empty())
    notes.push_back(one_of(option.choices));
  else if (!option.range.empty())
    notes.push_back(option.range);
  if (!option.initial.empty() && !option.negative_only) notes.push_back("default: " + option.initial);
  return notes.empty() ? option.help : fmt::format("{} ({})", option.help, join(notes, "; "));
}

std::string usage_line(const Command& command) {
  std::string line = fmt::format("rubato-cli {}", command.path);
  for (const auto& p : command.positionals) {
    const auto name = p.choices.empty() ? p.name : fmt::format("{}", fmt::join(p.choices, "|"));
    line += fmt::format(fmt::runtime(p.required ? " {}{}" : " [{}{}]"), name, p.repeatable ? "…" : "");
  }
  return line + " [flags]";
}

std::string command_help(const Command& command) {
  std::string out = fmt::format("{}\n\nusage: {}\n", command.summary, usage_line(command));
  if (!command.text.empty()) out += '\n' + paragraphs(command.text);
  if (!command.positionals.empty()) {
    std::vector<std::pair<std::string, std::string>> entries;
    for (const auto& p : command.positionals) entries.emplace_back(p.name, p.help);
    out += '\n' + rows(entries, 30);
  }
  const auto options = all_options(command);
  for (const auto& group : groups_in_order(options)) {
    std::vector<std::pair<std::string, std::string>> entries;
    for (const auto& option : options)
      if (option.group == group) entries.emplace_back(spelled(option), explained(option));
    out += fmt::format("\n{}:\n{}", group, rows(entries, 34));
  }
  if (!command.examples.empty()) {
    out += "\nExamples:\n";
    for (const auto& example : command.examples) out += fmt::format("  {}\n      {}\n", example.line, example.what);
  }
  return out;
}

std::string group_help(std::string_view group) {
  std::vector<std::pair<std::string, std::string>> entries;
  for (const auto* command : commands_of(group)) entries.emplace_back(command->path, command->summary);
  return fmt::format("{}\n\nusage: rubato-cli {} COMMAND [flags]\n\n{}\n'rubato-cli {} COMMAND --help' tells more.\n",
                     group_summary(group), group, rows(entries, 30), group);
}

std::string program_help() {
  std::vector<std::pair<std::string, std::string>> entries;
  for (const auto* command : commands()) {
    std::string left(command->path);
    for (const auto& p : command->positionals) {
      if (!p.required) continue;
      left += ' ' + (p.choices.empty() ? p.name : fmt::format("{}", fmt::join(p.choices, "|")));
    }
    entries.emplace_back(left, command->summary);
  }
  return fmt::format(
      "Rubato renders video from a sentence, on this machine alone.\n\n"
      "usage: rubato-cli COMMAND [flags]\n\n"
      "Commands:\n{}\n"
      "  --help     This text; after a command, its flags\n"
      "  --version  The version\n\n"
      "Results (paths, tables, JSON) go to standard output, everything said to people goes to standard error.\n"
      "Exit codes: 0 done, 1 failed, 2 usage, 3 job invalid, 4 model missing or unfit, 5 out of memory, 6 output\n"
      "exists, 7 engine died, 8 no such device, 9 time limit, 10 locked, 11 verify mismatch, 73 cannot write,\n"
      "130 interrupted, 143 terminated.\n",
      rows(entries, 36));
}

}  // namespace rubato::cli
