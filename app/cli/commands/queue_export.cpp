// queue export, queue import: the queue as one JSON file, to keep or to take to another machine.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "app/cli/queue_view.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "pipelines/job/command_line.h"
#include "pipelines/job/job_file_name.h"
#include "pipelines/job/queue/queue_requests.h"

namespace rubato::cli {
using nlohmann::json;
namespace {

constexpr int kFileVersion = 1;
constexpr std::size_t kMaxFile = 64u << 20;

std::vector<Option> export_options() {
  return {{.name = "output",
           .letter = 'o',
           .value = "FILE",
           .help = "Write to FILE, which must not be there yet",
           .offer = Offer::Files}};
}

// An empty queue where there is no file yet.
Result<std::vector<QueueJob>> all_jobs(const Context& context) {
  const auto file = queue_file(context.folders.state);
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return std::vector<QueueJob>{};
  RUBATO_TRY(store, open_to_look(context));
  RUBATO_TRY(left_behind, store.left_behind());
  RUBATO_TRY(jobs, store.list());
  if (left_behind) mark_interrupted(jobs);
  return jobs;
}

Result<> export_queue(const Context& context) {
  RUBATO_TRY(jobs, all_jobs(context));
  json file{{"version", kFileVersion}, {"kind", "queue"}, {"jobs", json::array()}};
  for (const auto& job : jobs) file["jobs"].push_back(to_json(job));
  if (const auto path = context.args.value("output")) {
    const auto written =
        write_file_atomically(*path, file.dump(2, ' ', false, json::error_handler_t::replace) + "\n", Overwrite::Never);
    if (!written && written.error().code == ErrorCode::OutputExists)
      return Error{ErrorCode::OutputExists, fmt::format("{} exists already; choose another name or remove it", *path)};
    RUBATO_OK(written);
  } else {
    context.out.json(file);
  }
  context.out.say(fmt::format("{} exported.", count_of_jobs(jobs.size())));
  return {};
}

Result<> import_queue(const Context& context) {
  const auto& name = context.args.positionals()[0];
  RUBATO_TRY(text, read_file(name, kMaxFile));
  // By its name: what stands in it belongs to another command, and so does what is wrong with it.
  if (const auto kind = lower_extension(name);
      may_hold_jobs(name) && !kind.empty() && kind != ".json" && kind != ".txt")
    return Error{ErrorCode::JobInvalid,
                 fmt::format("{} is a job file: rubato-cli queue add {}", name, shell_quoted(name))};
  RUBATO_TRY(file, parse_json(text, name, {.max_bytes = kMaxFile}));
  const auto wrong = [&](std::string_view what) {
    return Error{ErrorCode::JobInvalid, fmt::format("{}: {}", name, what)};
  };
  const auto member = [](const json& object, const char* key) {
    const auto it = object.find(key);
    return it == object.end() ? json(nullptr) : *it;
  };
  if (!file.is_object() || member(file, "kind") != "queue" || !member(file, "jobs").is_array())
    return wrong("this is not what 'queue export' writes; job files are added by 'queue add'");
  if (member(file, "version") != kFileVersion)
    return wrong(fmt::format("it has another version than {}, which this Rubato reads", kFileVersion));

  RUBATO_TRY(there, all_jobs(context));
  std::set<std::string> known;
  for (const auto& job : there) known.insert(job.id);
  json jobs = json::array();
  std::set<std::string> waiting;
  std::size_t done = 0, doubled = 0;
  for (const auto& job : file["jobs"]) {
    if (!job.is_object() || !member(job, "id").is_string() || !member(job, "job").is_object())
      return wrong("a job lacks its 'id' or its 'job'");
    if (member(job, "state") == "done") {
      ++done;
      continue;
    }
    const auto id = job["id"].get<std::string>();
    if (known.contains(id)) {
      ++doubled;
      continue;
    }
    waiting.insert(id);
    json added{{"id", id}, {"spec", job["job"]}};
    for (const char* key : {"name", "key", "device", "priority", "parent", "after"})
      if (job.contains(key)) added[key] = job[key];
    jobs.push_back(std::move(added));
  }
  // What is done is not waited for any more.
  for (auto& job : jobs) {
    if (!job.contains("after") || !job["after"].is_array()) continue;
    json after = json::array();
    for (const auto& id : job["after"])
      if (id.is_string() && (waiting.contains(id.get<std::string>()) || known.contains(id.get<std::string>())))
        after.push_back(id);
    job["after"] = std::move(after);
  }
  const auto count = jobs.size();
  if (count > 0)
    RUBATO_OK(ask(
        context,
        {{"request", "add"}, {"jobs", std::move(jobs)}, {"batch", std::filesystem::path(name).filename().string()}}));
  auto sentence = fmt::format("{} imported", count_of_jobs(count));
  if (done > 0) sentence += fmt::format("; {} done already", done);
  if (doubled > 0) sentence += fmt::format("; {} in the queue already", doubled);
  context.out.say(sentence + ".");
  return {};
}

}  // namespace

const Command kQueueExport{.path = "queue export",
                           .summary = "Write the queue as JSON",
                           .options = export_options,
                           .examples = {{"rubato-cli queue export -o queue.json", "Into a file"}},
                           .run = export_queue};

const Command kQueueImport{
    .path = "queue import",
    .summary = "Add the jobs of an exported queue",
    .text =
        "Jobs that were done when the file was written are left out, and so are those that the queue holds already.",
    .positionals = {{.name = "FILE", .help = "What 'queue export' wrote", .offer = Offer::Files}},
    .run = import_queue};

}  // namespace rubato::cli
