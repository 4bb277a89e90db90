// Texts made from the table of commands and options: --help, the man page, shell completions.
#pragma once

#include <string>
#include <string_view>

#include "app/cli/command.h"

namespace rubato::cli {

std::string program_help();                      // rubato-cli --help
std::string group_help(std::string_view group);  // rubato-cli models --help
std::string command_help(const Command& command);
std::string explained(const Option& option);     // its help with range, choices and default
std::string usage_line(const Command& command);  // "rubato-cli inspect FILE [flags]"

// A roff man page of the whole program, rubato-cli(1).
std::string man_page();

std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

}  // namespace rubato::cli
