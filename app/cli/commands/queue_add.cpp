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
           .help = "Folder that the jobs write to; by default the current one",
           .offer = Offer::Folders},
          {.name = "batch", .value = "NAME", .help = "Name for what is added together; by default the file's name"},
          models_dir_option()};
}

// The job as it will be rendered: every field filled, a seed drawn, the output's whole path.
Result<VideoJob> ready_job(const BatchJob& batch, const ModelFolders& where, const fs::path& folder, std::tm when) {
  RUBATO_TRY(ready, resolve(batch.job, where));
  auto job = std::move(ready.job);
  if (!job.seed) job.seed = std::random_device{}();
  RUBATO_TRY(name, NameTemplate::parse(job.out.empty() ? kDefaultName : job.out));
  RUBATO_OK(name.check_variables(batch.variables));
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
  RUBATO_TRY(out, SafePath::inside(folder, name.render(values)));
  job.out = out.path().string();
  return job;
}

Result<> run(const Context& context) {
  RUBATO_TRY(where, model_folders(context.folders, context.args));
  const fs::path folder = fs::absolute(context.args.value_or("out", "."));
  std::error_code failed;
  if (!fs::is_directory(folder, failed))
    return Error{ErrorCode::Usage, fmt::format("--out {} is not a folder; create it first", folder.string())};
  const auto now = std::time(nullptr);
  std::tm when{};
  ::localtime_r(&now, &when);

  json ids = json::array();
  std::set<std::string> outputs;
  std::vector<json> requests;
  std::vector<std::string> problems;
  for (const auto& file : context.args.positionals()) {
    RUBATO_TRY(batch, read_batch(file));
    json jobs = json::array();
    for (const auto& entry : batch.jobs) {
      auto job = ready_job(entry, where, folder, when);
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
  for (const auto& request : requests) {
    RUBATO_TRY(answer, ask(context, request));
    for (const auto& id : answer["ids"]) ids.push_back(id);
  }
  if (context.args.has("json"))
    context.out.json({{"ids", ids}});
  else
    for (const auto& id : ids) context.out.result(id.get<std::string>());
  context.out.say(fmt::format("{} added to the queue.", count_of_jobs(ids.size())));
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
