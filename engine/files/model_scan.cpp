#include "engine/files/model_scan.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <set>

#include "engine/base/files.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/files/file_cache.h"
#include "engine/files/hub_place.h"
#include "engine/files/loose_models.h"
#include "engine/files/model_card.h"
#include "engine/files/pipeline_folder.h"
#include "engine/files/weight_facts.h"
#include "engine/files/weight_set.h"

namespace rubato {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr std::size_t kMaxFiles = 2'000'000;  // beyond this someone named the root of a disk
constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxProblems = 200;

bool is_weight_name(std::string_view name) {
  for (const std::string_view tail : {".safetensors", ".sft", ".bin", ".pt", ".pth", ".ckpt", ".gguf"})
    if (name.ends_with(tail)) return true;
  return false;
}

std::string kind_of_class(std::string_view class_name) {
  const auto has = [&](std::string_view word) { return class_name.find(word) != std::string_view::npos; };
  for (const auto* word : {"Wan", "Video", "LTX", "Mochi", "AnimateDiff", "SkyReels"})
    if (has(word)) return "video";
  for (const auto* word : {"Flux", "StableDiffusion", "Image", "SDXL", "PixArt", "Sana", "Lumina", "HiDream", "Chroma"})
    if (has(word)) return "image";
  return "other";
}

// T5 and UMT5 tokenizers are Unigram models; other folders with a tokenizer.json are not of use to a Wan model.
bool is_t5_tokenizer(const fs::path& folder) {
  const auto text = read_file(folder / "tokenizer_config.json", 16u << 20);
  if (!text.ok()) {
    std::error_code ignored;
    return fs::exists(folder / "spiece.model", ignored);
  }
  const auto config = parse_json(*text, "tokenizer_config.json");
  if (!config.ok() || !config->is_object()) return false;
  const auto name = config->find("tokenizer_class");
  return name != config->end() && name->is_string() &&
         name->get_ref<const std::string&>().find("T5") != std::string::npos;
}

std::string unusable_name(const fs::path& folder, const std::string& name) {
  return fmt::format("'{}' in {} is left out: its name holds control characters or is not UTF-8; rename it",
                     printable(name, Lines::Escape), printable(folder.string(), Lines::Escape));
}

class Scanner {
 public:
  explicit Scanner(const fs::path& cache_folder)
      : cache_(cache_folder.empty() ? fs::path() : cache_folder / "model_scan.json", kWeightFactsVersion) {}

  ModelScan run(std::span<const fs::path> folders) {
    for (const auto& folder : folders) walk(folder);
    for (const auto& root : pipelines_) add_pipeline(root);
    add_loose();
    name_models();
    cache_.save();
    return std::move(scan_);
  }

 private:
  struct Pending {
    fs::path folder;
    int depth;
  };

  void walk(const fs::path& start) {
    std::error_code failed;
    const fs::path root = fs::absolute(start, failed).lexically_normal();
    if (!is_printable_name(root.string())) {
      scan_.problems.push_back(unusable_name(root.parent_path(), root.filename().string()));
      return;
    }
    if (!fs::is_directory(root, failed)) {
      scan_.problems.push_back(fmt::format("{} is not a folder that can be read", start.string()));
      return;
    }
    std::vector<Pending> pending{{root, 0}};
    while (!pending.empty()) {
      const Pending here = std::move(pending.back());
      pending.pop_back();
      if (scan_.files > kMaxFiles || here.depth > kMaxDepth) continue;
      struct stat info{};
      // One visit for each real folder: this ends loops of symbolic links and removes doubles.
      if (::stat(here.folder.c_str(), &info) != 0 || !visited_.emplace(info.st_dev, info.st_ino).second) continue;
      visit(here, pending);
    }
  }

