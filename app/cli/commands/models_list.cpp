// models list: the models in the remembered folders and the practice models that come with Rubato.
#include <nlohmann/json.hpp>

#include "app/cli/models.h"
#include "app/cli/places.h"

namespace rubato::cli {
namespace {

std::vector<Option> options() {
  return {{.name = "names", .help = "Print the names alone, one a line"}, models_dir_option()};
}

Result<> run(const Context& context) {
  RUBATO_TRY(where, model_folders(context.folders, context.args));
  const auto scan = scan_all(where);
  if (context.args.has("names")) {
    for (const auto& model : scan.models) context.out.result(printable(model.name, Lines::Escape));
    return {};
  }
  if (context.args.has("json")) {
    context.out.json(to_json(scan));
    return {};
  }
  for (const auto& problem : scan.problems) context.out.warn(problem);
  if (scan.models.empty())
    context.out.say("No models found. 'rubato-cli models scan DIR' adds the folder that holds yours.");
  else
    context.out.result(model_table(scan).text());
  return {};
}

}  // namespace

const Command kModelsList{
    .path = "models list",
    .summary = "List the models that can be used by name",
    .options = options,
    .prints_json = true,
    .run = run,
};

}  // namespace rubato::cli
