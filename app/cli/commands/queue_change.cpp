// queue pause, resume, move, cancel, retry: one request each, to the queue or to the instance that holds it.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/cli/queue_view.h"

namespace rubato::cli {
using nlohmann::json;
namespace {

Result<> print(const Context& context, const json& answer, std::string_view sentence) {
  if (context.args.has("json")) {
    json members = answer;
    members.erase("version");  // of the hand-over
    members.erase("ok");
    context.out.json(members);
  }
  context.out.say(sentence);
  return {};
}

Result<> pause(const Context& context) {
  RUBATO_TRY(answer, ask(context, {{"request", "pause"}}));
  return print(context, answer, "The queue is paused: what runs ends, nothing new is started.");
}

Result<> resume(const Context& context) {
  RUBATO_TRY(answer, ask(context, {{"request", "resume"}}));
  return print(context, answer, "The queue goes on.");
}

std::vector<Option> move_options() {
  return {{.name = "first", .help = "In front of all others"},
          {.name = "last", .help = "Behind all others"},
          {.name = "before", .value = "ID", .help = "In front of this job, with its priority"},
          {.name = "after", .value = "ID", .help = "Behind this job, with its priority"}};
}

Result<> move(const Context& context) {
  json request{{"request", "move"}, {"id", context.args.positionals()[0]}};
  int places = 0;
  for (const char* name : {"first", "last", "before", "after"}) {
    if (!context.args.has(name)) continue;
    ++places;
    request["to"] = name;
    if (const auto other = context.args.value_or(name, ""); !other.empty()) request["other"] = other;
  }
  if (places != 1) return Error{ErrorCode::Usage, "say where to: one of --first, --last, --before ID and --after ID"};
  RUBATO_TRY(answer, ask(context, request));
  return print(context, answer, fmt::format("{} was moved.", short_id(answer["id"].get<std::string>())));
}

Result<> change_each(const Context& context, std::string_view request, std::string_view done) {
  RUBATO_TRY(answer, ask(context, {{"request", request}, {"ids", context.args.positionals()}}));
  const auto jobs = answer["ids"].size();
  return print(context, answer, fmt::format("{} {} {}.", count_of_jobs(jobs), jobs == 1 ? "was" : "were", done));
}

Result<> cancel(const Context& context) { return change_each(context, "cancel", "cancelled"); }
Result<> retry(const Context& context) { return change_each(context, "retry", "put back into the queue"); }

Positional some_jobs() {
  return {.name = "ID", .help = "A job, by the beginning of its id or its last six letters", .repeatable = true};
}

}  // namespace

const Command kQueuePause{.path = "queue pause", .summary = "Start no further jobs", .prints_json = true, .run = pause};

const Command kQueueResume{
    .path = "queue resume",
    .summary = "Go on with a paused queue",
    .text = "After a crash the queue waits until this is said; interrupted jobs are then continued from what was kept.",
    .prints_json = true,
    .run = resume};

const Command kQueueMove{.path = "queue move",
                         .summary = "Change the order of the queue",
                         .options = move_options,
                         .positionals = {{.name = "ID", .help = "The job to move"}},
                         .prints_json = true,
                         .examples = {{"rubato-cli queue move 7QX2MA --first", "This one next"}},
                         .run = move};

const Command kQueueCancel{.path = "queue cancel",
                           .summary = "Take jobs out of the queue",
                           .text = "Jobs that wait for a cancelled one stay blocked until it is retried.",
                           .positionals = {some_jobs()},
                           .prints_json = true,
                           .run = cancel};

const Command kQueueRetry{.path = "queue retry",
                          .summary = "Put failed, cancelled or suspended jobs back into the queue",
                          .positionals = {some_jobs()},
                          .prints_json = true,
                          .run = retry};

}  // namespace rubato::cli