  void visit(const Pending& here, std::vector<Pending>& pending) {
    std::vector<fs::path> folders, weights, indexes;
    bool pipeline = false, tokenizer = false, snapshots = false;
    std::error_code failed;
    fs::directory_iterator entry(here.folder, failed), end;
    for (; !failed && entry != end; entry.increment(failed)) {
      const std::string name = entry->path().filename().string();
      std::error_code ignored;
      const bool is_folder = entry->is_directory(ignored);
      if (!is_printable_name(name)) {
        if (is_folder || is_weight_name(name)) scan_.problems.push_back(unusable_name(here.folder, name));
        continue;
      }
      if (is_folder) {
        if (!name.starts_with(".") && name != "__pycache__") folders.push_back(entry->path());
        snapshots |= name == "snapshots";
        continue;
      }
      ++scan_.files;
      if (name == "model_index.json") {
        pipeline = true;
      } else if (name.find(".safetensors.index.") != std::string::npos) {
        indexes.push_back(entry->path());
      } else if (is_weight_name(name)) {
        weights.push_back(entry->path());
      } else if (name == "spiece.model" || name == "tokenizer.json") {
        tokenizer = true;
      }
    }
    if (failed)
      scan_.problems.push_back(fmt::format("the folder {} cannot be read: {}", here.folder.string(), failed.message()));
    if (pipeline) {  // what lies below belongs to the pipeline
      pipelines_.push_back(here.folder);
      return;
    }
    if (tokenizer && is_t5_tokenizer(here.folder)) tokenizers_.push_back(here.folder);
    for (auto& index : indexes) {
      auto found = find_weights(index);
      if (!found.ok()) {
        scan_.problems.push_back(found.error().message);
        continue;
      }
      LooseWeights whole{index, {}};
      for (const auto& shard : found->files) {
        whole.facts.merge(facts_of(shard));
        std::erase(weights, shard);
      }
      loose_.push_back(std::move(whole));
    }
    for (auto& file : weights) {
      auto facts = facts_of(file);
      // A .bin or .pt can be anything; only what is called safetensors must be weights.
      const auto extension = file.extension();
      if (facts.kind == WeightKind::Unknown && extension != ".safetensors" && extension != ".sft") continue;
      loose_.push_back({file, std::move(facts)});
    }
    for (auto& folder : folders) {
      const auto name = folder.filename();
      if (snapshots && (name == "blobs" || name == "refs")) continue;  // a hub cache: its snapshots link into blobs
      pending.push_back({std::move(folder), here.depth + 1});
    }
  }

  WeightFacts facts_of(const fs::path& file) {
    const auto stamp = FileStamp::of(file);
    if (!stamp) {
      WeightFacts facts;
      std::error_code failed;
      facts.problem = fs::exists(file, failed)
                          ? fmt::format("{} is a pipe or device, not a file with weights", file.string())
                          : fmt::format("{} leads nowhere; its download did not finish", file.string());
      return facts;
    }
    const std::string key = file.string();
    if (const json* known = cache_.find(key, *stamp)) return weight_facts_from_json(*known);
    ++scan_.headers_read;
    auto facts = describe_weight_file(file);
    cache_.put(key, *stamp, to_json(facts));
    return facts;
  }

  void add_pipeline(const fs::path& root) {
    std::vector<PipelineFolder::Missing> missing;
    auto opened = PipelineFolder::open_incomplete(root, missing);
    if (!opened.ok()) {
      scan_.problems.push_back(opened.error().message);
      return;
    }
    ModelEntry model;
    model.root = root;
    model.title = model.family = opened->class_name;
    model.kind = kind_of_class(opened->class_name);
    WeightFacts transformer;
    for (const auto& [name, component] : opened->components) {
      auto facts = add_component(component, missing, model);
      if (name == "transformer") transformer = std::move(facts);
    }
    if (opened->class_name.starts_with("Wan")) {
      model.family = "wan";
      if (transformer.wan_width > 0) model.title = wan_title(transformer, opened->find("transformer_2") != nullptr);
    }
    auto card = ModelCard::load(root);
    if (!card.ok()) model.problems.push_back(card.error().message);
    if (card.ok() && card->has_value()) {
      const ModelCard& known = **card;
      model.practice = known.practice;
      if (!known.title.empty()) model.title = known.title;
      model.name = known.name;
    }
    scan_.models.push_back(std::move(model));
  }

