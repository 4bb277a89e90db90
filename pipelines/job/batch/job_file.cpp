#include "pipelines/job/batch/job_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "engine/base/files.h"
#include "engine/base/text.h"
#include "pipelines/job/batch/dependencies.h"
#include "pipelines/job/batch/document.h"
#include "pipelines/job/batch/job_layer.h"
#include "pipelines/job/batch/matrix.h"
#include "pipelines/job/batch/name_template.h"
#include "pipelines/job/field_value.h"
#include "pipelines/job/job_file_name.h"

namespace rubato {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxDependencies = 1'000'000;
constexpr std::size_t kManyProblems = 1000;  // after these no more jobs are looked at
constexpr std::size_t kMaxIdBytes = 64;

// Builds the jobs of one document. What several jobs share is read for each of them, and its problems, which then come
// up for each, are reported once.
class BatchBuilder {
 public:
  BatchBuilder(BatchDocument document, std::string_view name, std::filesystem::path folder, const BatchLimits& limits,
               Problems problems)
      : document_(std::move(document)),
        name_(name),
        folder_(std::move(folder)),
        limits_(limits),
        problems_(std::move(problems)) {}

  Result<BatchFile> build() {
    read_parts();
    if (matrix_.combinations().empty()) return problems_.result(name_, &document_.where).error();
    RUBATO_OK(count_jobs());
    name_jobs();
    const auto after = resolve_after(entries_, kMaxDependencies, problems_);
    BatchFile file{document_.format, std::string(name_), {}, document_.columns};
    file.jobs.reserve(total_);
    for (std::size_t i = 0; i < layers_.size() && problems_.size() < kManyProblems; ++i)
      expand(i, i < after.size() ? after[i] : std::vector<std::string>{}, file.jobs);
    check_outputs(file.jobs);
    check_suspects();
    RUBATO_OK(problems_.result(name_, &document_.where));
    if (file.jobs.empty()) return Error{ErrorCode::JobInvalid, fmt::format("{} has no jobs", name_)};
    return file;
  }

 private:
  void read_parts() {
    defaults_ = read_layer(document_.part("defaults"), "/defaults", LayerRole::Defaults, document_.where, problems_);
    if (const Json& presets = document_.part("presets"); presets.is_object()) {
      for (const auto& [name, value] : presets.items())
        presets_.emplace(
            name, read_layer(value, "/presets/" + escape_pointer(name), LayerRole::Preset, document_.where, problems_));
    } else if (!presets.is_null()) {
      problems_.add("/presets", "the presets must be an object with names and what they set");
    }
    matrix_ = Matrix::read(document_.part("matrix"), document_.where, limits_.max_jobs, problems_);
    suspects_ = matrix_.suspects();
    for (std::size_t i = 0; i < document_.size(); ++i) {
      layers_.push_back(read_layer(document_.job(i), document_.pointer(i), LayerRole::Job, document_.where, problems_));
      check_conflicts(layers_.back());
    }
    check_shared_parts();
  }

  // Parts that no job uses are checked too: a mistake in them would come up later.
  void check_shared_parts() {
    VideoJob base;
    apply_fields(base, defaults_.fields, defaults_.pointer, problems_);
    for (const auto& [name, preset] : presets_) {
      VideoJob job = base;
      apply_fields(job, preset.fields, preset.pointer, problems_);
    }
    if (defaults_.preset) find_preset(*defaults_.preset, defaults_.pointer + "/preset");
  }

  // What the matrix sets, a job cannot set as well: one of the two would be lost.
  void check_conflicts(const JobLayer& layer) {
    const auto refuse = [&](const std::string& key, const std::string& pointer) {
      problems_.add(layer.pointer + '/' + pointer,
                    fmt::format("the matrix sets '{}' as well; take it out of one of the two", key));
    };
    for (const auto& [key, value] : layer.fields.items())
      if (matrix_.sets_field(key)) refuse(key, key);
    if (layer.seeds && matrix_.sets_field("seed")) refuse("seed", "seeds");
    if (layer.preset && matrix_.sets_field("preset")) refuse("preset", "preset");
    for (const auto& [name, value] : layer.variables)
      if (matrix_.sets_variable(name)) refuse("var." + name, "var/" + name);
  }

