// run: the jobs of a job file, one after the other, and on from where an earlier run stopped.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/cli/command.h"
#include "app/cli/interrupts.h"
#include "app/cli/job_flags.h"
#include "app/cli/job_forecasts.h"
#include "app/cli/output.h"
#include "app/cli/places.h"
#include "app/cli/render.h"
#include "app/cli/run_files.h"
#include "app/cli/run_view.h"
#include "engine/base/files.h"
#include "engine/base/frame_names.h"
#include "engine/base/text.h"
#include "pipelines/job/batch/job_file.h"
#include "pipelines/job/batch/name_template.h"
#include "pipelines/job/capacity.h"
#include "pipelines/job/events.h"
#include "pipelines/job/job_advice.h"
#include "pipelines/job/preflight.h"
#include "pipelines/job/run/run_session.h"
#include "pipelines/job/schema.h"

namespace rubato::cli {
using nlohmann::json;
namespace fs = std::filesystem;
namespace {

constexpr const char* kUsualName = "{index:04}-{prompt:40}-{seed}.mp4";

// What a person says once for all jobs, since it is the machine's matter and not the clip's; a job's own word counts
// more.
Fields machine_fields(VideoJob& job) {
  auto fields = fields_of(job);
  std::erase_if(fields, [](const FieldRef& field) { return field.name != "reserve" && field.name != "max_ram"; });
  return fields;
}

std::vector<Option> options() {
  constexpr auto kWhat = "Which jobs", kHow = "How it goes", kOut = "Output";
  std::vector<Option> list;
  list.push_back({.name = "out",
                  .letter = 'o',
                  .value = "DIR",
                  .help = "Folder for the results; made if it is missing",
                  .group = kOut,
                  .offer = Offer::Folders,
                  .initial = "a folder named like the job file"});
  list.push_back({.name = "name",
                  .value = "TEMPLATE",
                  .help = "Names of the files of jobs without 'out', such as {job}-{seed}.webm",
                  .group = kOut,
                  .initial = kUsualName});
  list.push_back({.name = "overwrite",
                  .value = "WHEN",
                  .help = "What to do when a file of that name exists that the job did not make",
                  .group = kOut,
                  .choices = {"never", "always", "if-changed", "rename"},
                  .offer = Offer::Choices,
                  .initial = "never"});
  list.push_back(
      {.name = "resume", .help = "Go on where an earlier run stopped; it is what happens anyway", .group = kWhat});
  list.push_back({.name = "fresh",
                  .help = "Render everything anew: what is done or half done counts for nothing",
                  .group = kWhat});
  list.push_back({.name = "jobs-filter",
                  .value = "GLOB",
                  .help = "Only jobs whose id or name matches, such as 'shot-1*'",
                  .group = kWhat});
  list.push_back({.name = "limit", .value = "N", .help = "Render at most N jobs now", .group = kWhat});
  list.push_back({.name = "on-error",
                  .value = "WHAT",
                  .help = "After a failed job go on with the others, or stop",
                  .group = kHow,
                  .choices = {"continue", "stop"},
                  .offer = Offer::Choices,
                  .initial = "continue"});
  list.push_back({.name = "max-retries",
                  .value = "N",
                  .help = "How often a job is tried again whose engine died; then it is put aside",
                  .group = kHow,
                  .range = "0 to 100",
                  .initial = "1"});
  list.push_back({.name = "time-limit",
                  .value = "TIME",
                  .help = "Stop after this time (8h, 90m), in the middle of a job if need be; exit code 9",
                  .group = kHow});
  list.push_back({.name = "disk-wait",
                  .value = "TIME",
                  .help = "How long to wait for a disk that is full or read-only",
                  .group = kHow,
                  .initial = "10m"});
  list.push_back({.name = "gpus",
                  .value = "LIST",
                  .help = "GPUs to use, one engine each: 0,1",
                  .group = kHow,
                  .initial = "the first, else the CPU"});
  list.push_back({.name = "workers",
                  .value = "N",
                  .help = "Engines per device",
                  .group = kHow,
                  .range = "1 to 16",
                  .initial = "1"});
  VideoJob defaults;
  for (auto& option : options_of(machine_fields(defaults))) {
    option.group = kHow;
    list.push_back(std::move(option));
  }
  list.push_back(models_dir_option());
  list.push_back({.name = "dry-run",
                  .help = "Print the plan: every job, its time, memory and disk, and every refusal; start nothing",
                  .group = kHow});
  list.push_back(progress_option());
  return list;
}

// A whole number in a range, or what was wrong with it.
Result<int> number(const Arguments& args, const char* name, int fallback, int low, int high) {
  const auto text = args.value(name);
  if (!text) return fallback;
  int value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error == std::errc{} && end == text->data() + text->size() && value >= low && value <= high) return value;
  return Error{ErrorCode::Usage, fmt::format("--{} {}: give a whole number from {} to {}", name, *text, low, high)};
}

Result<std::optional<std::chrono::seconds>> duration(const Arguments& args, const char* name) {
  const auto text = args.value(name);
  if (!text) return std::optional<std::chrono::seconds>{};
  // "8" would be eight seconds to a program and eight hours to a person.
  if (!text->empty() && std::ranges::all_of(*text, [](unsigned char c) { return std::isdigit(c) != 0; }))
    return Error{ErrorCode::Usage, fmt::format("--{0} {1} has no unit; write {1}s, {1}m or {1}h", name, *text)};
  const auto seconds = parse_duration(*text);
  if (!seconds)
    return Error{ErrorCode::Usage, fmt::format("--{} {} is no time; write 30s, 90m, 8h or 1h30m", name, *text)};
  return std::optional(std::chrono::seconds(static_cast<std::int64_t>(std::ceil(*seconds))));
}

Result<std::vector<std::string>> devices(const Arguments& args) {
  RUBATO_TRY(each, number(args, "workers", 1, 1, 16));
  std::vector<std::string> named;
  for (const auto& item : split(args.value_or("gpus", ""), ',')) {
    const auto gpu = trim(item);
    if (gpu.empty()) continue;
    const bool digits = std::all_of(gpu.begin(), gpu.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    if (!digits || gpu.size() > 3)
      return Error{ErrorCode::Usage,
                   fmt::format("--gpus {}: give the numbers of GPUs, such as 0,1", *args.value("gpus"))};
    named.push_back(fmt::format("cuda:{}", gpu));
    RUBATO_OK(check_device(named.back(), gpu_count("/dev", std::getenv("CUDA_VISIBLE_DEVICES"))));
  }
  if (named.empty()) named.push_back("auto");
  std::vector<std::string> all;
  for (const auto& device : named) all.insert(all.end(), static_cast<std::size_t>(each), device);
  return all;
}

RunOverwrite overwrite(const Arguments& args) {
  const auto when = args.value_or("overwrite", "never");
  if (when == "always") return RunOverwrite::Always;
  if (when == "if-changed") return RunOverwrite::IfChanged;
  return when == "rename" ? RunOverwrite::Rename : RunOverwrite::Never;
}

Result<RunOptions> run_options(const Arguments& args, const fs::path& out) {
  RunOptions options;
  options.out = fs::absolute(out);
  RUBATO_TRY(on, devices(args));
  options.devices = on;
  RUBATO_TRY(retries, number(args, "max-retries", 1, 0, 100));
  options.max_retries = retries;
  RUBATO_TRY(limit, number(args, "limit", 0, 1, 1'000'000));
  options.limit = static_cast<std::size_t>(limit);
  RUBATO_TRY(time_limit, duration(args, "time-limit"));
  options.time_limit = time_limit;
  RUBATO_TRY(disk_wait, duration(args, "disk-wait"));
  if (disk_wait) options.disk_patience = *disk_wait;
  options.stop_on_error = args.value("on-error") == "stop";
  options.fresh = args.has("fresh");
  options.overwrite = overwrite(args);
  if (args.has("fresh") && args.has("resume"))
    return Error{ErrorCode::Usage, "--resume and --fresh exclude each other; leave one of them out"};
  return options;
}

// What a job must pass that the model alone does not say.
Result<> check_job(const VideoJob& job) {
  auto inputs = job;
  RUBATO_OK(check_extension(job.out));
  RUBATO_OK(check_picture_name(job.out, *job.frames));
  inputs.out.clear();
  inputs.latents_out.clear();
  inputs.trace.clear();
  return check_files(inputs);
}

struct Prepared {
  BatchFile file;  // its jobs are in the plan
  RunOptions options;
  RunPlan plan;
  JobAdvice advice;
  std::map<std::string, std::vector<std::string>> advice_by_job;  // the same, by the jobs' ids
};

Result<Prepared> prepare(const Context& context, JobForecasts& forecasts) {
  const auto& args = context.args;
  const fs::path job_file = args.positionals().front();
  Prepared run;
  RUBATO_TRY(options, run_options(args, args.value_or("out", job_file.stem().string())));
  run.options = std::move(options);
  RUBATO_TRY(file, read_batch(job_file));
  run.file = std::move(file);
  VideoJob for_all;
  RUBATO_OK(apply_options(machine_fields(for_all), args));
  for (auto& job : run.file.jobs) fill_unset_fields(machine_fields(job.job), machine_fields(for_all));
  PlanOptions planning;
  planning.out = run.options.out;
  if (std::error_code failed; fs::is_regular_file(job_file, failed))
    run.options.job_file = planning.job_file = fs::weakly_canonical(fs::absolute(job_file), failed);
  planning.name = args.value_or("name", kUsualName);
  if (auto name = NameTemplate::parse(planning.name); !name)
    return Error{ErrorCode::Usage, fmt::format("--name {}: {}", planning.name, name.error().message)};
  planning.overwrite = run.options.overwrite;
  RUBATO_TRY(models, model_folders(context.folders, args));
  planning.models = std::move(models);
  planning.jobs_filter = args.value_or("jobs-filter", "");
  planning.fresh = run.options.fresh;
  planning.check = [&](const VideoJob& job, const VideoModel& model) -> Result<> {
    RUBATO_OK(check_job(job));
    return forecasts.check(job, model);
  };
  planning.forecast = [&](RunJob& job, const VideoModel& model) {
    forecasts.fill(job, model);
    if (!job.selected) return;
    run.advice.look_at(job.job, model);
    JobAdvice own;
    own.look_at(job.job, model);
    if (auto said = own.sentences(); !said.empty()) run.advice_by_job[job.id()] = std::move(said);
  };
  const auto now = std::time(nullptr);
  ::localtime_r(&now, &planning.when);
  run.plan = plan_run(std::exchange(run.file.jobs, {}), planning);
  const bool any =
      std::any_of(run.plan.jobs.begin(), run.plan.jobs.end(), [](const RunJob& job) { return job.selected; });
  if (!any && run.plan.refusals.empty())
    return Error{ErrorCode::Usage, planning.jobs_filter.empty()
                                       ? fmt::format("{} holds no jobs", job_file.string())
                                       : fmt::format("no job's id or name matches '{}'", planning.jobs_filter)};
  return run;
}

// What would keep a run from making the output folder or writing into it. CannotWrite.
Result<> check_folder(const fs::path& out) {
  std::error_code failed;
  auto there = out;  // or the first folder above it that is there
  while (!fs::exists(fs::status(there, failed)) && there.has_relative_path()) there = there.parent_path();
  if (!fs::is_directory(there, failed))
    return Error{ErrorCode::CannotWrite, fmt::format("{} is not a folder; choose another --out", there.string())};
  if (::access(there.c_str(), W_OK | X_OK) != 0) return write_error(there, errno);
  return {};
}

Result<> dry_run(const Context& context, const Prepared& run, ProgressMode mode) {
  if (mode == ProgressMode::Json)
    context.out.json_line(make_event("plan", plan_json(run.plan, run.options)));
  else if (context.args.has("json"))
    context.out.json(plan_json(run.plan, run.options));
  else
    context.out.result(plan_table(run.plan));
  context.out.say(plan_summary(run.plan, run.options));
  for (const auto& sentence : sentences(run.plan.left_work, run.options.job_file)) context.out.say(sentence);
  return run.plan.refusals.empty() ? check_folder(run.options.out) : refusal_error(run.plan);
}

// The exit code's reason: what stopped the run, else that jobs are not done, else that this could not be written down.
Result<> verdict(const RunPlan& plan, const RunResult& result, const Interrupts& interrupts, const Result<>& written) {
  if (result.stopped) {
    auto error = *result.stopped;
    if (error.code == ErrorCode::Cancelled && interrupts.terminated()) error.code = ErrorCode::Terminated;
    return error;
  }
  std::size_t not_done = 0, selected = 0;
  for (std::size_t i = 0; i < plan.jobs.size(); ++i) {
    if (!plan.jobs[i].selected) continue;
    const auto state = result.outcomes[i].state;
    if (state != JobState::Queued) ++selected;  // a limit leaves jobs to later runs
    if (state == JobState::Failed || state == JobState::Suspended || state == JobState::Blocked) ++not_done;
  }
  if (not_done == 0) return written;
  auto sentence = fmt::format("{} of {} jobs {} not done", not_done, selected, not_done == 1 ? "is" : "are");
  if (written)
    sentence +=
        fmt::format("; failed.csv holds {}, with the reasons, and can be run again", not_done == 1 ? "it" : "them");
  return Error{ErrorCode::Failed, sentence};
}

Result<json> render(const Context& context, ProgressMode mode) {
  Interrupts interrupts;  // from here on: who ends a run while it is planned gets its exit code too
  JobForecasts forecasts(context.folders.state);
  RUBATO_TRY(run, prepare(context, forecasts));
  for (const auto& sentence : run.advice.sentences()) context.out.warn(sentence);
  run.options.learn = [&](const RunJob& job, const json& report, const TimedUnder& under) {
    forecasts.learn(job, report, under);
  };
  if (context.args.has("dry-run")) {
    RUBATO_OK(dry_run(context, run, mode));
    return json::object();
  }
  if (!run.plan.refusals.empty()) {
    auto error = refusal_error(run.plan);
    error.message += "\nNothing was started.";
    return error;
  }
  RUBATO_OK(check_folder(run.options.out));
  StopSignals signals(interrupts);
  run.options.stop_fd = interrupts.fd();
  run.options.stop_wish = [&] { return signals.wish(); };
  const bool as_json = context.args.has("json") && mode != ProgressMode::Json;
  RunView view(context.out, mode, run.plan, run.options, !as_json);
  if (mode == ProgressMode::Json) context.out.json_line(make_event("plan", plan_json(run.plan, run.options)));
  const auto& plan = run.plan;
  RunSession session(run.options, plan, view);
  RUBATO_TRY(result, session.run());
  const auto written = write_run_files(run.options, run.file, plan, result, view.started_at(),
                                       context.args.positionals().front(), run.advice_by_job);
  if (!written) view.note(written.error().message);
  view.finish(result, written.ok());
  if (as_json) context.out.json(result_json(plan, result));
  RUBATO_OK(verdict(plan, result, interrupts, written));
  return json::object();
}

Result<> run(const Context& context) {
  const auto mode = progress_mode(context.args);
  return with_events(context.out, mode, [&] { return render(context, mode); });
}

}  // namespace

const Command kRun{
    .path = "run",
    .summary = "Render all jobs of a file, and go on where an earlier run stopped",
    .text =
        "The file is YAML, JSON, JSONL (one job a line) or CSV (a header with the names of fields); 'schema jobs' "
        "prints what may "
        "stand in it. Everything is checked before anything is started.\n"
        "The same command again skips what is done and goes on with the rest, in the middle of a job if need be, "
        "whatever ended the "
        "run: Ctrl-C, a time limit, a kill, a power cut. Several of these commands, on one or many hosts, may share an "
        "output folder: "
        "each job is rendered once.\n"
        "Prints the path of each finished file. Writes report.html and, where jobs failed, failed.csv, which can be "
        "run again; both cover all that was rendered into the folder, and a job leaves failed.csv when a run that has "
        "it brings it to an end. Exit code 0: all done; 1: some jobs are not; 9: time limit.",
    .options = options,
    .positionals = {{.name = "JOBS", .help = "A job file (.yaml, .json, .jsonl or .csv)", .offer = Offer::Files}},
    .prints_json = true,
    .examples = {{"rubato-cli run shots.csv --out renders --dry-run",
                  "What would be done, how long it takes, and what is wrong"},
                 {"rubato-cli run shots.csv --out renders --time-limit 8h",
                  "A night's work; the same line goes on the next night"},
                 {"rubato-cli run renders/failed.csv --out renders", "What failed, once more"}},
    .run = run,
};

}  // namespace rubato::cli
