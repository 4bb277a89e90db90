// models scan: remembers folders and shows the models in them.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/cli/models.h"
#include "app/cli/places.h"
#include "engine/base/text.h"

namespace rubato::cli {
namespace fs = std::filesystem;
namespace {

std::vector<Option> options() {
  return {{.name = "forget",
           .value = "DIR",
           .help = "Look in DIR no longer; nothing is deleted",
           .offer = Offer::Folders,
           .repeatable = true}};
}

// A folder to look through, by its real name. CannotRead or Usage when it cannot be looked through.
Result<fs::path> folder_named(const std::string& word) {
  std::error_code failed;
  if (!fs::is_directory(word, failed))
    return Error{ErrorCode::Usage,
                 fmt::format("{} {}; give the folder that holds your models", printable(word, Lines::Escape),
                             fs::exists(word, failed) ? "is not a folder" : "is not there")};
  const auto folder = fs::canonical(word, failed);
  if (!is_printable_name(folder.string()))
    return Error{ErrorCode::Usage, fmt::format("{} cannot be remembered: its name holds control characters or is not "
                                               "UTF-8; rename it",
                                               printable(folder.string(), Lines::Escape))};
  if (::access(folder.c_str(), R_OK | X_OK) != 0)
    return Error{ErrorCode::CannotRead,
                 fmt::format("the folder {} cannot be read: {}", folder.string(), std::strerror(errno))};
  return folder;
}

Result<> run(const Context& context) {
  RUBATO_TRY(folders, remembered_folders(context.folders));
  const auto before = folders;
  std::optional<Error> refused;  // a folder that is not there keeps nobody from the others
  for (const auto& word : context.args.positionals()) {
    const auto folder = folder_named(word);
    if (!folder)
      refused = Error{refused ? refused->code : folder.error().code,
                      refused ? refused->message + "\n" + folder.error().message : folder.error().message};
    else if (std::find(folders.begin(), folders.end(), *folder) == folders.end())
      folders.push_back(*folder);
  }
  if (refused && folders == before && context.args.values("forget").empty()) return *refused;
  for (const auto& word : context.args.values("forget")) {
    const auto folder = fs::weakly_canonical(fs::absolute(word));
    if (std::erase(folders, folder) > 0) continue;
    std::vector<std::string> names;
    for (const auto& known : folders) names.push_back(known.string());
    const auto near = nearest_name(folder.string(), names);
    return Error{ErrorCode::Usage,
                 fmt::format("{} is not among the remembered folders{}", printable(folder.string(), Lines::Escape),
                             near            ? fmt::format("; did you mean {}?", *near)
                             : names.empty() ? std::string("; there are none")
                                             : fmt::format("; there are {}", one_of(names)))};
  }

  RUBATO_TRY(where, model_folders(context.folders, context.args));
  where.folders = folders;
  const auto scan = scan_all(where);
  // Only now: a scan that was stopped, or that ended the program, must not happen again with every command.
  if (folders != before) RUBATO_OK(remember_folders(context.folders, folders));
  if (context.args.has("json")) {
    auto json = to_json(scan);
    json["folders"] = nlohmann::json::array();
    for (const auto& folder : where.folders) json["folders"].push_back(folder.string());
    context.out.json(json);
    return refused ? Result<>(*refused) : Result<>();
  }
  if (!scan.models.empty()) context.out.result(model_table(scan).text());
  for (const auto& problem : scan.problems) context.out.warn(problem);
  for (const auto& model : scan.models)
    if (!model.complete() || !model.problems.empty()) context.out.say(model.summary());
  context.out.say(fmt::format("{} model{} in {} folder{}, {} files looked at", scan.models.size(),
                              scan.models.size() == 1 ? "" : "s", where.folders.size(),
                              where.folders.size() == 1 ? "" : "s", scan.files));
  return refused ? Result<>(*refused) : Result<>();
}

}  // namespace

const Command kModelsScan{
    .path = "models scan",
    .summary = "Look through folders for models and remember the folders",
    .text =
        "Folders are read, never written to. Diffusers folders, Hugging Face caches and loose safetensors files are "
        "recognised by their content. Without DIR the remembered folders are looked through again.",
    .options = options,
    .positionals = {{.name = "DIR",
                     .help = "A folder with models, at any depth",
                     .offer = Offer::Folders,
                     .required = false,
                     .repeatable = true}},
    .prints_json = true,
    .examples = {{"rubato-cli models scan ~/models ~/.cache/huggingface/hub",
                  "Add two folders and show what is in them"}},
    .run = run,
};

}  // namespace rubato::cli
