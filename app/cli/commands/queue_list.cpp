// queue list: what the queue holds, as a table or as JSON.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/cli/queue_view.h"
#include "engine/base/text.h"
#include "pipelines/job/queue/queue_requests.h"

namespace rubato::cli {
using nlohmann::json;
namespace {

constexpr std::size_t kRows = 50;  // of the table, unless asked for more

std::vector<Option> options() {
  return {{.name = "state",
           .value = "STATE",
           .help = "Only jobs in this state; may be given again",
           .choices = state_names(),
           .offer = Offer::Choices,
           .repeatable = true},
          {.name = "batch", .value = "NAME", .help = "Only what was added together under this name"},
          {.name = "all", .help = "All rows, however many", .group = "Options"}};
}

std::string progress_of(const QueueJob& job, bool left_behind) {
  if (left_behind && job.state == JobState::Interrupted) return "'rubato-cli queue run' goes on with it";
  if (job.state != JobState::Running) return job.reason;
  auto text = fmt::format("{} {:.0f} %", job.phase.empty() ? "starting" : job.phase, std::floor(100 * job.fraction));
  if (job.eta_s >= 0) text += fmt::format(", {} left", human_duration(job.eta_s));
  return text;
}

std::string prompt_of(const QueueJob& job) {
  const auto spec = json::parse(job.spec, nullptr, false);
  const auto it = spec.is_object() ? spec.find("prompt") : spec.end();
  return spec.is_object() && it != spec.end() && it->is_string() ? fit_width(printable(it->get<std::string>()), 40)
                                                                 : "";
}

Result<std::vector<QueueJob>> rows(const Context& context, const QueueStore& store, bool left_behind) {
  if (context.args.positionals().empty()) {
    QueueFilter filter{.batch = context.args.value_or("batch", "")};
    for (const auto& name : context.args.values("state")) filter.states.push_back(*state_from_name(name));
    if (left_behind && !filter.states.empty()) {  // its running jobs are interrupted ones
      std::erase(filter.states, JobState::Running);
      if (filter.states.empty()) return std::vector<QueueJob>{};
      if (std::ranges::find(filter.states, JobState::Interrupted) != filter.states.end())
        filter.states.push_back(JobState::Running);
    }
    if (!context.args.has("all") && !context.args.has("json")) filter.limit = kRows + 1;
    return store.list(filter);
  }
  std::vector<QueueJob> jobs;
  for (const auto& word : context.args.positionals()) {
    RUBATO_TRY(id, store.id_of(word));
    RUBATO_TRY(job, store.find(id));
    if (job) jobs.push_back(std::move(*job));
  }
  return jobs;
}

Result<std::vector<QueueJob>> chosen(const Context& context, const QueueStore& store, bool left_behind) {
  RUBATO_TRY(jobs, rows(context, store, left_behind));
  if (left_behind) mark_interrupted(jobs);
  return jobs;
}

Result<std::map<JobState, std::int64_t>> totals_of(const QueueStore& store, bool left_behind) {
  RUBATO_TRY(totals, store.totals());
  if (left_behind) totals[JobState::Interrupted] += std::exchange(totals[JobState::Running], 0);
  return totals;
}

// A job that was asked for by its id, with what it left.
Result<json> in_full(const QueueStore& store, const QueueJob& job) {
  auto value = to_json(job);
  RUBATO_TRY(outputs, store.outputs(job.id));
  for (const auto& output : outputs)
    value["outputs"].push_back(
        {{"path", output.path}, {"kind", output.kind}, {"bytes", output.bytes}, {"sha256", output.sha256}});
  RUBATO_TRY(events, store.events(job.id));
  for (const auto& event : events) {
    auto content = json::parse(event.json, nullptr, false);
    value["events"].push_back({{"seq", event.seq},
                               {"time", event.time},
                               {"event", content.is_discarded() ? json(event.json) : std::move(content)}});
  }
  return value;
}

Result<> print_json(const Context& context, const QueueStore& store, const std::vector<QueueJob>& jobs,
                    bool left_behind) {
  RUBATO_TRY(paused, store.paused());
  RUBATO_TRY(totals, totals_of(store, left_behind));
  json value{{"paused", paused}, {"totals", json::object()}, {"jobs", json::array()}};
  for (const auto& [state, count] : totals) value["totals"][std::string(state_name(state))] = count;
  for (const auto& job : jobs) {
    if (context.args.positionals().empty()) {
      value["jobs"].push_back(to_json(job));
    } else {
      RUBATO_TRY(full, in_full(store, job));
      value["jobs"].push_back(std::move(full));
    }
  }
  context.out.json(value);
  return {};
}

Result<> say_totals(const Context& context, const QueueStore& store, bool left_behind) {
  RUBATO_TRY(totals, totals_of(store, left_behind));
  std::vector<std::string> parts;
  for (const auto& [state, count] : totals)
    if (count > 0) parts.push_back(fmt::format("{} {}", count, state_name(state)));
  context.out.say(parts.empty() ? "The queue is empty." : join(parts, ", ") + ".");
  RUBATO_TRY(paused, store.paused());
  RUBATO_TRY(reason, store.pause_reason());
  if (paused)
    context.out.say(fmt::format("The queue is paused{}; 'rubato-cli queue resume' goes on.",
                                reason.empty() ? "" : ": " + printable(reason)));
  else if (left_behind && totals[JobState::Queued] + totals[JobState::Interrupted] > 0)
    context.out.say("The last session did not end properly; 'rubato-cli queue run' goes on from where it stopped.");
  else if (totals[JobState::Queued] > 0 && !is_worked_on(context))
    context.out.say(kWaitsForARunner);
  return {};
}

Result<> run(const Context& context) {
  const auto file = queue_file(context.folders.state);
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    if (!context.args.positionals().empty())
      return Error{ErrorCode::Usage,
                   fmt::format("there is no job '{}': the queue is empty", context.args.positionals()[0])};
    if (context.args.has("json"))
      context.out.json({{"paused", false}, {"totals", json::object()}, {"jobs", json::array()}});
    context.out.say("The queue is empty.");
    return {};
  }
  RUBATO_TRY(store, open_to_look(context));
  for (const auto& note : store.notes()) context.out.warn(printable(note));
  RUBATO_TRY(left_behind, store.left_behind());
  RUBATO_TRY(jobs, chosen(context, store, left_behind));
  if (context.args.has("json")) return print_json(context, store, jobs, left_behind);
  const bool cut = context.args.positionals().empty() && !context.args.has("all") && jobs.size() > kRows;
  if (cut) jobs.resize(kRows);
  Table table({"ID", "STATE", "JOB", "PROMPT", ""});
  for (const auto& job : jobs)
    table.add({short_id(job.id), std::string(state_name(job.state)), fit_width(printable(job.name), 24), prompt_of(job),
               printable(progress_of(job, left_behind))});
  if (!table.empty()) context.out.result(table.text());
  if (cut) context.out.say("More with --all.");
  return say_totals(context, store, left_behind);
}

}  // namespace

const Command kQueueList{
    .path = "queue list",
    .summary = "Show what the queue holds",
    .text =
        "Jobs are named by the last six letters of their ids; every command takes those, or the beginning of an id. "
        "With "
        "an ID and --json, a job's outputs and history are shown too.",
    .options = options,
    .positionals = {{.name = "ID", .help = "Only these jobs", .required = false, .repeatable = true}},
    .prints_json = true,
    .run = run,
};

}  // namespace rubato::cli
