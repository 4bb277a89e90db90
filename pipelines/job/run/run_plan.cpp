#include "pipelines/job/run/run_plan.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <optional>
#include <queue>
#include <set>

#include "engine/base/ids.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/version.h"
#include "engine/files/content_hash.h"
#include "pipelines/job/batch/name_template.h"
#include "pipelines/job/disk_needs.h"
#include "pipelines/job/run/output_names.h"
#include "pipelines/job/run/publication.h"
#include "pipelines/job/run/work_folders.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMostRefusalsTold = 10;

// What is known of a model after the first job that names it.
struct KnownModel {
  VideoModel model;
  std::string hash;
};

class Planner {
 public:
  explicit Planner(const PlanOptions& options)
      : options_(options), work_(options.out / ".rubato"), standing_(options.out) {
    names_.reserve("report.html", "the report of the run");
    names_.reserve("failed.csv", "the run's list of what failed");
  }

  RunPlan plan(std::vector<BatchJob> jobs) {
    plan_.jobs.reserve(jobs.size());
    for (auto& batch : jobs) {
      RunJob run;
      run.batch = std::move(batch);
      run.selected = matches(run.batch.job);
      if (const auto resolved = resolve(run); !resolved) {
        if (run.selected) {
          plan_.refusals.push_back({run.id(), run.batch.source, resolved.error()});
          continue;
        }
        run = left_out(std::move(run.batch));
      }
      indices_[run.id()] = plan_.jobs.size();
      plan_.jobs.push_back(std::move(run));
    }
    link();
    look_for_left_work();
    for (const auto& job : plan_.jobs) look_for_results(job);
    for (std::size_t i = 0; i < plan_.jobs.size(); ++i)
      if (plan_.jobs[i].selected && !plan_.is_done[i] && !plan_.jobs[i].key.empty()) look_for_others(i);
    return std::move(plan_);
  }

 private:
  // A job that a filter leaves out and that could not be run anyway: it is not done, and it is nobody's concern.
  static RunJob left_out(BatchJob batch) {
    RunJob run;
    run.batch = std::move(batch);
    run.job = run.batch.job;
    run.selected = false;
    return run;
  }

  // Everything that follows from run.batch.
  Result<> resolve(RunJob& run) {
    const auto& batch = run.batch;
    RUBATO_TRY(known, model(batch.job.model.empty() ? options_.practice_model : batch.job.model));
    run.model = known->model.name;
    run.model_hash = known->hash;
    auto job = batch.job;
    job.model = known->model.folder.root.string();
    RUBATO_TRY(full, resolve_video_job(std::move(job), known->model));
    run.job = std::move(full);
    RUBATO_TRY(content, content_of(run.job));
    if (!run.job.seed) run.job.seed = derived_seed(content, occurrences_[identity_json(content)]++);
    content.seed = run.job.seed;
    run.key = job_key(content, {run.model_hash}, kOutputVersion);
    RUBATO_OK(name_outputs(run));
    if (keys_[run.key]++ > 0 || was_made_elsewhere(run)) run.key = sha256_hex(run.key + " " + run.job.out);
    if (options_.check) RUBATO_OK(options_.check(run.job, known->model));
    run.batch.job.seed = run.job.seed;
    run.output_bytes = expected_output_bytes(run.job, known->model);
    if (options_.forecast) options_.forecast(run, known->model);
    return {};
  }

  Result<const KnownModel*> model(const std::string& name) {
    if (const auto known = models_.find(name); known != models_.end())
      return known->second ? Result<const KnownModel*>(&*known->second) : known->second.error();
    auto opened = open(name);
    const auto& kept = models_.emplace(name, std::move(opened)).first->second;
    return kept ? Result<const KnownModel*>(&*kept) : kept.error();
  }

  Result<KnownModel> open(const std::string& name) const {
    RUBATO_TRY(root, resolve_model(name, options_.models));
    RUBATO_TRY(model, open_video_model(root));
    RUBATO_TRY(hash, model_content_hash(model.folder));
    return KnownModel{std::move(model), std::move(hash)};
  }

