// gen video: one clip from a sentence.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/cli/command.h"
#include "app/cli/job_flags.h"
#include "app/cli/places.h"
#include "app/cli/render.h"
#include "engine/base/drafts.h"
#include "pipelines/job/events.h"
#include "pipelines/job/job_advice.h"
#include "pipelines/job/memory_forecast.h"
#include "pipelines/job/output_lock.h"
#include "pipelines/job/preflight.h"
#include "pipelines/job/queue/job_timings.h"
#include "pipelines/job/schema.h"

namespace rubato::cli {
using nlohmann::json;
namespace {

constexpr auto kOutput = "Output";

std::vector<Option> options() {
  VideoJob defaults;
  auto list = options_of(fields_of(defaults));
  std::erase_if(list, [](const Option& option) { return option.name == "verify-against"; });  // what `verify` is for
  for (auto& option : list)
    if (option.name == "overwrite") {
      option.choices.push_back("rename");  // the command's own: it picks a free name and then never overwrites
      option.help += "; rename picks a free name";
    }
  auto models = models_dir_option();
  models.group = "Model, device and output";
  list.push_back(std::move(models));
  list.push_back({.name = "job",
                  .value = "FILE",
                  .help = "Start from a job file, YAML or JSON, such as 'inspect --job' prints; flags win over it",
                  .group = kOutput,
                  .offer = Offer::Files});
  list.push_back({.name = "report",
                  .value = "FILE",
                  .help = "Write the run report (times, memory, devices, hashes) as JSON",
                  .group = kOutput,
                  .offer = Offer::Files});
  list.push_back({.name = "dry-run",
                  .help = "Check everything that needs no engine, print the job, start nothing",
                  .group = kOutput});
  list.push_back(progress_option());
  return list;
}

// The job that the command line describes, nothing filled in yet.
Result<VideoJob> job_from(const Arguments& args) {
  VideoJob job;
  if (const auto file = args.value("job")) {
    RUBATO_TRY(read, read_video_job(*file));
    job = std::move(read);
  }
  auto fields = fields_of(job);
  const bool rename = args.value("overwrite") == "rename";
  if (rename) std::erase_if(fields, [](const FieldRef& field) { return field.name == "overwrite"; });
  RUBATO_OK(apply_options(fields, args));
  if (rename) {
    job.overwrite = "never";
    if (!job.out.empty()) job.out = free_name(job.out).string();
  }
  auto ready = check_ready(job);
  // Without a job file what is missing is a flag.
  if (!ready && !args.has("job")) return Error{ErrorCode::Usage, ready.error().message};
  RUBATO_OK(ready);
  return job;
}

// What the model finds wrong names the job file, as what the file itself gets wrong does, unless a flag may be to
// blame.
Error with_source(Error error, const Arguments& args) {
  const auto file = args.value("job");
  if (!file || error.code != ErrorCode::JobInvalid) return error;
  VideoJob job;
  for (const auto& field : fields_of(job))
    if (field.name != "out" && field.name != "overwrite" && args.has(flag_of(field.name).substr(2))) return error;
  error.message = fmt::format("{}: {}", std::filesystem::path(*file).filename().string(), error.message);
  return error;
}

std::string frames_of(const VideoJob& job) { return counted(static_cast<std::uint64_t>(*job.frames), "frame"); }

std::string plan_line(const Ready& ready) {
  const auto& job = ready.job;
  return fmt::format("Nothing was started. {} would be written: {} of {}x{}, {}, with {}.", job.out, frames_of(job),
                     job.size->width, job.size->height, counted(static_cast<std::uint64_t>(*job.steps), "step"),
                     ready.model.name);
}

// What was asked for, as it was named: a clip, a folder or pattern of frames (once, not each picture), latents, a
// trace. Sidecars are not.
std::vector<std::string> asked_for(const VideoJob& job, const protocol::Done& done) {
  std::vector<std::string> paths;
  for (const auto& output : done.outputs) {
    const bool picture = output.kind == "frames";
    if (output.kind == "metadata" || output.kind == "report" || (picture && !paths.empty() && paths[0] == job.out))
      continue;
    paths.push_back(picture ? job.out : output.path);
  }
  return paths;
}

std::string closing_line(const Ready& ready, const RenderResult& result) {
  const auto& job = ready.job;
  std::string seed;
  if (const auto& report = result.done.report;
      report.contains("job") && report["job"].contains("seed") && report["job"]["seed"].is_number_unsigned())
    seed = fmt::format(", seed {}", report["job"]["seed"].get<std::uint64_t>());
  else if (job.seed)
    seed = fmt::format(", seed {}", *job.seed);
  auto line = fmt::format("Done in {:.1f} s: {} of {}x{} at {} fps{}.", result.seconds, frames_of(job), job.size->width,
                          job.size->height, *job.fps, seed);
  if (job.metadata && !job.out.empty()) line += fmt::format(" How it was made: rubato-cli inspect {}", job.out);
  return line;
}

// The clip is finished, so its path comes first: a report that cannot be written must not hide it.
Result<> finish(const Context& context, const Ready& ready, const RenderResult& result, ProgressMode mode) {
  const auto paths = asked_for(ready.job, result.done);
  if (mode != ProgressMode::Json) {
    if (context.args.has("json"))
      context.out.json({{"outputs", paths}, {"seconds", result.seconds}, {"report", result.done.report}});
    else
      for (const auto& path : paths) context.out.result(path);
  }
  context.out.say(closing_line(ready, result));
  const auto file = context.args.value("report");
  if (!file) return {};
  const auto written = write_file_atomically(*file, result.done.report.dump(2) + "\n", overwrite_of(ready.job));
  if (written) return {};
  return Error{written.error().code,
               fmt::format("the clip is finished, but its report is not written: {}", written.error().message)};
}

Result<json> render(const Context& context, ProgressMode mode) {
  RUBATO_TRY(job, job_from(context.args));
  RUBATO_OK(check_files(job, context.args.value_or("report", "")));
  RUBATO_TRY(where, model_folders(context.folders, context.args));
  const bool dry = context.args.has("dry-run");
  std::optional<OutputLock> lock;  // outlives the worker
  // The worker loads its libraries while the model's folder is looked at.
  std::optional<Renderer> renderer;
  Result<> started;  // told after what is wrong with the job
  if (!dry) {
    renderer.emplace(context.out, mode);
    started = renderer->start();
  }
  auto found = resolve(std::move(job), where);
  if (!found) return with_source(found.error(), context.args);
  const auto ready = std::move(*found);
  const auto resolved = video_job_to_json(ready.job);
  JobAdvice advice;
  advice.look_at(ready.job, ready.model);
  for (const auto& sentence : advice.sentences()) context.out.warn(sentence);
  RUBATO_TRY(memory, forecast_memory(ready.model, ready.job, memory_available(ready.job)));
  if (mode == ProgressMode::Json)
    context.out.json_line(
        make_event("plan", {{"jobs", json::array({resolved})}, {"memory", json::array({to_json(memory)})}}));
  if (dry) {
    if (mode != ProgressMode::Json) context.out.json(resolved);
    context.out.say(plan_line(ready));
    if (memory.fit != Fit::DoesNotFit) context.out.say(fmt::format("It {}.", memory.sentence));
  }
  // As in a batch: what fits in no way is not begun.
  if (memory.fit == Fit::DoesNotFit) return Error{ErrorCode::OutOfMemory, fmt::format("this job {}", memory.sentence)};
  if (dry) return json::object();
  RUBATO_OK(started);
  // Two renders of one output would move each other's partial work.
  if (!ready.job.out.empty()) {
    RUBATO_TRY(taken, OutputLock::take(ready.job.out, "rubato-cli"));
    lock.emplace(std::move(taken));
  }
  for (const std::filesystem::path output :
       {ready.job.out, ready.job.latents_out, ready.job.trace, context.args.value_or("report", "")})
    if (!output.empty()) remove_dead_drafts(std::filesystem::absolute(output).parent_path());
  if (const std::filesystem::path out(ready.job.out);
      !out.empty() && !out.has_filename())  // drafts of frames/ lie beside it
    remove_dead_drafts(std::filesystem::absolute(out).parent_path().parent_path());
  JobTimings timings(context.folders.state);
  RUBATO_TRY(result, renderer->run(resolved, {.expected_s = timings.expected(ready.job, ready.model).expected_s}));
  timings.learn(ready.job, ready.model, result.done.report, {.resumed = result.resumed});
  RUBATO_OK(finish(context, ready, result, mode));
  return json::object();
}

Result<> run(const Context& context) {
  const auto mode = progress_mode(context.args);
  return with_events(context.out, mode, [&] { return render(context, mode); });
}

}  // namespace

const Command kGenVideo{
    .path = "gen video",
    .summary = "Render a clip from a sentence",
    .text =
        "Prints the path of the finished file. What is not given comes from the model's card (rubato.json), else from "
        "its family; "
        "without -m the practice model is used.\n"
        "Ctrl-C stops after the current step and keeps what is needed to continue: the same command goes on from "
        "there. "
        "Ctrl-C again stops at once.",
    .options = options,
    .prints_json = true,
    .examples =
        {{"rubato-cli gen video -p 'a red circle moves right' -o clip.mp4", "A clip with the practice model"},
         {"rubato-cli gen video -m ~/models/Wan2.1-T2V-1.3B-Diffusers -p 'a lighthouse at dusk' --seed 7 -o out.mp4",
          "A clip with a model of yours"},
         {"rubato-cli inspect --job clip.mp4 > job.yaml && rubato-cli gen video --job job.yaml --seed 8 -o other.mp4",
          "The same again with another seed"}},
    .run = run,
};

}  // namespace rubato::cli
