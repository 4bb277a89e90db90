// models scan: remembers folders and shows the models in them.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/cli/models.h"
#include "app/cli/places.h"

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

Result<> run(const Context& context) {
  RUBATO_TRY(folders, remembered_folders(context.folders));
  const auto before = folders;
  for (const auto& word : context.args.positionals()) {
    std::error_code failed;
    if (!fs::is_directory(word, failed))
      return Error{ErrorCode::Usage, fmt::format("{} is not a folder; give the folder that holds your models", word)};
    const auto folder = fs::canonical(word, failed);
    if (std::find(folders.begin(), folders.end(), folder) == folders.end()) folders.push_back(folder);
  }
  for (const auto& word : context.args.values("forget")) {
    const auto folder = fs::weakly_canonical(fs::absolute(word));
    if (std::erase(folders, folder) == 0)
      return Error{ErrorCode::Usage, fmt::format("{} is not among the remembered folders", folder.string())};
  }
  if (folders != before) RUBATO_OK(remember_folders(context.folders, folders));

  RUBATO_TRY(where, model_folders(context.folders, context.args));
  const auto scan = scan_all(where);
  if (context.args.has("json")) {
    auto json = to_json(scan);
    json["folders"] = nlohmann::json::array();
    for (const auto& folder : where.folders) json["folders"].push_back(folder.string());
    context.out.json(json);
    return {};
  }
  if (!scan.models.empty()) context.out.result(model_table(scan).text());
  for (const auto& problem : scan.problems) context.out.warn(problem);
  for (const auto& model : scan.models)
    if (!model.complete() || !model.problems.empty()) context.out.say(model.summary());
  context.out.say(fmt::format("{} model{} in {} folder{}, {} files looked at", scan.models.size(),
                              scan.models.size() == 1 ? "" : "s", where.folders.size(),
                              where.folders.size() == 1 ? "" : "s", scan.files));
  return {};
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