  const JobLayer* find_preset(const std::string& name, const std::string& pointer) {
    if (const auto found = presets_.find(name); found != presets_.end()) return &found->second;
    std::vector<std::string> names;
    for (const auto& [known, layer] : presets_) names.push_back(known);
    problems_.add(pointer, fmt::format("there is no preset '{}'{}", clip_utf8(name, 80), did_you_mean(name, names)));
    return nullptr;
  }

  // Which preset a job has in a combination, and where that is said.
  std::pair<std::string, std::string> preset_of(const JobLayer& own, const Matrix::Combination& combination) const {
    if (combination.preset) return {*combination.preset, "/matrix/preset"};
    if (own.preset) return {*own.preset, own.pointer + "/preset"};
    if (defaults_.preset) return {*defaults_.preset, defaults_.pointer + "/preset"};
    return {};
  }

  // The seeds of the last part that says something about them; nullptr when that is one seed or nothing.
  const SeedList* seeds_of(const JobLayer& own, const JobLayer* preset, const Matrix::Combination& combination) const {
    if (combination.fields.contains("seed")) return nullptr;
    for (const JobLayer* layer : std::initializer_list<const JobLayer*>{&own, preset, &defaults_})
      if (layer != nullptr && layer->sets_seed()) return layer->seeds ? &*layer->seeds : nullptr;
    return nullptr;
  }

  // Before anything is expanded.
  Result<> count_jobs() {
    const auto& combinations = matrix_.combinations();
    if (layers_.size() > limits_.max_jobs / combinations.size()) return too_many_jobs(name_, limits_);
    for (const auto& own : layers_) {
      std::size_t jobs = 0;
      for (const auto& combination : combinations) {
        const auto preset = presets_.find(preset_of(own, combination).first);
        const SeedList* seeds = seeds_of(own, preset == presets_.end() ? nullptr : &preset->second, combination);
        const std::uint64_t more = seeds == nullptr ? 1 : seeds->count();
        if (more > limits_.max_jobs - total_) return too_many_jobs(name_, limits_);
        total_ += more;
        jobs += more;
      }
      counts_.push_back(jobs);
    }
    return {};
  }

  // Ids of the entries and of what they become. An entry without one is "job-N".
  void name_jobs() {
    std::unordered_map<std::string, std::size_t> taken;  // by entry
    const auto given = [&](std::size_t i) -> std::string {
      const auto id = layers_[i].fields.find("id");
      return id != layers_[i].fields.end() && id->is_string() ? id->get<std::string>() : "";
    };
    for (std::size_t i = 0; i < layers_.size(); ++i)
      if (const auto id = given(i); !id.empty())
        if (const auto [first, fresh] = taken.emplace(id, i); !fresh) refuse_twice(i, id, first->second);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      DependencyEntry entry{given(i), {}, layers_[i].after.value_or(std::vector<std::string>{}), layers_[i].pointer};
      if (entry.id.empty()) {
        entry.id = fmt::format("job-{}", i + 1);
        while (!taken.emplace(entry.id, i).second) entry.id += '_';
      }
      if (counts_[i] == 1) {
        entry.job_ids.push_back(entry.id);
      } else {
        for (std::size_t k = 1; k <= counts_[i]; ++k) {
          auto id = fmt::format("{}.{}", entry.id, k);
          if (const auto [first, fresh] = taken.emplace(id, i); !fresh) refuse_twice(i, id, first->second);
          entry.job_ids.push_back(std::move(id));
        }
        if (entry.job_ids.back().size() > kMaxIdBytes)
          problems_.add(entry.pointer + "/id",
                        fmt::format("the id is too long for {} jobs, which are numbered; {} bytes are left for it",
                                    counts_[i], kMaxIdBytes - (entry.job_ids.back().size() - entry.id.size())));
      }
      entries_.push_back(std::move(entry));
    }
  }

  void refuse_twice(std::size_t entry, const std::string& id, std::size_t first) {
    const auto line = line_of(layers_[first].pointer);
    problems_.add(layers_[entry].pointer + "/id",
                  fmt::format("the id '{}' stands twice{}", clip_utf8(id, 80),
                              line > 0 ? fmt::format("; the first is that of line {}", line) : ""));
  }

