// completions: prints a shell's completion script, or the man page, made from the table of options.
#include "app/cli/help.h"
#include "app/cli/output.h"

namespace rubato::cli {
namespace {

Result<> run(const Context& context) {
  const auto& kind = context.args.positionals()[0];
  const auto text = kind == "bash"   ? bash_completion()
                    : kind == "zsh"  ? zsh_completion()
                    : kind == "fish" ? fish_completion()
                                     : man_page();
  context.out.result(text.substr(0, text.size() - 1));
  return {};
}

}  // namespace

const Command kCompletions{
    .path = "completions",
    .summary = "Print the completion script of a shell, or the man page",
    .text = "",
    .positionals = {{.name = "SHELL",
                     .help = "For which shell; 'man' prints the man page in roff",
                     .choices = {"bash", "zsh", "fish", "man"}}},
    .examples = {{"rubato-cli completions bash > ~/.local/share/bash-completion/completions/rubato-cli",
                  "Install it for bash"}},
    .run = run,
};

}  // namespace rubato::cli
