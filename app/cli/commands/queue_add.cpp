// queue add: the jobs of job files, checked against their models, behind what the queue holds already.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "app/cli/places.h"
#include "app/cli/queue_view.h"
#include "engine/base/frame_names.h"
#include "engine/base/ids.h"
#include "engine/base/text.h"
#include "pipelines/job/batch/job_file.h"
#include "pipelines/job/batch/name_template.h"
#include "pipelines/job/job_advice.h"
#include "pipelines/job/preflight.h"
#include "pipelines/job/queue/queue_requests.h"
#include "pipelines/job/run/output_names.h"

namespace rubato::cli {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr auto kDefaultName = "{job}-{seed}.mp4";
constexpr std::size_t kProblemsShown = 20;

std::vector<Option> options() {
  return {{.name = "out",
           .value = "DIR",
           .help = "Folder that the jobs write to, made if it is missing; by default the current one",
           .offer = Offer::Folders},
          {.name = "batch", .value = "NAME", .help = "Name for what is added together; by default the file's name"},
          models_dir_option()};
}

// As far as can be told before the folders are made: inputs can be read, formats are known, nothing is in the way.
Result<> check_outputs(const VideoJob& job) {
  auto inputs = job;
  for (auto* output : {&inputs.out, &inputs.latents_out, &inputs.trace}) output->clear();
  RUBATO_OK(check_files(inputs));
  RUBATO_OK(check_extension(job.out));
  RUBATO_OK(check_picture_name(job.out, *job.frames));
  StandingFiles standing("");
  for (const auto& name : output_names(job)) {
    const auto other = standing.in_the_way(name, [&](const std::string& file) {
      std::error_code failed;
      return overwrite_of(job) == Overwrite::Always && !fs::is_directory(file, failed);
    });
    if (!other.empty())
      return Error{
          ErrorCode::OutputExists,
          fmt::format("{} exists already; choose another name, or write 'overwrite: always' into the job", other)};
  }
  return {};
}

// What the jobs will write that are in the queue and not at their end.
struct Queued {
  OutputNames names;
  std::map<std::string, std::string> jobs;  // "ring (7QX2MA)" by its output
};

// As far as it lies in `folder`.
Result<Queued> queued_names(const Context& context, const fs::path& folder) {
  Queued queued;
  const auto file = queue_file(context.folders.state);
  std::error_code failed;
  if (!fs::exists(file, failed)) return queued;
  const auto store = QueueStore::open(file, QueueMode::Read);
  if (!store && store.error().code == ErrorCode::Corrupt) return queued;  // adding sets it aside
  // Another command is just making it; what else keeps it from being read, adding will say.
  if (!store && store.error().code == ErrorCode::CannotRead) return queued;
  if (!store) return store.error();
  RUBATO_TRY(waiting, store->list({.states = {JobState::Queued, JobState::Running, JobState::Blocked,
                                              JobState::Interrupted, JobState::Suspended}}));
  // As it stands in a specification; reading all those of a large queue takes seconds.
  const auto written =
      json(fs::weakly_canonical(folder, failed).string()).dump(-1, ' ', false, json::error_handler_t::replace);
  const auto part = written.substr(1, written.size() - 2);
  for (const auto& row : waiting) {
    if (row.spec.find(part) == std::string::npos) continue;
    const auto job = video_job_from_json(json::parse(row.spec, nullptr, false), row.name);
    if (!job) continue;
    const auto& who =
        queued.jobs.try_emplace(job->out, fmt::format("{} ({})", row.name, short_id(row.id))).first->second;
    // Two of them may meet already; that is not this command's matter.
    static_cast<void>(queued.names.claim(output_names(*job), who + " in the queue"));
  }
  return queued;
}

// One sentence, however many there are: whoever adds a file again meets all of its jobs.
std::string queued_already(const std::vector<std::string>& jobs) {
  constexpr std::size_t kNamed = 3;
  const auto named = std::span(jobs).first(std::min(jobs.size(), kNamed));
  return fmt::format("{} of these jobs {} in the queue already ({}{})", jobs.size(), jobs.size() == 1 ? "is" : "are",
                     join(named, ", "), jobs.size() > kNamed ? fmt::format(" and {} more", jobs.size() - kNamed) : "");
}
constexpr auto kQueuedAdvice = "choose another --out or cancel them";

// The job as it will be rendered: every field filled, a seed drawn, the output's whole path.
Result<VideoJob> ready_job(const BatchJob& batch, const ModelFolders& where, const fs::path& folder, std::tm when,
                           JobAdvice& advice) {
  RUBATO_TRY(ready, resolve(batch.job, where));
  advice.look_at(ready.job, ready.model);
  auto job = std::move(ready.job);
  if (!job.seed) job.seed = std::random_device{}();
  const NameValues values{.when = when,
                          .job = job.id,
                          .index = batch.index,
                          .seed = *job.seed,
                          .model = ready.model.name,
                          .size = *job.size,
                          .prompt = job.prompt,
                          .preset = batch.preset,
                          .hash = sha256_hex(video_job_to_json(job).dump()),
                          .variables = batch.variables};
  if (job.out.empty()) job.out = kDefaultName;
  for (const auto& [output, extension] : {std::pair{&job.out, ".mp4"}, std::pair{&job.latents_out, ".safetensors"},
                                          std::pair{&job.trace, ".safetensors"}}) {
    if (output->empty()) continue;
    RUBATO_TRY(name, NameTemplate::parse(*output));
    RUBATO_OK(name.check_variables(batch.variables));
    const auto rendered = name.render(values, extension);
    RUBATO_TRY(path, SafePath::inside(folder, rendered));
    *output = path.path().string() + (rendered.ends_with('/') && !path.path().string().ends_with('/') ? "/" : "");
  }
  RUBATO_OK(check_outputs(job));
  return job;
}

// Now, so that it is a person who learns that it cannot be made, and not the engine tonight.
Result<> make_folder(const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) return write_error(folder, failed.value());
  return check_writable(folder / ".rubato-probe", Overwrite::Always);
}

