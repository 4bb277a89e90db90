#include "engine/files/pipeline_folder.h"

#include <fmt/format.h>

#include "engine/base/files.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/files/problem_list.h"
#include "engine/files/weight_set.h"

namespace rubato {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr std::uint64_t kMaxConfig = 16u << 20;  // tokenizer_config.json of a large vocabulary takes megabytes
constexpr std::size_t kMaxComponents = 64;

// What kind of part a class is, by the words that diffusers and transformers put into its name.
enum class PartKind { Model, Scheduler, Tokenizer, Processor };

PartKind kind_of(std::string_view class_name) {
  const auto contains = [&](std::string_view word) { return class_name.find(word) != std::string_view::npos; };
  if (contains("Scheduler")) return PartKind::Scheduler;
  if (contains("Tokenizer")) return PartKind::Tokenizer;
  if (contains("Processor") || contains("FeatureExtractor")) return PartKind::Processor;
  return PartKind::Model;
}

Result<json> read_object(const fs::path& path) {
  RUBATO_TRY(text, read_file(path, kMaxConfig));
  RUBATO_TRY(root, parse_json(text, path.string(), {}, ErrorCode::ModelUnfit));
  if (!root.is_object()) return Error{ErrorCode::ModelUnfit, fmt::format("{} is not a JSON object", path.string())};
  return root;
}

// A component's name becomes a folder name, so it may hold nothing else.
bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
}

void list_missing(const PipelineFolder::Component& part, std::vector<PipelineFolder::Missing>& missing) {
  const auto lacks = [&](std::string what) { missing.push_back({part.name, std::move(what)}); };
  const auto exists = [](const fs::path& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
  };
  if (!exists(part.folder)) {
    lacks(fmt::format("the folder {} ({}) is missing", part.folder.string(), part.class_name));
    return;
  }
  const auto kind = kind_of(part.class_name);
  // Older tokenizers lack tokenizer_config.json and processors have had several names; models and schedulers need
  // theirs.
  if ((kind == PartKind::Model || kind == PartKind::Scheduler) && !exists(part.config_path()))
    lacks(fmt::format("{} is missing", part.config_path().string()));
  if (kind == PartKind::Tokenizer) {
    bool any = false;
    for (const auto* name :
         {"tokenizer.json", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model", "vocab.json", "vocab.txt"})
      any = any || exists(part.folder / name);
    if (!any)
      lacks(fmt::format("{} (or spiece.model beside it) is missing", (part.folder / "tokenizer.json").string()));
  }
  if (kind == PartKind::Model) {
    if (const auto found = find_weights(part.folder); !found.ok()) lacks(found.error().message);
  }
}

}  // namespace

fs::path PipelineFolder::Component::config_path() const {
  switch (kind_of(class_name)) {
    case PartKind::Scheduler:
      return folder / "scheduler_config.json";
    case PartKind::Tokenizer:
      return folder / "tokenizer_config.json";
    case PartKind::Processor:
      return folder / "preprocessor_config.json";
    case PartKind::Model:
      break;
  }
  return folder / "config.json";
}

bool PipelineFolder::Component::has_weights() const { return kind_of(class_name) == PartKind::Model; }

Result<PipelineFolder> PipelineFolder::open_incomplete(const fs::path& given, std::vector<Missing>& missing) {
  PipelineFolder pipeline;
  pipeline.root = given.filename() == "model_index.json" ? given.parent_path() : given;
  std::error_code ignored;
  if (fs::is_regular_file(pipeline.root, ignored))
    return Error{ErrorCode::ModelUnfit,
                 fmt::format("{} is a single file; name a diffusers pipeline folder, the one with model_index.json",
                             pipeline.root.string())};
  if (!fs::is_directory(pipeline.root.empty() ? fs::path(".") : pipeline.root, ignored))
    return Error{ErrorCode::ModelMissing, fmt::format("there is no model folder {}", pipeline.root.string())};
  const fs::path file = pipeline.root / "model_index.json";
  if (!fs::exists(file, ignored))
    return Error{ErrorCode::ModelMissing, fmt::format("{} is missing: {} is not a diffusers pipeline folder",
                                                      file.string(), pipeline.root.string())};
  RUBATO_TRY(index, read_object(file));
  pipeline.index = std::move(index);

  const auto unfit = [&](std::string why) {
    return Error{ErrorCode::ModelUnfit, fmt::format("{} {}", file.string(), why)};
  };
  const auto class_name = pipeline.index.find("_class_name");
  if (class_name == pipeline.index.end() || !class_name->is_string()) return unfit("has no _class_name");
  pipeline.class_name = class_name->get<std::string>();

  // A component is a pair [library, class]; everything else (numbers, flags, `_` keys) is the pipeline's own setting.
  for (const auto& [name, value] : pipeline.index.items()) {
    if (name.starts_with("_") || !value.is_array() || value.size() != 2) continue;
    if (value[0].is_null() || value[1].is_null()) continue;
    if (!value[0].is_string() || !value[1].is_string()) continue;
    if (!is_plain_name(name))
      return unfit(fmt::format("has a component called '{}', which is not a folder name", shown_name(name)));
    pipeline.components.emplace(
        name, Component{name, value[0].get<std::string>(), value[1].get<std::string>(), pipeline.root / name});
  }
  if (pipeline.components.empty()) return unfit("names no components");
  if (pipeline.components.size() > kMaxComponents)
    return unfit(
        fmt::format("names {} components; at most {} are allowed", pipeline.components.size(), kMaxComponents));
  for (const auto& [name, part] : pipeline.components) list_missing(part, missing);
  return pipeline;
}

Result<PipelineFolder> PipelineFolder::open(const fs::path& root) {
  std::vector<Missing> missing;
  RUBATO_TRY(pipeline, open_incomplete(root, missing));
  if (missing.empty()) return pipeline;
  std::vector<std::string> lines;
  lines.reserve(missing.size());
  for (auto& lack : missing) lines.push_back(std::move(lack.what));
  return Error{ErrorCode::ModelMissing,
               fmt::format("the model {} is not complete: {}", pipeline.root.string(), join(lines, "; "))};
}

const PipelineFolder::Component* PipelineFolder::find(std::string_view name) const {
  const auto at = components.find(std::string(name));
  return at == components.end() ? nullptr : &at->second;
}

Result<json> PipelineFolder::config(std::string_view component) const {
  const Component* part = find(component);
  if (part == nullptr) {
    std::vector<std::string> names;
    names.reserve(components.size());
    for (const auto& [name, ignored] : components) names.push_back(name);
    return Error{ErrorCode::ModelMissing,
                 fmt::format("the model {} has no '{}'; it has {}", root.string(), component, join(names, ", "))};
  }
  return read_object(part->config_path());
}

Result<std::uint64_t> PipelineFolder::weight_bytes(std::string_view component) const {
  const Component* part = find(component);
  if (part == nullptr || !part->has_weights()) return std::uint64_t{0};
  RUBATO_TRY(found, find_weights(part->folder));
  return found.bytes;
}

}  // namespace rubato