  // Where model and inputs lie differs between hosts; what they hold is what counts.
  Result<VideoJob> content_of(VideoJob job) {
    job.model.clear();
    for (auto* input : {&job.image, &job.latents_in}) {
      if (input->empty()) continue;
      auto& hash = input_hashes_[*input];
      if (hash.empty()) {
        RUBATO_TRY(computed, sha256_file(*input));
        hash = computed;
      }
      *input = "sha256:" + hash;
    }
    return job;
  }

  // The same job twice in one file is two clips: the second's key has its name in it. So it has when only the second is
  // left to do, as in a failed.csv, and the first is done under the name that the file gives it. A name with {time} or
  // {index} in it says nothing: the same job has another one later.
  bool was_made_elsewhere(const RunJob& run) const {
    if (run.batch.job.out.empty() || is_anew(run)) return false;
    if (const auto name = NameTemplate::parse(run.batch.job.out); !name || !name->is_constant()) return false;
    const auto record = publication(run).done();
    return record && text_member(record->facts, "named") != run.job.out;
  }

  // What was done of it counts for nothing. A job that a filter leaves out is done or not as ever.
  bool is_anew(const RunJob& run) const { return options_.fresh && run.selected; }

  Result<> name_outputs(RunJob& run) {
    const auto& batch = run.batch;
    NameValues values;
    values.when = options_.when;
    values.job = batch.job.id;
    values.index = batch.index;
    values.seed = *run.job.seed;
    values.model = run.model;
    values.size = *run.job.size;
    values.prompt = run.job.prompt;
    values.preset = batch.preset;
    values.hash = run.key;
    values.variables = batch.variables;
    const auto render = [&](std::string& output, const char* extension) -> Result<> {
      if (output.empty()) return {};
      RUBATO_TRY(name, NameTemplate::parse(output));
      RUBATO_OK(name.check_variables(batch.variables));
      output = name.render(values, extension);
      return {};
    };
    if (run.job.out.empty()) run.job.out = options_.name;
    RUBATO_OK(render(run.job.out, ".mp4"));
    RUBATO_OK(render(run.job.latents_out, ".safetensors"));
    RUBATO_OK(render(run.job.trace, ".safetensors"));
    run.named = run.job.out;
    for (const auto* output : {&run.job.latents_out, &run.job.trace})
      if (!output->empty() && fs::path(*output).extension() != ".safetensors")
        return Error{ErrorCode::JobInvalid, fmt::format("{} is {}; give the name of a .safetensors file", *output,
                                                        output->ends_with('/') ? "a folder" : "to take tensors")};
    for (const auto* output : {&run.job.out, &run.job.latents_out, &run.job.trace}) {
      if (output->empty()) continue;
      if (output->starts_with(".rubato"))
        return Error{ErrorCode::JobInvalid, "names that begin with .rubato are kept for the run's own records"};
      if (auto safe = SafePath::inside(options_.out, *output); !safe)
        return Error{ErrorCode::JobInvalid, safe.error().message};
    }
    return names_.claim(output_names(run.job), run.batch.source);
  }

  bool matches(const VideoJob& job) const {
    const auto& glob = options_.jobs_filter;
    if (glob.empty()) return true;
    return ::fnmatch(glob.c_str(), job.id.c_str(), 0) == 0 ||
           (!job.name.empty() && ::fnmatch(glob.c_str(), job.name.c_str(), 0) == 0);
  }

  void link() {
    for (auto& job : plan_.jobs)
      for (const auto& id : job.batch.after)
        if (const auto index = indices_.find(id); index != indices_.end()) job.after.push_back(index->second);
  }

  // Only where the keys of all jobs are known: those that cannot be resolved may be mended and go on.
  void look_for_left_work() {
    if (!plan_.refusals.empty()) return;
    std::set<std::string> keys;
    for (const auto& job : plan_.jobs) {
      if (job.key.empty()) return;
      keys.insert(job.key);
    }
    for (const auto& [key, count] : keys_) keys.insert(key);  // what a job had before it got its own for its name
    plan_.left_work = left_work(work_, keys, options_.job_file);
  }

