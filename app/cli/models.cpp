#include "app/cli/models.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/base/text.h"

namespace rubato::cli {
namespace fs = std::filesystem;

ModelScan scan_all(const ModelFolders& where) {
  auto folders = where.folders;
  if (!where.practice.empty()) folders.push_back(where.practice);
  return scan_models(folders, where.cache);
}

nlohmann::json to_json(const ModelEntry& model) {
  nlohmann::json parts = nlohmann::json::array();
  for (const auto& part : model.parts) {
    nlohmann::json one{{"name", part.name}, {"bytes", part.weight_bytes}};
    if (part.missing.empty())
      one["path"] = part.path.string();
    else
      one["missing"] = part.missing;
    parts.push_back(std::move(one));
  }
  return {{"name", model.name},
          {"title", model.title},
          {"family", model.family},
          {"kind", model.kind},
          {"form", model.form == ModelEntry::Form::PipelineFolder ? "folder" : "files"},
          {"path", model.root.string()},
          {"bytes", model.bytes},
          {"complete", model.complete()},
          {"practice", model.practice},
          {"parts", std::move(parts)},
          {"problems", model.problems}};
}

nlohmann::json to_json(const ModelScan& scan) {
  nlohmann::json models = nlohmann::json::array();
  for (const auto& model : scan.models) models.push_back(to_json(model));
  return {{"models", std::move(models)}, {"problems", scan.problems}, {"files", scan.files}};
}

std::string state_text(const ModelEntry& model) {
  std::vector<std::string> missing;
  for (const auto& part : model.parts)
    if (!part.missing.empty()) missing.push_back(part.name);
  if (!missing.empty()) return fmt::format("{} missing", join(missing, ", "));
  return model.problems.empty() ? "complete" : "damaged";
}

Table model_table(const ModelScan& scan) {
  Table table({"NAME", "KIND", "SIZE", "STATE", "WHERE"});
  for (const auto& model : scan.models)
    table.add({model.name, model.practice ? model.kind + " (practice)" : model.kind, human_bytes(model.bytes),
               state_text(model), model.root.string()});
  return table;
}

Result<ModelEntry> find_model(const std::string& name_or_path, const ModelFolders& where) {
  std::error_code failed;
  if (fs::exists(name_or_path, failed)) {
    const auto root = fs::weakly_canonical(name_or_path, failed);
    const bool folder = fs::is_directory(root, failed);
    const std::vector<fs::path> only{folder ? root : root.parent_path()};
    auto scan = scan_models(only, where.cache);
    for (auto& model : scan.models)
      if (fs::weakly_canonical(model.root, failed) == root) return std::move(model);
    if (folder && scan.models.size() == 1) return std::move(scan.models.front());
    // A file is answered for by itself, not by its neighbours.
    for (const auto& problem : scan.problems)
      if (folder || problem.starts_with(root.string() + " ")) return Error{ErrorCode::ModelUnfit, problem};
    return Error{ErrorCode::ModelMissing, fmt::format("{} {} that Rubato knows: expected a folder with "
                                                      "model_index.json, or weights in safetensors files",
                                                      name_or_path, folder ? "holds no model" : "is no model")};
  }
  auto scan = scan_all(where);
  std::vector<std::string> names;
  for (auto& model : scan.models) {
    if (model.name == name_or_path) return std::move(model);
    names.push_back(model.name);
  }
  const auto near = nearest_name(name_or_path, names);
  if (near)
    return Error{ErrorCode::ModelMissing,
                 fmt::format("there is no model '{}'; did you mean '{}'?", name_or_path, *near)};
  return Error{ErrorCode::ModelMissing, fmt::format("there is no model '{}'; 'rubato-cli models list' shows what there "
                                                    "is, 'rubato-cli models scan DIR' adds a folder",
                                                    name_or_path)};
}

}  // namespace rubato::cli
