#include "engine/files/weight_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/base/json.h"
#include "engine/files/pipeline_folder.h"
#include "engine/files/problem_list.h"
#include "engine/files/weight_kind.h"

namespace rubato {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr std::size_t kMaxShards = 1000;
constexpr std::uint64_t kMaxIndex = 64u << 20;  // 200,000 names with their shard

bool ends_with(std::string_view text, std::string_view tail) { return text.ends_with(tail); }

// model.safetensors.index.json, and with a variant model.safetensors.index.fp16.json.
bool is_index_name(std::string_view name) {
  return name.find(".safetensors.index.") != std::string_view::npos && ends_with(name, ".json");
}

// "model-00002-of-00005.safetensors"
bool is_shard_name(std::string_view name) {
  const auto of = name.find("-of-");
  return of != std::string_view::npos && of >= 5 &&
         std::all_of(name.begin() + static_cast<std::ptrdiff_t>(of) - 5, name.begin() + static_cast<std::ptrdiff_t>(of),
                     [](char c) { return c >= '0' && c <= '9'; });
}

// The plain names, in order of preference.
constexpr std::string_view kStems[] = {"diffusion_pytorch_model", "model", "pytorch_model"};

std::uint64_t size_on_disk(const fs::path& path) {
  std::error_code failed;
  const auto size = fs::file_size(path, failed);
  return failed ? 0 : static_cast<std::uint64_t>(size);
}

Result<WeightFiles> single_file(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored))  // listed, but a link: a hub cache links to blobs before they are there
    return Error{ErrorCode::ModelMissing,
                 fmt::format("{} is a link that leads nowhere (its download did not finish)", path.string())};
  return WeightFiles{{}, {path}, {}, size_on_disk(path)};
}

Result<WeightFiles> sharded(const fs::path& index) {
  RUBATO_TRY(text, read_file(index, kMaxIndex));
  JsonLimits limits;
  limits.max_bytes = kMaxIndex;
  limits.max_depth = 8;
  RUBATO_TRY(root, parse_json(text, index.string(), limits, ErrorCode::ModelUnfit));
  const auto unfit = [&](std::string why) {
    return Error{ErrorCode::ModelUnfit, fmt::format("{} {}", index.string(), why)};
  };
  const auto map = root.is_object() ? root.find("weight_map") : root.end();
  if (!root.is_object() || map == root.end() || !map->is_object() || map->empty()) return unfit("has no weight_map");

  WeightFiles found;
  found.index = index;
  std::set<std::string> names;
  ProblemList bad;
  for (const auto& [tensor, file] : map->items()) {
    if (!file.is_string()) {
      bad.add(fmt::format("'{}' names no file", shown_name(tensor)));
      continue;
    }
    const auto& name = file.get_ref<const std::string&>();
    if (name.empty() || name == "." || name == ".." ||
        name.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos) {
      bad.add(fmt::format("'{}' lies in '{}', which is not a plain file name", shown_name(tensor), shown_name(name)));
      continue;
    }
    names.insert(name);
    found.weight_map.emplace(tensor, name);
  }
  if (!bad.empty()) return bad.error(ErrorCode::ModelUnfit, index.string());
  if (names.size() > kMaxShards)
    return unfit(fmt::format("names {} files; at most {} are allowed", names.size(), kMaxShards));

  ProblemList missing;
  for (const auto& name : names) {
    const fs::path file = index.parent_path() / name;
    std::error_code ignored;
    if (fs::exists(file, ignored)) {
      found.files.push_back(file);
      found.bytes += size_on_disk(file);
    } else {
      missing.add(file.string());
    }
  }
  if (!missing.empty())
    return missing.error(ErrorCode::ModelMissing, fmt::format("{} of the {} files that {} names are missing",
                                                              missing.count(), names.size(), index.string()));
  return found;
}

// What a folder holds that could be weights.
struct Listing {
  std::vector<std::string> safetensors, indexes, refused;
};

Result<Listing> list_folder(const fs::path& folder) {
  Listing found;
  std::error_code failed;
  fs::directory_iterator entries(folder, failed);
  if (failed)
    return Error{ErrorCode::CannotRead,
                 fmt::format("cannot read the folder {}: {}", folder.string(), failed.message())};
  for (; entries != fs::directory_iterator(); entries.increment(failed)) {
    const std::string name = entries->path().filename().string();
    if (name.starts_with(".")) continue;
    if (is_index_name(name)) {
      found.indexes.push_back(name);
    } else if (ends_with(name, ".safetensors")) {
      found.safetensors.push_back(name);
    } else if (ends_with(name, ".bin") || ends_with(name, ".pt") || ends_with(name, ".pth") ||
               ends_with(name, ".ckpt") || ends_with(name, ".gguf")) {
      found.refused.push_back(name);
    }
    if (failed) break;
  }
  for (auto* list : {&found.safetensors, &found.indexes, &found.refused}) std::sort(list->begin(), list->end());
  return found;
}

