// The man page rubato-cli(1), in the man(7) macro language, from the same tables as --help.
#include <fmt/format.h>

#include <array>

#include "app/cli/help.h"
#include "engine/base/text.h"
#include "engine/base/version.h"

namespace rubato::cli {
namespace {

// Escapes what roff gives meaning to: backslashes, dashes (to stay copyable), a dot or quote that begins a line.
std::string roff(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    line_start = c == '\n';
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out;
}

std::string entry(const std::string& term, std::string_view text) {
  return fmt::format(".TP\n{}\n{}\n", term, roff(text));
}

std::string option_entry(const Option& option) {
  auto term = option.negative_only ? fmt::format("\\fB\\-\\-no\\-{}\\fR", roff(option.name))
              : option.letter != 0 ? fmt::format("\\fB\\-{}\\fR, \\fB\\-\\-{}\\fR", option.letter, roff(option.name))
                                   : fmt::format("\\fB\\-\\-{}\\fR", roff(option.name));
  if (!option.value.empty()) term += fmt::format(" \\fI{}\\fR", roff(option.value));
  return entry(term, explained(option) + ".");
}

bool is_common(const Option& option) { return option.group == "Common" && option.name != "json"; }

struct CodeLine {
  int code;
  std::string_view meaning;
};
constexpr std::array kExitCodes{
    CodeLine{0, "Done."},
    CodeLine{1, "The job failed for a reason of its own."},
    CodeLine{2, "The command line is wrong, or an input file is missing or damaged."},
    CodeLine{3, "The job or job file breaks the rules; nothing was started."},
    CodeLine{4, "The model is missing or unfit."},
    CodeLine{5, "Not enough memory, even after every fallback."},
    CodeLine{6, "The output exists."},
    CodeLine{7, "The engine died; the message says what was kept."},
    CodeLine{8, "The device asked for is not there."},
    CodeLine{9, "A time limit was reached; the job can be resumed."},
    CodeLine{10, "Another instance holds the data."},
    CodeLine{11, "verify found a different result."},
    CodeLine{73, "The output cannot be written: folder not writable, disk full."},
    CodeLine{130, "Interrupted (Ctrl-C)."},
    CodeLine{143, "Terminated (SIGTERM)."},
};

}  // namespace

std::string man_page() {
  std::string out = fmt::format(
      ".\\\" Made from the table of options by: rubato-cli completions man\n"
      ".TH RUBATO\\-CLI 1 \"\" \"Rubato {}\" \"User Commands\"\n"
      ".SH NAME\nrubato\\-cli \\- render video from a sentence on this machine\n"
      ".SH SYNOPSIS\n.B rubato\\-cli\n.I COMMAND\n[\\fIflags\\fR]\n"
      ".SH DESCRIPTION\n"
      "Results (paths, tables, JSON) go to standard output, everything said to people goes to standard error.\n"
      "With \\fB\\-\\-progress=json\\fR standard output is one JSON object a line and nothing else.\n",
      roff(kVersion));
  out += ".SH COMMANDS\n";
  for (const auto* command : commands()) {
    out += fmt::format(".SS {}\n{}.\n", roff(usage_line(*command)), roff(command->summary));
    for (const auto& paragraph : split(command->text, '\n'))
      if (!paragraph.empty()) out += fmt::format(".PP\n{}\n", roff(paragraph));
    for (const auto& p : command->positionals) out += entry(fmt::format("\\fI{}\\fR", roff(p.name)), p.help);
    for (const auto& option : all_options(*command))
      if (!is_common(option)) out += option_entry(option);
    for (const auto& example : command->examples)
      out += fmt::format(".PP\n{}:\n.PP\n.nf\n.RS\n{}\n.RE\n.fi\n", roff(example.what), roff(example.line));
  }
  out += ".SH COMMON OPTIONS\n";
  for (const auto& option : all_options(*commands().front()))
    if (is_common(option)) out += option_entry(option);
  out += ".SH EXIT STATUS\n";
  for (const auto& [code, meaning] : kExitCodes) out += entry(fmt::format("\\fB{}\\fR", code), meaning);
  out +=
      ".SH SIGNALS\n"
      "The first Ctrl\\-C stops a render after the current step and keeps what is needed to continue; the second "
      "kills\n"
      "the engine; the third leaves at once. SIGTERM is the first with a limit of ten seconds.\n";
  out += ".SH FILES\n";
  out += entry("\\fI$XDG_CONFIG_HOME/rubato/folders.json\\fR", "The folders in which models are looked for.");
  out += entry("\\fIOUT.rubato\\-partial/\\fR", "Unfinished work beside an output; the same command continues it.");
  return out;
}

}  // namespace rubato::cli
