#include "app/cli/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/base/text.h"

namespace rubato::cli {
namespace {

struct Group {
  std::string_view name, summary;
};
constexpr std::array kGroups{
    Group{"gen", "Generate from a prompt"},
    Group{"queue", "Keep jobs in a durable queue and render it"},
    Group{"models", "Find, list and check the models on this machine"},
};

std::string_view first_word(std::string_view path) { return path.substr(0, path.find(' ')); }
std::string_view second_word(std::string_view path) {
  const auto space = path.find(' ');
  return space == std::string_view::npos ? std::string_view{} : path.substr(space + 1);
}

Error unknown(std::string_view what, std::string_view word, std::span<const std::string> candidates) {
  const auto near = nearest_name(word, candidates);
  return {ErrorCode::Usage, near ? fmt::format("unknown {} '{}'; did you mean '{}'?", what, word, *near)
                                 : fmt::format("unknown {} '{}'; there are {}", what, word, one_of(candidates))};
}

}  // namespace

std::span<const Command* const> commands() {
  static constexpr std::array kCommands{&kGenVideo,    &kRun,         &kQueueAdd,   &kQueueRun,    &kQueueList,
                                        &kQueuePause,  &kQueueResume, &kQueueMove,  &kQueueCancel, &kQueueRetry,
                                        &kQueueExport, &kQueueImport, &kModelsScan, &kModelsList,  &kModelsInfo,
                                        &kModelsCheck, &kInspect,     &kVerify,     &kDoctor,      &kTokens,
                                        &kSchema,      &kCompletions};
  return kCommands;
}

std::vector<Option> all_options(const Command& command) {
  constexpr auto kCommon = "Common";
  auto options = command.options != nullptr ? command.options() : std::vector<Option>{};
  if (command.prints_json)
    options.push_back({.name = "json", .help = "Print the result as JSON on standard output", .group = kCommon});
  options.push_back({.name = "quiet", .letter = 'q', .help = "Print errors only", .group = kCommon});
  options.push_back({.name = "verbose",
                     .letter = 'v',
                     .help = "Log more; twice for everything",
                     .group = kCommon,
                     .repeatable = true});
  options.push_back({.name = "log",
                     .value = "FILE",
                     .help = "Write the log to FILE instead of standard error",
                     .group = kCommon,
                     .offer = Offer::Files});
  options.push_back({.name = "data-dir",
                     .value = "DIR",
                     .help = "Keep settings, caches and state below DIR instead of the home folder",
                     .group = kCommon,
                     .offer = Offer::Folders});
  options.push_back({.name = "help", .letter = 'h', .help = "Show this help", .group = kCommon});
  return options;
}

bool is_group(std::string_view word) {
  return std::any_of(kGroups.begin(), kGroups.end(), [&](const Group& g) { return g.name == word; });
}

std::string_view group_summary(std::string_view word) {
  const auto it = std::find_if(kGroups.begin(), kGroups.end(), [&](const Group& g) { return g.name == word; });
  return it == kGroups.end() ? std::string_view{} : it->summary;
}

std::vector<const Command*> commands_of(std::string_view group) {
  std::vector<const Command*> found;
  for (const auto* command : commands())
    if (!second_word(command->path).empty() && first_word(command->path) == group) found.push_back(command);
  return found;
}

Result<Found> find_command(std::span<const char* const> words) {
  if (words.empty()) return Error{ErrorCode::Usage, "no command given; 'rubato-cli --help' lists them"};
  const std::string_view first = words[0];
  if (is_group(first)) {
    std::vector<std::string> names;
    for (const auto* command : commands_of(first)) names.emplace_back(second_word(command->path));
    if (words.size() < 2 || words[1][0] == '-')
      return Error{ErrorCode::Usage, fmt::format("'{}' needs one more word: {}", first, one_of(names))};
    for (const auto* command : commands_of(first))
      if (second_word(command->path) == words[1]) return Found{command, 2};
    return unknown(fmt::format("command '{}'", first), words[1], names);
  }
  std::vector<std::string> names;
  for (const auto* command : commands()) {
    if (command->path == first) return Found{command, 1};
    const std::string name(first_word(command->path));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  if (first.starts_with('-')) {
    const std::vector<std::string> flags{"--help", "--version"};
    const auto near = nearest_name(first, flags);
    return Error{ErrorCode::Usage,
                 near
                     ? fmt::format("unknown flag {}; did you mean {}?", first, *near)
                     : fmt::format("unknown flag {} before a command; 'rubato-cli --help' lists what there is", first)};
  }
  for (const auto* word : {"render", "generate", "create", "make"})
    if (first == word)
      return Error{ErrorCode::Usage, fmt::format("unknown command '{}'; did you mean 'gen video'?", word)};
  return unknown("command", first, names);
}

}  // namespace rubato::cli