  WeightFacts add_component(const PipelineFolder::Component& component,
                            std::span<const PipelineFolder::Missing> missing, ModelEntry& model) {
    ModelPart part{component.name, component.folder, "", 0};
    std::vector<std::string> lacks;
    for (const auto& lack : missing)
      if (lack.component == component.name) lacks.push_back(lack.what);
    part.missing = join(lacks, "; ");
    WeightFacts whole;
    if (component.has_weights() && part.missing.empty()) {
      if (auto weights = find_weights(component.folder); weights.ok()) {
        part.weight_bytes = weights->bytes;
        for (const auto& file : weights->files) {
          const auto facts = facts_of(file);
          if (!facts.problem.empty()) model.problems.push_back(facts.problem);
          whole.merge(facts);
        }
      }
    }
    if (!part.missing.empty()) part.path.clear();
    model.bytes += part.weight_bytes;
    model.parts.push_back(std::move(part));
    return whole;
  }

  void add_loose() {
    auto groups = group_loose_models(loose_, tokenizers_);
    std::set<std::string> told;
    for (const auto& group : groups) told.insert(group.problems.begin(), group.problems.end());
    std::size_t untold = 0;
    for (const auto& file : loose_) {
      if (file.facts.problem.empty() || !told.insert(file.facts.problem).second) continue;
      if (scan_.problems.size() < kMaxProblems) {
        scan_.problems.push_back(file.facts.problem);
      } else {
        ++untold;
      }
    }
    if (untold > 0) scan_.problems.push_back(fmt::format("and {} more files that are refused or damaged", untold));
    std::move(groups.begin(), groups.end(), std::back_inserter(scan_.models));
  }

  // Gives every model a name of its own: the card's, the hub's "org/name", or the folder's.
  void name_models() {
    std::sort(scan_.models.begin(), scan_.models.end(),
              [](const ModelEntry& a, const ModelEntry& b) { return a.root < b.root; });
    for (auto& model : scan_.models) {
      if (!model.name.empty()) continue;
      const auto hub = hub_place(model.root);
      model.name = hub ? hub->repository : model.root.filename().string();
    }
    std::map<std::string, int> count;
    for (const auto& model : scan_.models) ++count[model.name];
    std::set<std::string> taken;
    for (auto& model : scan_.models) {
      if (count[model.name] > 1 && !is_current_revision(model.root)) {
        const auto hub = hub_place(model.root);
        model.name = hub ? fmt::format("{}@{}", model.name, hub->revision.substr(0, 8))
                         : (model.root.parent_path().filename() / model.name).string();
      }
      const std::string base = model.name;
      for (int i = 2; !taken.insert(model.name).second; ++i) model.name = fmt::format("{}#{}", base, i);
    }
    std::sort(scan_.models.begin(), scan_.models.end(),
              [](const ModelEntry& a, const ModelEntry& b) { return a.name < b.name; });
  }

  // Of several snapshots in a hub cache, the one that refs/main names keeps the plain name.
  static bool is_current_revision(const fs::path& root) {
    const auto hub = hub_place(root);
    if (!hub) return false;
    const auto main = read_file(root.parent_path().parent_path() / "refs" / "main", 4096);
    return main.ok() && trim(*main) == hub->revision;
  }