  void look_for_results(const RunJob& run) {
    plan_.is_refused.push_back(false);
    differences_.emplace_back();
    if (run.key.empty()) {
      plan_.is_done.push_back(false);
      return;
    }
    const auto files = publication(run);
    const auto record = is_anew(run) ? std::nullopt : files.done();
    if (record) differences_.back() = files.difference(*record);
    const bool done = record && differences_.back().empty();
    plan_.is_done.push_back(done);
    if (done && run.selected) ++plan_.done;
  }

  Publication publication(const RunJob& run) const { return {options_.out, run.key, work_.of(run.key)}; }

  // The job of this file whose finished clip the file is: a done job keeps the names that it has, whatever it would be
  // called today. Nothing: no such job's.
  const RunJob* keeper_of(const std::string& file) {
    if (!kept_) {
      kept_.emplace();
      for (std::size_t i = 0; i < plan_.jobs.size(); ++i) {
        if (!plan_.is_done[i]) continue;
        if (const auto record = publication(plan_.jobs[i]).done())
          for (const auto& made : record->files) kept_->try_emplace(normal_path(made.path), i);
      }
    }
    const auto kept = kept_->find(normal_path(file));
    return kept == kept_->end() ? nullptr : &plan_.jobs[kept->second];
  }
  static std::string normal_path(const std::string& file) { return fs::path(file).lexically_normal().string(); }

  // Files that stand where the job's are to go and that it may not replace: a reason not to start, or to take other
  // names.
  void look_for_others(std::size_t index) {
    auto& run = plan_.jobs[index];
    const auto files = publication(run);
    const auto replace = replace_of(options_.overwrite);
    if (files.decided()) {  // it is rendered and has its names; where they are to be other ones, that is publication's
      if (options_.overwrite == RunOverwrite::Rename) return;
      if (const auto other = files.in_the_way(replace); !other.empty())
        return refuse(index, fmt::format("{} exists and is not what this job made; move it away, or pass --overwrite "
                                         "always. The finished clip waits in {}",
                                         other, files.work_folder().string()));
      if (replace == Replace::Own) return;
      if (const auto decision = files.decision())
        for (const auto& file : decision->files)
          if (const auto* keeper = keeper_of(file.path))
            return refuse(index,
                          fmt::format("{} is the finished clip of {} ({}), which this run keeps; pass "
                                      "--overwrite rename. This job's finished clip waits in {}",
                                      file.path, keeper->id(), keeper->batch.source, files.work_folder().string()));
      return;
    }
    const auto may_replace = [&](const std::string& file) {
      if (replace == Replace::Made && !made_) made_.emplace(options_.out);
      if (!files.may_replace(file, replace, made_ ? &*made_ : nullptr)) return false;
      return replace == Replace::Own || keeper_of(file) == nullptr;
    };
    std::set<std::string*> renamed;
    for (const auto& name : output_names(run.job)) {
      const auto other = standing_.in_the_way(name, may_replace);
      if (other.empty()) continue;
      if (options_.overwrite == RunOverwrite::Rename) {
        if (auto& output = run.job.*(name.field); renamed.insert(&output).second)
          output = standing_.free_name(names_, run.job, name.field, run.batch.source);
        continue;
      }
      return refuse(index, why_not(other, files, differences_[index]));
    }
  }

  // Why `other`, which stands where the job of `files` is to write, is not replaced, and what helps. `difference`: how
  // the job's own earlier result is not what it was.
  std::string why_not(const std::string& other, const Publication& files, const std::string& difference) {
    std::error_code failed;
    if (const auto* keeper = keeper_of(other))
      return fmt::format(
          "{} is the finished clip of {} ({}), which this run keeps; put {{seed}} or {{job}} into the "
          "name (--name, or the job's own), or pass --overwrite rename",
          other, keeper->id(), keeper->batch.source);
    if (options_.overwrite == RunOverwrite::Always)
      return fmt::format("{} is {}, which is not replaced; choose another name", other,
                         fs::is_directory(options_.out / other, failed) ? "a folder" : "a file");
    if (const auto damaged = files.damaged_record(); !damaged.empty())
      return fmt::format(
          "{} exists, and {}, which says what this job made, is damaged; move {} away to keep it, or "
          "pass --overwrite always to render it again in its place",
          other, damaged, other);
    if (options_.overwrite == RunOverwrite::IfChanged)
      return fmt::format(
          "{} exists and no job made it as it is; --overwrite if-changed replaces only what jobs made; "
          "choose another name, or pass --overwrite always",
          other);
    if (!difference.empty()) return fmt::format("{}; --overwrite if-changed renders it again", difference);
    return fmt::format("{} exists and is not what this job made; choose another name, or pass --overwrite always",
                       other);
  }

