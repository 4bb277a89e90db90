// queue add: the jobs of job files, checked against their models, behind what the queue holds already.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "app/cli/places.h"
#include "app/cli/queue_view.h"
#include "engine/base/ids.h"
#include "engine/base/text.h"
#include "pipelines/job/batch/job_file.h"
#include "pipelines/job/batch/name_template.h"
#include "pipelines/job/job_advice.h"
#include "pipelines/job/preflight.h"

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
  for (const fs::path output : {job.out, job.latents_out, job.trace}) {
    std::error_code failed;
    if (!output.empty() && output.has_filename() && fs::is_directory(output.parent_path(), failed))
      RUBATO_OK(check_writable(output, overwrite_of(job)));
  }
  return {};
}

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

Result<> run(const Context& context) {
  RUBATO_TRY(where, model_folders(context.folders, context.args));
  const fs::path folder = fs::absolute(context.args.value_or("out", "."));
  const auto now = std::time(nullptr);
  std::tm when{};
  ::localtime_r(&now, &when);

  json ids = json::array();
  std::set<std::string> outputs;
  std::vector<json> requests;
  std::vector<std::string> problems;
  JobAdvice advice;
  for (const auto& file : context.args.positionals()) {
    RUBATO_TRY(batch, read_batch(file));
    json jobs = json::array();
    for (const auto& entry : batch.jobs) {
      auto job = ready_job(entry, where, folder, when, advice);
      if (job && !outputs.insert(job->out).second)
        job =
            Error{ErrorCode::JobInvalid,
                  fmt::format("{} would be written twice; put {{index}}, {{seed}} or {{job}} into the name", job->out)};
      if (!job) {
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
  if (!problems.empty()) {
    const auto shown = std::span(problems).first(std::min(problems.size(), kProblemsShown));
    return Error{ErrorCode::JobInvalid, fmt::format("{}{}; nothing was added", join(shown, "\n"),
                                                    problems.size() > shown.size()
                                                        ? fmt::format("\nand {} more", problems.size() - shown.size())
                                                        : "")};
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
        {{.name = "FILE", .help = "Job file: YAML, JSON, JSONL or CSV", .offer = Offer::Files, .repeatable = true}},
    .prints_json = true,
    .examples = {{"rubato-cli queue add shots.csv --out ~/Videos", "A table of jobs"}},
    .run = run,
};

}  // namespace rubato::cli