bool has(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

Result<WeightFiles> find_in_folder(const fs::path& folder) {
  RUBATO_TRY(found, list_folder(folder));
  for (const auto stem : kStems) {
    const std::string plain = fmt::format("{}.safetensors", stem);
    if (const auto index = plain + ".index.json"; has(found.indexes, index)) return sharded(folder / index);
    if (has(found.safetensors, plain)) return single_file(folder / plain);
  }
  // Nothing under a plain name: a variant, if it leaves no choice.
  std::vector<std::string> whole, shards;
  for (const auto& name : found.safetensors) (is_shard_name(name) ? shards : whole).push_back(name);
  if (found.indexes.size() == 1 && whole.empty()) return sharded(folder / found.indexes[0]);
  if (found.indexes.empty() && whole.size() == 1 && shards.empty()) return single_file(folder / whole[0]);
  std::vector<std::string> choices = found.indexes;
  choices.insert(choices.end(), whole.begin(), whole.end());
  if (!choices.empty()) {
    return Error{
        ErrorCode::ModelUnfit,
        fmt::format("{} holds several versions of its weights ({}); keep one of them, or name one model.safetensors",
                    folder.string(), list_names(choices))};
  }
  if (!shards.empty())
    return Error{ErrorCode::ModelMissing,
                 fmt::format("{} holds {} shards such as {} but no *.safetensors.index.json; fetch the index too",
                             folder.string(), shards.size(), shards[0])};
  for (const auto& name : found.refused) {
    RUBATO_TRY(kind, sniff_weight_file(folder / name));
    if (kind == WeightKind::Safetensors) return single_file(folder / name);  // content decides
    if (kind != WeightKind::Unknown) return refuse_weights(kind, folder / name);
  }
  return Error{ErrorCode::ModelMissing, fmt::format("{} (or model.safetensors beside it) is missing",
                                                    (folder / "diffusion_pytorch_model.safetensors").string())};
}

}  // namespace

Result<WeightFiles> find_weights(const fs::path& path) {
  std::error_code ignored;
  const auto status = fs::status(path, ignored);
  if (!fs::exists(status)) return Error{ErrorCode::ModelMissing, fmt::format("{} does not exist", path.string())};
  if (fs::is_directory(status)) return find_in_folder(path);
  if (is_index_name(path.filename().string())) return sharded(path);
  return single_file(path);
}

Result<> check_weight_files(const PipelineFolder& pipeline) {
  ProblemList damaged;
  for (const auto& [name, component] : pipeline.components) {
    if (!component.has_weights()) continue;
    auto weights = WeightSet::open(component.folder);
    if (!weights && weights.error().code != ErrorCode::ModelUnfit) return std::move(weights).error();
    if (!weights) damaged.add(weights.error().message);
  }
  return damaged.empty() ? Result<>() : damaged.error(ErrorCode::ModelUnfit, pipeline.root.string());
}

Result<WeightSet> WeightSet::open(const fs::path& path) {
  RUBATO_TRY(found, find_weights(path));
  WeightSet set;
  if (found.index.empty()) {
    RUBATO_TRY(file, SafetensorsFile::open(found.files.front()));
    const auto shared = std::make_shared<const SafetensorsFile>(std::move(file));
    for (const auto& [name, info] : shared->tensors())
      set.entries_.emplace_hint(set.entries_.end(), name, Entry{shared, info});
    set.files_.push_back(shared);
  } else {
    ProblemList problems;
    std::map<std::string, std::shared_ptr<const SafetensorsFile>> shards;
    for (const auto& file : found.files) {
      auto opened = SafetensorsFile::open(file);
      if (!opened.ok()) {
        problems.add(opened.error().message);
        continue;
      }
      const auto shared = std::make_shared<const SafetensorsFile>(std::move(opened).value());
      shards.emplace(file.filename().string(), shared);
      set.files_.push_back(shared);
    }
    // Tensors of a shard that the index does not name are left out: the index says what the model is.
    for (const auto& [name, file] : found.weight_map) {
      const auto shard = shards.find(file);
      if (shard == shards.end()) continue;  // named above
      if (const TensorInfo* info = shard->second->find(name)) {
        set.entries_.emplace_hint(set.entries_.end(), name, Entry{shard->second, *info});
      } else {
        problems.add(fmt::format("tensor '{}' is not in {}", shown_name(name), file));
      }
    }
    if (!problems.empty()) return problems.error(ErrorCode::ModelUnfit, found.index.string());
  }
  for (const auto& [name, entry] : set.entries_) set.total_bytes_ += entry.info.bytes();
  return set;
}

const WeightSet::Entry* WeightSet::find(const std::string& name) const {
  const auto at = entries_.find(name);
  return at == entries_.end() ? nullptr : &at->second;
}

}  // namespace rubato
