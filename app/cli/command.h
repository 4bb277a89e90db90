// The table of subcommands. Each command is one file under commands/ that defines one `Command`; the table
// in command.cpp lists them, and the dispatcher, --help, man page and completions read the table.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "app/cli/options.h"
#include "engine/base/error.h"
#include "engine/base/files.h"

namespace rubato::cli {

class Output;

// What a command gets to work with.
struct Context {
  const Arguments& args;
  Output& out;
  UserFolders folders;
};

struct Example {
  std::string_view line, what;
};

struct Command {
  std::string_view path;     // "gen video"
  std::string_view summary;  // one line, no full stop
  std::string_view text;     // more, for the command's own help; may be empty
  // The command's own options, without the common ones. A function, since some come from the job schema.
  std::vector<Option> (*options)() = nullptr;
  std::vector<Positional> positionals;
  bool prints_json = false;  // offers --json
  std::vector<Example> examples;
  Result<> (*run)(const Context&) = nullptr;
};

// All commands, in the order of the help.
std::span<const Command* const> commands();

// The command's own options and those every command has.
std::vector<Option> all_options(const Command& command);

// Groups: a command of two words ("models list") belongs to the group "models".
bool is_group(std::string_view word);
std::string_view group_summary(std::string_view word);
std::vector<const Command*> commands_of(std::string_view group);

// The command that the first words name, and how many words that took. Usage error for an unknown one,
// with the nearest name.
struct Found {
  const Command* command = nullptr;
  std::size_t words = 0;
};
Result<Found> find_command(std::span<const char* const> words);

// Defined in commands/, one file each.
extern const Command kGenVideo, kQueueAdd, kQueueRun, kQueueList, kQueuePause, kQueueResume, kQueueMove, kQueueCancel,
    kQueueRetry, kQueueExport, kQueueImport, kRun, kModelsScan, kModelsList, kModelsInfo, kModelsCheck, kInspect,
    kVerify, kDoctor, kTokens, kSchema, kCompletions;

}  // namespace rubato::cli
