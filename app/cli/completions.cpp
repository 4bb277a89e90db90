// Shell completions. They are static texts made from the tables, so that pressing Tab starts no program; model
// names are the exception: they come from `rubato-cli models list --names`.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "app/cli/help.h"
#include "engine/base/text.h"

namespace rubato::cli {
namespace {

// First words of all commands and groups, each once, in the order of the help.
std::vector<std::string> first_words() {
  std::vector<std::string> words;
  for (const auto* command : commands()) {
    const auto word = split(command->path, ' ').front();
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  }
  return words;
}

std::string_view summary_of(const std::string& first) {
  if (is_group(first)) return group_summary(first);
  for (const auto* command : commands())
    if (command->path == first) return command->summary;
  return {};
}

std::string second_word(const Command& command) {
  const auto words = split(command.path, ' ');
  return words.size() > 1 ? words[1] : std::string{};
}

// Text inside single quotes of a POSIX shell, or of fish with its own rule.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}
std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

// zsh's _arguments gives meaning to these inside a specification.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

Offer offer_of(const std::vector<std::string>& choices, Offer offer) {
  return choices.empty() ? offer : Offer::Choices;
}

std::string bash_reply(const std::vector<std::string>& choices, Offer offer) {
  switch (offer_of(choices, offer)) {
    case Offer::Choices:
      return fmt::format("COMPREPLY=($(compgen -W {} -- \"$cur\"))", shell_quoted(join(choices, " ")));
    case Offer::Files:
      return "COMPREPLY=($(compgen -f -- \"$cur\")); compopt -o filenames";
    case Offer::Folders:
      return "COMPREPLY=($(compgen -d -- \"$cur\")); compopt -o filenames";
    case Offer::Models:
      return "COMPREPLY=($(compgen -W \"$(rubato-cli models list --names 2>/dev/null)\" -- \"$cur\") "
             "$(compgen -d -- \"$cur\"))";
    case Offer::Nothing:
      break;
  }
  return "COMPREPLY=()";
}

std::string zsh_action(const std::vector<std::string>& choices, Offer offer) {
  switch (offer_of(choices, offer)) {
    case Offer::Choices:
      return fmt::format("({})", join(choices, " "));
    case Offer::Files:
      return "_files";
    case Offer::Folders:
      return "_files -/";
    case Offer::Models:
      return "_rubato_models";
    case Offer::Nothing:
      break;
  }
  return " ";
}

}  // namespace

std::string bash_completion() {
  std::string cases;
  for (const auto* command : commands()) {
    const auto options = all_options(*command);
    std::string names, values;
    for (const auto& option : options) {
      if (!option.negative_only) names += fmt::format("{}--{}", names.empty() ? "" : " ", option.name);
      if (option.negatable) names += fmt::format("{}--no-{}", names.empty() ? "" : " ", option.name);
      if (option.value.empty()) continue;
      const auto pattern =
          option.letter != 0 ? fmt::format("--{}|-{}", option.name, option.letter) : fmt::format("--{}", option.name);
      values += fmt::format("        {}) {}; return ;;\n", pattern, bash_reply(option.choices, option.offer));
    }
    const auto word = command->positionals.empty()
                          ? bash_reply({}, Offer::Nothing)
                          : bash_reply(command->positionals[0].choices, command->positionals[0].offer);
    cases += fmt::format(
        "    {})\n      case $prev in\n{}      esac\n"
        "      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W {} -- \"$cur\")); else {}; fi ;;\n",
        shell_quoted(command->path), values, shell_quoted(names), word);
  }
  std::string groups, group_pattern;
  for (const auto& first : first_words()) {
    if (!is_group(first)) continue;
    std::vector<std::string> names;
    for (const auto* command : commands_of(first)) names.push_back(second_word(*command));
    groups +=
        fmt::format("    {}) COMPREPLY=($(compgen -W {} -- \"$cur\")) ;;\n", first, shell_quoted(join(names, " ")));
    group_pattern += fmt::format("{}{}", group_pattern.empty() ? "" : "|", first);
  }
  return fmt::format(
      "# bash completion for rubato-cli, made by: rubato-cli completions bash\n"
      "_rubato_cli() {{\n"
      "  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} first=${{COMP_WORDS[1]}} command\n"
      "  COMPREPLY=()\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    COMPREPLY=($(compgen -W {} -- \"$cur\")); return\n"
      "  fi\n"
      "  command=$first\n"
      "  case $first in {}) if ((COMP_CWORD > 2)); then command=\"$first ${{COMP_WORDS[2]}}\"; fi ;; esac\n"
      "  case $command in\n{}{}  esac\n"
      "}}\n"
      "complete -F _rubato_cli rubato-cli\n",
      shell_quoted(join(first_words(), " ") + " --help --version"), group_pattern, groups, cases);
}

std::string zsh_completion() {
  std::string firsts, groups, cases;
  for (const auto& first : first_words()) {
    firsts += fmt::format("    {}\n", shell_quoted(fmt::format("{}:{}", first, zsh_text(summary_of(first)))));
    if (!is_group(first)) continue;
    std::string seconds;
    for (const auto* command : commands_of(first))
      seconds +=
          fmt::format(" {}", shell_quoted(fmt::format("{}:{}", second_word(*command), zsh_text(command->summary))));
    groups += fmt::format(
        "    {0})\n      if ((CURRENT == 3)); then\n        seconds=({1}); _describe command seconds; return\n      "
        "fi\n"
        "      command=\"{0} $words[3]\"; skip=2 ;;\n",
        first, seconds);
  }
  for (const auto* command : commands()) {
    std::string specs;
    for (const auto& option : all_options(*command)) {
      const auto help = zsh_text(option.help);
      const auto tail = option.value.empty()
                            ? std::string{}
                            : fmt::format(":{}:{}", zsh_text(option.value), zsh_action(option.choices, option.offer));
      const auto many = option.repeatable ? "*" : "";
      specs += fmt::format(" \\\n        {}",
                           shell_quoted(fmt::format("{}--{}{}[{}]{}", many, option.negative_only ? "no-" : "",
                                                    option.name, help, tail)));
      if (option.letter != 0)
        specs +=
            fmt::format(" \\\n        {}", shell_quoted(fmt::format("{}-{}[{}]{}", many, option.letter, help, tail)));
    }
    for (const auto& p : command->positionals)
      specs +=
          fmt::format(" \\\n        {}", shell_quoted(fmt::format("{}:{}:{}", p.repeatable ? "*" : "", zsh_text(p.name),
                                                                  zsh_action(p.choices, p.offer))));
    cases += fmt::format("    {})\n      _arguments{} ;;\n", shell_quoted(command->path), specs);
  }
  return fmt::format(
      "#compdef rubato-cli\n"
      "# zsh completion for rubato-cli, made by: rubato-cli completions zsh\n"
      "_rubato_models() {{\n"
      "  local -a names; names=(${{(f)\"$(rubato-cli models list --names 2>/dev/null)\"}})\n"
      "  compadd -a names; _files -/\n"
      "}}\n"
      "_rubato_cli() {{\n"
      "  local -a firsts seconds; local command=$words[2] skip=1\n"
      "  firsts=(\n{}  )\n"
      "  if ((CURRENT == 2)); then _describe command firsts; return; fi\n"
      "  case $words[2] in\n{}  esac\n"
      "  shift $skip words; ((CURRENT -= skip))\n"
      "  case $command in\n{}  esac\n"
      "}}\n"
      "_rubato_cli \"$@\"\n",
      firsts, groups, cases);
}

std::string fish_completion() {
  std::string out =
      "# fish completion for rubato-cli, made by: rubato-cli completions fish\n"
      "complete -c rubato-cli -f\n";
  for (const auto& first : first_words()) {
    out += fmt::format("complete -c rubato-cli -n __fish_use_subcommand -a {} -d {}\n", first,
                       fish_quoted(summary_of(first)));
    if (!is_group(first)) continue;
    std::vector<std::string> names;
    for (const auto* command : commands_of(first)) names.push_back(second_word(*command));
    for (const auto* command : commands_of(first))
      out += fmt::format(
          "complete -c rubato-cli -n '__fish_seen_subcommand_from {}; and not __fish_seen_subcommand_from {}' -a {} -d "
          "{}\n",
          first, join(names, " "), second_word(*command), fish_quoted(command->summary));
  }
  const auto action = [](const std::vector<std::string>& choices, Offer offer) -> std::string {
    switch (offer_of(choices, offer)) {
      case Offer::Choices:
        return fmt::format(" -x -a {}", fish_quoted(join(choices, " ")));
      case Offer::Files:
        return " -r -F";
      case Offer::Folders:
        return " -x -a '(__fish_complete_directories)'";
      case Offer::Models:
        return " -x -a '(rubato-cli models list --names 2>/dev/null) (__fish_complete_directories)'";
      case Offer::Nothing:
        break;
    }
    return " -x";
  };
  for (const auto* command : commands()) {
    std::string seen;
    for (const auto& word : split(command->path, ' '))
      seen += fmt::format("{}__fish_seen_subcommand_from {}", seen.empty() ? "" : "; and ", word);
    for (const auto& option : all_options(*command)) {
      const auto letter = option.letter != 0 ? fmt::format(" -s {}", option.letter) : std::string{};
      out += fmt::format("complete -c rubato-cli -n {} -l {}{}{}{} -d {}\n", shell_quoted(seen),
                         option.negative_only ? "no-" : "", option.name, letter,
                         option.value.empty() ? std::string{} : action(option.choices, option.offer),
                         fish_quoted(option.help));
    }
    for (const auto& p : command->positionals)
      if (p.offer != Offer::Nothing || !p.choices.empty())
        out += fmt::format("complete -c rubato-cli -n {}{}\n", shell_quoted(seen), action(p.choices, p.offer));
  }
  return out;
}

}  // namespace rubato::cli
