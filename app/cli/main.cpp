// rubato-cli: the terminal of Rubato. Finds the command, reads its flags, runs it and turns its error into an
// exit code. It links neither libtorch nor FFmpeg; the work happens in rubato-worker and rubato-media.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string_view>

#include "app/cli/command.h"
#include "app/cli/help.h"
#include "app/cli/output.h"
#include "engine/base/guard.h"
#include "engine/base/log.h"
#include "engine/base/version.h"

namespace rubato::cli {
namespace {

bool asks_for_help(std::string_view word) { return word == "--help" || word == "-h" || word == "help"; }

// --data-dir moves all folders; the environment carries it to the worker as well.
Result<UserFolders> folders_for(const Arguments& args) {
  if (const auto dir = args.value("data-dir")) {
    const auto root = std::filesystem::absolute(*dir);
    if (std::error_code failed; !std::filesystem::create_directories(root, failed) && failed)
      return Error{ErrorCode::CannotWrite, fmt::format("--data-dir {}: {}", *dir, failed.message())};
    for (const auto& [variable, name] : {std::pair{"XDG_CONFIG_HOME", "config"},
                                         {"XDG_DATA_HOME", "data"},
                                         {"XDG_STATE_HOME", "state"},
                                         {"XDG_CACHE_HOME", "cache"}})
      ::setenv(variable, (root / name).c_str(), 1);
  }
  return UserFolders::from_environment();
}

// A command that renders or writes, and does not only tell what there is.
bool shows_progress(const Command& command) {
  const auto options = all_options(command);
  return std::any_of(options.begin(), options.end(), [](const Option& option) { return option.name == "progress"; });
}

Result<> run_command(const Command& command, const Arguments& args, Output& out) {
  const auto level = args.count("verbose") >= 2   ? LogLevel::Debug
                     : args.count("verbose") == 1 ? LogLevel::Info
                     : args.has("quiet")          ? LogLevel::Error
                                                  : LogLevel::Warn;
  RUBATO_OK(configure_log(level, args.value_or("log", "")));
  RUBATO_TRY(folders, folders_for(args));
  RUBATO_OK(guard([&] { return command.run(Context{args, out, folders}); }));
  // Who looks at a list may stop looking; the path of a finished clip must arrive.
  if (out.reader_left() && !shows_progress(command)) return {};
  return out.finish();
}

// The exit code; the sentence about an error has been printed.
int run(std::span<const char* const> words) {
  Output out(/*quiet=*/false);
  const auto failed = [](const Error& error, std::string_view hint = {}) {
    Output(false).error(hint.empty() ? error.message : fmt::format("{} ({})", error.message, hint));
    return exit_code(error.code);
  };
  const auto print = [&](std::string_view text) {
    out.result(text.substr(0, text.find_last_not_of('\n') + 1));
    const auto done = out.finish();
    return done.ok() || out.reader_left() ? 0 : failed(done.error());
  };
  // "help models list" is "models list --help".
  const bool help = !words.empty() && asks_for_help(words[0]);
  if (help) words = words.subspan(1);
  if (help && words.empty()) return print(program_help());
  if (!words.empty() && std::string_view(words[0]) == "--version")
    return print(fmt::format("rubato-cli {} ({})", kVersion, kGitRevision));
  if (!words.empty() && is_group(words[0]) && (words.size() == 1 ? help : asks_for_help(words[1])))
    return print(group_help(words[0]));

  const auto found = find_command(words);
  if (!found) return failed(found.error());
  const auto& command = *found->command;
  if (help) return print(command_help(command));
  const auto options = all_options(command);
  const auto args = parse_arguments(words.subspan(found->words), options, command.positionals);
  if (!args) return failed(args.error(), fmt::format("rubato-cli {} --help", command.path));
  if (args->has("help")) return print(command_help(command));

  Output chosen(args->has("quiet"));
  const auto done = run_command(command, *args, chosen);
  return done.ok() ? 0 : failed(done.error());
}

}  // namespace
}  // namespace rubato::cli

int main(int argc, char** argv) {
  // A reader that goes away must not end a render; writes report it instead. A handler, unlike SIG_IGN, is not
  // handed on to child processes.
  std::signal(SIGPIPE, [](int) {});
  const std::span<const char* const> words(argv + (argc > 0 ? 1 : 0),
                                           static_cast<std::size_t>(argc > 0 ? argc - 1 : 0));
  const auto code = rubato::guard([&]() -> rubato::Result<int> { return rubato::cli::run(words); });
  if (code) return *code;
  rubato::cli::Output(false).error(code.error().message);
  return rubato::exit_code(code.error().code);
}