// What keeps the folder from being made whatever the jobs are.
Result<> check_folder(const fs::path& folder) {
  std::error_code failed;
  auto there = folder;  // or the first one above it that is there
  while (!fs::exists(fs::status(there, failed)) && there.has_relative_path()) there = there.parent_path();
  if (fs::is_directory(there, failed)) return {};
  return Error{ErrorCode::CannotWrite, fmt::format("{} is not a folder; choose another --out", there.string())};
}

Result<> run(const Context& context) {
  RUBATO_TRY(where, model_folders(context.folders, context.args));
  const fs::path folder = fs::absolute(context.args.value_or("out", "."));
  const auto now = std::time(nullptr);
  std::tm when{};
  ::localtime_r(&now, &when);

  RUBATO_OK(check_folder(folder));
  json ids = json::array();
  RUBATO_TRY(queued, queued_names(context, folder));
  std::vector<json> requests;
  std::vector<std::string> problems, already;
  bool only_names_taken = true;
  JobAdvice advice;
  for (const auto& file : context.args.positionals()) {
    RUBATO_TRY(batch, read_batch(file));
    json jobs = json::array();
    for (const auto& entry : batch.jobs) {
      auto job = ready_job(entry, where, folder, when, advice);
      if (job)
        if (const auto same = queued.jobs.find(job->out); same != queued.jobs.end()) {
          already.push_back(same->second);
          only_names_taken = false;
          continue;
        }
      if (job)
        if (auto apart = queued.names.claim(output_names(*job), entry.source); !apart) job = apart.error();
      if (!job) {
        only_names_taken = only_names_taken && job.error().code == ErrorCode::OutputExists;
        problems.push_back(fmt::format("{}: {}", entry.source, job.error().message));
        continue;
      }
      json value{
          {"name", job->id}, {"spec", video_job_to_json(*job)}, {"priority", entry.priority}, {"device", job->device}};
      if (!entry.after.empty()) value["after"] = entry.after;
      jobs.push_back(std::move(value));
    }
    requests.push_back(
        {{"request", "add"}, {"jobs", std::move(jobs)}, {"batch", context.args.value_or("batch", batch.name)}});
  }
  if (problems.empty() && !already.empty())
    return Error{ErrorCode::JobInvalid,
                 fmt::format("{}; nothing was added: {}", queued_already(already), kQueuedAdvice)};
  if (!problems.empty()) {
    if (!already.empty())
      problems.insert(problems.begin(), fmt::format("{}; {}", queued_already(already), kQueuedAdvice));
    const auto shown = std::span(problems).first(std::min(problems.size(), kProblemsShown));
    const auto code = only_names_taken ? ErrorCode::OutputExists : ErrorCode::JobInvalid;
    return Error{
        code, fmt::format(
                  "{}{}; nothing was added", join(shown, "\n"),
                  problems.size() > shown.size() ? fmt::format("\nand {} more", problems.size() - shown.size()) : "")};
  }
  RUBATO_OK(make_folder(folder));
  for (const auto& sentence : advice.sentences()) context.out.warn(sentence);
  for (const auto& request : requests) {
    RUBATO_TRY(answer, ask(context, request));
    for (const auto& id : answer["ids"]) ids.push_back(id);
  }
  if (context.args.has("json"))
    context.out.json({{"ids", ids}});
  else
    for (const auto& id : ids) context.out.result(id.get<std::string>());
  context.out.say(fmt::format("{} added to the queue.", count_of_jobs(ids.size())));
  if (!is_worked_on(context)) context.out.say(kWaitsForARunner);
  return {};
}

}  // namespace

const Command kQueueAdd{
    .path = "queue add",
    .summary = "Put the jobs of job files into the queue",
    .text =
        "Every job is checked against its model first; if one is not right, all that is wrong is listed and nothing is "
        "added. Prints the ids of the new jobs.",
    .options = options,
    .positionals =
        {{.name = "FILE", .help = "A job file (YAML, JSON, JSONL or CSV)", .offer = Offer::Files, .repeatable = true}},
    .prints_json = true,
    .examples = {{"rubato-cli queue add shots.csv --out ~/Videos", "A table of jobs"}},
    .run = run,
};

}  // namespace rubato::cli