  int line_of(const std::string& pointer) const {
    const auto found = document_.where.find(pointer);
    return found == document_.where.end() ? 0 : found->second.line;
  }

  void expand(std::size_t index, const std::vector<std::string>& after, std::vector<BatchJob>& jobs) {
    const JobLayer& own = layers_[index];
    const int line = line_of(own.pointer);
    const std::string source = line > 0 ? fmt::format("{}, line {}", name_, line) : std::string(name_);
    std::size_t number = 0;
    std::string base_preset;
    std::optional<VideoJob> base;  // the defaults, the preset and the job's own keys
    for (const auto& combination : matrix_.combinations()) {
      const auto [preset_name, said_at] = preset_of(own, combination);
      const JobLayer* preset = said_at.empty() ? nullptr : find_preset(preset_name, said_at);
      if (!base || base_preset != preset_name) {
        base = layered(own, preset);
        base_preset = preset_name;
      }
      BatchJob made{*base, after, 0, preset == nullptr ? "" : preset_name, {}, 0, source};
      apply_fields(made.job, combination.fields, "/matrix", problems_);
      for (const JobLayer* layer : std::initializer_list<const JobLayer*>{&defaults_, preset, &own}) {
        if (layer == nullptr) continue;
        made.priority = layer->priority.value_or(made.priority);
        for (const auto& [name, value] : layer->variables) made.variables[name] = value;
      }
      for (const auto& [name, value] : combination.variables) made.variables[name] = value;
      finish_texts(made, own, preset);
      const SeedList* seeds = seeds_of(own, preset, combination);
      const auto add = [&] {
        made.job.id = number < entries_[index].job_ids.size() ? entries_[index].job_ids[number] : "";
        ++number;
        made.index = static_cast<int>(jobs.size()) + 1;
        jobs.push_back(made);
      };
      if (seeds == nullptr) {
        add();
      } else {
        for (const std::uint64_t seed : seeds->expand()) {
          made.job.seed = seed;
          add();
        }
      }
      if (problems_.size() >= kManyProblems) return;
    }
  }

  VideoJob layered(const JobLayer& own, const JobLayer* preset) {
    VideoJob job;
    apply_fields(job, defaults_.fields, defaults_.pointer, problems_);
    if (preset != nullptr) apply_fields(job, preset->fields, preset->pointer, problems_);
    apply_fields(job, own.fields, own.pointer, problems_);
    return job;
  }

  // The place of the part that a field's value came from.
  std::string place_of(std::string_view field, const JobLayer& own, const JobLayer* preset) const {
    const std::string name(field);
    if (matrix_.sets_field(name)) return "/matrix/" + name;
    for (const JobLayer* layer : std::initializer_list<const JobLayer*>{&own, preset, &defaults_})
      if (layer != nullptr && layer->fields.contains(name)) return layer->pointer + '/' + name;
    return own.pointer;
  }

  // Variables, names of outputs, inputs beside the file, and whether there is a prompt.
  void finish_texts(BatchJob& made, const JobLayer& own, const JobLayer* preset) {
    const Fields fields = fields_of(made.job);
    for (const auto& field : fields) {
      std::string* text = text_of(field);
      if (text == nullptr || text->empty()) continue;
      const auto* path = std::get_if<PathText>(&field.rule);
      if (std::holds_alternative<Text>(field.rule)) {
        put_variables(*text, field.name, made, own, preset);
      } else if (path != nullptr && path->role == PathRole::Output) {
        const auto name = NameTemplate::parse(*text);
        if (const auto fine = name.ok() ? name->check_variables(made.variables) : Result<>(name.error()); !fine.ok())
          problems_.add(place_of(field.name, own, preset), fmt::format("{}: {}", field.name, fine.error().message));
        note_variables(*text);
      }
    }
    anchor_inputs(fields, folder_.string());
    if (trim(made.job.prompt).empty())
      problems_.add(own.pointer, "the job has no prompt; say what the video shows: prompt: …");
  }