  FileCache cache_;
  ModelScan scan_;
  std::set<std::pair<dev_t, ino_t>> visited_;
  std::vector<fs::path> pipelines_, tokenizers_;
  std::vector<LooseWeights> loose_;
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace

std::string ModelPart::lack() const {
  if (missing.empty()) return {};
  return missing.starts_with("expected ") ? fmt::format("{} missing: {}", name, missing)
                                          : fmt::format("{}: {}", name, missing);
}

bool ModelEntry::complete() const {
  return problems.empty() &&
         std::all_of(parts.begin(), parts.end(), [](const ModelPart& part) { return part.missing.empty(); });
}

std::string ModelEntry::summary() const {
  std::vector<std::string> words;
  words.reserve(parts.size());
  for (const auto& part : parts) words.push_back(part.missing.empty() ? part.name + " yes" : part.lack());
  std::string text = fmt::format("{}: {}", title.empty() ? name : title, join(words, ", "));
  if (!problems.empty()) text += fmt::format("; {}", join(problems, "; "));
  return text;
}

ModelScan scan_models(std::span<const fs::path> folders, const fs::path& cache_folder) {
  return Scanner(cache_folder).run(folders);
}

Result<ModelEntry> find_model(std::string_view name, const ModelFolders& where) {
  std::vector<fs::path> folders = where.folders;
  std::error_code ignored;
  if (!where.practice.empty() && fs::is_directory(where.practice, ignored)) folders.push_back(where.practice);
  ModelScan scan = scan_models(folders, where.cache);

  // The whole name, else without regard to case, else the part after the organisation, if that is unique.
  const auto pick = [&](const auto& same) -> ModelEntry* {
    ModelEntry* found = nullptr;
    for (auto& model : scan.models) {
      if (!same(model.name)) continue;
      if (found != nullptr) return nullptr;
      found = &model;
    }
    return found;
  };
  ModelEntry* found = pick([&](const std::string& known) { return known == name; });
  if (found == nullptr) found = pick([&](const std::string& known) { return lower(known) == lower(name); });
  if (found == nullptr)
    found = pick([&](const std::string& known) { return lower(known).ends_with("/" + lower(name)); });
  if (found != nullptr) return std::move(*found);

  std::vector<std::string> names;
  names.reserve(scan.models.size());
  for (const auto& model : scan.models) names.push_back(model.name);
  const auto nearest = did_you_mean(name, names);
  // "Owner/Name", as the hub writes it.
  if (nearest.empty() && std::ranges::count(name, '/') == 1)
    return Error{ErrorCode::ModelMissing,
                 fmt::format("there is no model '{0}' here, and Rubato downloads nothing: fetch it with the hub's own "
                             "program (hf download {0}) and run 'rubato-cli models scan' on the folder it lies in",
                             name)};
  if (names.empty())
    return Error{
        ErrorCode::ModelMissing,
        fmt::format(
            "there is no model '{}', and no models were found in the folders searched; give the path of a model folder",
            name)};
  if (names.size() > 8) names = {names.begin(), names.begin() + 8};
  return Error{ErrorCode::ModelMissing, fmt::format("there is no model '{}'{} (known: {}{})", name, nearest,
                                                    join(names, ", "), scan.models.size() > 8 ? ", …" : "")};
}

Result<fs::path> resolve_model(std::string_view name_or_path, const ModelFolders& where) {
  if (name_or_path.empty()) return Error{ErrorCode::ModelMissing, "no model is named"};
  const fs::path path(name_or_path);
  std::error_code ignored;
  // A bare word may be both a model's name and some folder here; then the folder must look like a model.
  const bool bare = name_or_path.find('/') == std::string_view::npos;
  const bool exists = fs::exists(path, ignored);
  if (exists && path.filename() == "model_index.json") return fs::absolute(path).parent_path();
  if (exists && (!bare || !fs::is_directory(path, ignored) || fs::exists(path / "model_index.json", ignored) ||
                 find_weights(path).ok()))
    return path;
  const bool plainly_path = name_or_path.starts_with("/") || name_or_path.starts_with("./") ||
                            name_or_path.starts_with("../") || name_or_path.starts_with("~");
  if (plainly_path) return Error{ErrorCode::ModelMissing, fmt::format("there is no model folder {}", name_or_path)};
  // Known without a scan, so that the first run on a fresh machine does not search the disk.
  if (bare && name_or_path.starts_with("practice-") && !where.practice.empty()) {
    const fs::path practice = where.practice / name_or_path.substr(9);
    if (fs::exists(practice / "model_index.json", ignored)) return practice;
  }
  auto known = find_model(name_or_path, where);
  // No model's name, but a folder: opening it tells what it lacks.
  if (!known && exists && fs::is_directory(path, ignored)) return path;
  RUBATO_TRY(model, std::move(known));
  if (!model.complete())
    return Error{ErrorCode::ModelMissing,
                 fmt::format("the model '{}' is not complete: {}", model.name, model.summary())};
  if (model.form == ModelEntry::Form::LooseFiles)
    return Error{ErrorCode::ModelUnfit, fmt::format("the model '{}' is a set of loose files, which this version finds "
                                                    "and checks but does not render; put them into a diffusers "
                                                    "folder (transformer/, vae/, text_encoder/ with their config.json; "
                                                    "the tensors' names may stay), or use the -Diffusers version",
                                                    model.name)};
  return model.root;
}

}  // namespace rubato
