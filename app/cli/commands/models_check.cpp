// models check: are all parts there, undamaged, and do they belong together?
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/cli/model_shapes.h"
#include "app/cli/models.h"
#include "app/cli/places.h"
#include "engine/base/text.h"
#include "engine/files/content_hash.h"
#include "engine/files/model_card.h"
#include "engine/files/pipeline_folder.h"
#include "engine/files/tokenizer.h"
#include "engine/files/weight_set.h"

namespace rubato::cli {
namespace {

using nlohmann::json;

struct Check {
  std::string what;  // "vae: shapes"
  std::vector<std::string> problems;
  std::string note;  // when there is no problem: "194 tensors"
};

Check check_weights(const PipelineFolder& pipeline, const PipelineFolder::Component& component) {
  Check check{.what = component.name, .problems = {}, .note = {}};
  const auto weights = WeightSet::open(component.folder);
  if (!weights) {
    check.problems.push_back(weights.error().message);
    return check;
  }
  const auto config = pipeline.config(component.name);
  if (!config) {
    check.problems.push_back(config.error().message);
    return check;
  }
  bool known = false;
  check.problems = check_shapes(component.class_name, *config, *weights, known);
  check.note = fmt::format("{} tensors, {}{}", weights->entries().size(), human_bytes(weights->total_bytes()),
                           known ? ", shapes agree with config.json"
                                 : fmt::format("; the shapes of a {} are not known here", component.class_name));
  return check;
}

Check check_tokenizer(const PipelineFolder& pipeline, const PipelineFolder::Component& component) {
  Check check{.what = component.name, .problems = {}, .note = {}};
  const auto tokenizer = Tokenizer::load(component.folder, component.class_name);
  if (!tokenizer) {
    check.problems.push_back(tokenizer.error().message);
    return check;
  }
  const auto words = (*tokenizer)->vocab_size();
  check.note = fmt::format("{} tokens", words);
  // A tokenizer with more ids than the encoder has rows belongs to another model.
  if (const auto config = pipeline.config("text_encoder");
      config && config->contains("vocab_size") && (*config)["vocab_size"].is_number_unsigned())
    if (const auto rows = (*config)["vocab_size"].get<std::uint64_t>(); words > rows)
      check.problems.push_back(fmt::format(
          "the tokenizer has {} tokens, but the text encoder knows only {}: it belongs to another model", words, rows));
  return check;
}

std::vector<Check> check_folder(const ModelEntry& model) {
  std::vector<Check> checks;
  std::vector<PipelineFolder::Missing> missing;
  const auto pipeline = PipelineFolder::open_incomplete(model.root, missing);
  if (!pipeline) return {{.what = "folder", .problems = {pipeline.error().message}, .note = {}}};
  Check parts{.what = "parts", .problems = {}, .note = fmt::format("{} parts", pipeline->components.size())};
  for (const auto& one : missing) parts.problems.push_back(one.what);
  checks.push_back(std::move(parts));
  for (const auto& [name, component] : pipeline->components) {
    std::error_code failed;
    if (!std::filesystem::is_directory(component.folder, failed)) continue;  // named as missing above
    if (component.has_weights())
      checks.push_back(check_weights(*pipeline, component));
    else if (name.starts_with("tokenizer"))
      checks.push_back(check_tokenizer(*pipeline, component));
  }
  return checks;
}

std::vector<Check> check_files(const ModelEntry& model) {
  std::vector<Check> checks;
  for (const auto& part : model.parts) {
    Check check{.what = part.name, .problems = {}, .note = {}};
    if (!part.missing.empty()) {
      check.problems.push_back(part.lack());
    } else if (part.weight_bytes > 0) {
      const auto weights = WeightSet::open(part.path);
      if (weights)
        check.note = fmt::format("{} tensors, {}", weights->entries().size(), human_bytes(weights->total_bytes()));
      else
        check.problems.push_back(weights.error().message);
    }
    checks.push_back(std::move(check));
  }
  return checks;
}

Check check_sums(const ModelEntry& model) {
  Check check{.what = "checksums", .problems = {}, .note = "none are given with this model"};
  const auto card = ModelCard::load(model.root);
  if (!card)
    check.problems.push_back(card.error().message);
  else if (*card && !(*card)->checksums.empty()) {
    check.problems = (*card)->verify_checksums(model.root);
    check.note = fmt::format("{} files agree", (*card)->checksums.size());
  }
  return check;
}

Result<> run(const Context& context) {
  RUBATO_TRY(where, model_folders(context.folders, context.args));
  RUBATO_TRY(model, find_model(context.args.positionals()[0], where));
  const bool folder = model.form == ModelEntry::Form::PipelineFolder;
  auto checks = folder ? check_folder(model) : check_files(model);
  if (folder) checks.push_back(check_sums(model));

  std::size_t problems = 0;
  for (const auto& check : checks) problems += check.problems.size();
  std::string hash;
  if (folder && problems == 0)
    if (const auto pipeline = PipelineFolder::open(model.root))
      if (const auto content = model_content_hash(*pipeline, where.cache)) hash = *content;

  if (context.args.has("json")) {
    json list = json::array();
    for (const auto& check : checks)
      list.push_back({{"what", check.what}, {"problems", check.problems}, {"note", check.note}});
    context.out.json({{"name", model.name},
                      {"path", model.root.string()},
                      {"sound", problems == 0},
                      {"content_hash", hash},
                      {"checks", std::move(list)}});
  } else {
    for (const auto& check : checks) {
      if (check.problems.empty()) context.out.result(printable(fmt::format("ok    {:<14} {}", check.what, check.note)));
      for (const auto& problem : check.problems)
        context.out.result(printable(fmt::format("fail  {:<14} {}", check.what, problem)));
    }
    if (!hash.empty()) context.out.result(fmt::format("      {:<14} {}", "content hash", hash));
  }
  if (problems > 0)
    return Error{ErrorCode::ModelUnfit, fmt::format("{} has {} problem{}; fetch the named files again", model.name,
                                                    problems, problems == 1 ? "" : "s")};
  return {};
}

}  // namespace

const Command kModelsCheck{
    .path = "models check",
    .summary = "Check that a model's parts are there, undamaged and belong together",
    .text =
        "Reads every header, compares shapes with the configurations, and compares checksums where the model's card "
        "gives them.",
    .options = [] { return std::vector<Option>{models_dir_option()}; },
    .positionals = {{.name = "MODEL", .help = "The name or folder of a model", .offer = Offer::Models}},
    .prints_json = true,
    .run = run,
};

}  // namespace rubato::cli