  void put_variables(std::string& text, std::string_view field, const BatchJob& made, const JobLayer& own,
                     const JobLayer* preset) {
    if (text.find("{var.") == std::string::npos) return;
    note_variables(text);
    auto result = substitute_variables(text, made.variables);
    std::string fault = result.ok() ? "" : result.error().message;
    if (result.ok() && result->size() > limits_.max_string)
      fault =
          fmt::format("has {} bytes with its variables; at most {} are allowed", result->size(), limits_.max_string);
    if (fault.empty())
      text = std::move(*result);
    else
      problems_.add(place_of(field, own, preset), fmt::format("{} {}", field, fault));
  }

  void note_variables(const std::string& text) {
    for (const auto& suspect : suspects_)
      if (text.find("{var." + suspect.variable) != std::string::npos) used_.insert(suspect.variable);
  }

  static std::string* text_of(const FieldRef& field) {
    if (auto* const* text = std::get_if<std::string*>(&field.value)) return *text;
    if (auto* const* text = std::get_if<std::optional<std::string>*>(&field.value); text != nullptr && *text != nullptr)
      return (*text)->has_value() ? &***text : nullptr;
    return nullptr;
  }

  // Two jobs of one file cannot write one clip. What depends on placeholders is known only when the jobs are resolved.
  void check_outputs(const std::vector<BatchJob>& jobs) {
    if (!problems_.empty()) return;
    std::unordered_map<std::string, std::size_t> seen;
    std::size_t entry = 0, left = counts_.empty() ? 0 : counts_[0];
    for (const auto& job : jobs) {
      while (left == 0) left = counts_[++entry];
      --left;
      if (job.job.out.empty()) continue;
      const auto name = NameTemplate::parse(job.job.out);
      if (!name.ok() || !name->is_constant()) continue;
      const auto [first, fresh] = seen.emplace(job.job.out, entry);
      if (fresh) continue;
      problems_.add(
          layers_[entry].pointer,
          first->second == entry
              ? fmt::format("out '{}' names one file for {} jobs; put {{index}}, {{seed}} or a variable into it",
                            clip_utf8(job.job.out, 80), counts_[entry])
              : fmt::format("out '{}' is the output of the job of line {} as well", clip_utf8(job.job.out, 80),
                            line_of(layers_[first->second].pointer)));
    }
  }

  void check_suspects() {
    for (const auto& suspect : suspects_)
      if (used_.count(suspect.variable) == 0)
        problems_.add(suspect.pointer, fmt::format("'{}' is not a key of a job, and nothing uses {{var.{}}}{}",
                                                   suspect.variable, suspect.variable, suspect.hint));
  }

  BatchDocument document_;
  std::string_view name_;
  std::filesystem::path folder_;
  BatchLimits limits_;
  Problems problems_;

  JobLayer defaults_;
  std::map<std::string, JobLayer> presets_;
  Matrix matrix_;
  std::vector<JobLayer> layers_;  // one an entry of the file
  std::vector<std::size_t> counts_;
  std::vector<DependencyEntry> entries_;
  std::size_t total_ = 0;
  std::vector<Matrix::Suspect> suspects_;
  std::set<std::string> used_;  // of the suspects
};

}  // namespace

Result<BatchFile> parse_batch(std::string_view text, std::string_view name, const std::filesystem::path& folder,
                              const BatchLimits& limits) {
  Problems problems;
  auto document = read_batch_document(text, name, limits, problems);
  if (!may_hold_jobs(name) && (!document || !document->root.is_structured())) return no_job_file(name);
  RUBATO_OK(document);
  return BatchBuilder(std::move(*document), name, folder, limits, std::move(problems)).build();
}

Result<BatchFile> read_batch(const std::filesystem::path& file, const BatchLimits& limits) {
  auto text = read_file(file, limits.max_bytes);
  if (!text.ok()) {
    // Too large is a fault of the job file, like all its others; only what cannot be read at all is not.
    std::error_code failed;
    const auto size = std::filesystem::file_size(file, failed);
    if (failed || size <= limits.max_bytes) return text.error();
    return Error{ErrorCode::JobInvalid, fmt::format("{} has {} bytes; at most {} are allowed", file.filename().string(),
                                                    size, limits.max_bytes)};
  }
  // Absolute, so that a job means the same wherever it is written down, as in failed.csv.
  std::error_code failed;
  const auto folder = std::filesystem::absolute(file, failed).parent_path();
  return parse_batch(*text, file.filename().string(), folder, limits);
}

}  // namespace rubato