  void refuse(std::size_t index, std::string why) {
    const auto& run = plan_.jobs[index];
    plan_.is_refused[index] = true;
    plan_.refusals.push_back({run.id(), run.batch.source, {ErrorCode::OutputExists, std::move(why)}});
  }

  const PlanOptions& options_;
  const WorkFolders work_;
  RunPlan plan_;
  std::map<std::string, Result<KnownModel>> models_;
  std::map<std::string, std::string> input_hashes_;
  OutputNames names_;
  StandingFiles standing_;
  std::optional<MadeFiles> made_;
  std::optional<std::map<std::string, std::size_t>> kept_;  // by path: of jobs that are done
  std::vector<std::string> differences_;                    // by job: how its result is not what it was
  std::map<std::string, std::size_t> indices_;
  std::map<std::string, int> occurrences_, keys_;
};

}  // namespace

Replace replace_of(RunOverwrite overwrite) {
  switch (overwrite) {
    case RunOverwrite::Always:
      return Replace::Any;
    case RunOverwrite::IfChanged:
      return Replace::Made;
    case RunOverwrite::Never:
    case RunOverwrite::Rename:
      break;
  }
  return Replace::Own;
}

RunPlan plan_run(std::vector<BatchJob> jobs, const PlanOptions& options) {
  return Planner(options).plan(std::move(jobs));
}

std::vector<std::size_t> jobs_to_start(const RunPlan& plan, std::size_t limit) {
  const auto& jobs = plan.jobs;
  const auto later = [&](std::size_t a, std::size_t b) {
    return jobs[a].batch.priority != jobs[b].batch.priority ? jobs[a].batch.priority < jobs[b].batch.priority : a > b;
  };
  std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(later)> ready(later);
  std::vector<std::size_t> waits_for(jobs.size());
  std::vector<std::vector<std::size_t>> waiting(jobs.size());  // by job: those that wait for it
  const auto see = [&](std::size_t job) {
    if (waits_for[job] == 0 && jobs[job].selected && !plan.is_done[job] && !plan.is_refused[job]) ready.push(job);
  };
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    for (const auto other : jobs[i].after)
      if (!plan.is_done[other]) {
        ++waits_for[i];
        waiting[other].push_back(i);
      }
    see(i);
  }
  std::vector<std::size_t> started;
  while (!ready.empty() && (limit == 0 || started.size() < limit)) {
    started.push_back(ready.top());
    ready.pop();
    for (const auto next : waiting[started.back()]) {
      --waits_for[next];
      see(next);
    }
  }
  return started;
}

std::string_view planned_state(const RunPlan& plan, std::size_t job) {
  if (plan.is_done[job]) return "done";
  if (plan.is_refused[job]) return "refused";
  const auto& after = plan.jobs[job].after;
  return std::all_of(after.begin(), after.end(), [&](std::size_t other) { return plan.is_done[other]; }) ? "queued"
                                                                                                         : "blocked";
}

Error refusal_error(const RunPlan& plan) {
  std::string text;
  for (std::size_t i = 0; i < plan.refusals.size() && i < kMostRefusalsTold; ++i) {
    const auto& refusal = plan.refusals[i];
    for (const auto& problem : split(refusal.error.message, '\n'))
      text += fmt::format("{}{}: {}", text.empty() ? "" : "\n", refusal.source, problem);
  }
  if (plan.refusals.size() > kMostRefusalsTold)
    text += fmt::format("\nand {} more", plan.refusals.size() - kMostRefusalsTold);
  return {plan.refusals.front().error.code, text};
}

std::uint64_t derived_seed(const VideoJob& job, int occurrence) {
  auto content = job;
  content.seed.reset();
  const auto digest = sha256_hex(fmt::format("{}#{}", identity_json(content), occurrence));
  return std::stoull(digest.substr(0, 8), nullptr, 16);  // 32 bits: a number that a person can type
}

}  // namespace rubato
