#include "app/cli/queue_view.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "engine/base/ids.h"
#include "pipelines/job/queue/hand_over.h"
#include "pipelines/job/queue/queue_requests.h"

namespace rubato::cli {
using nlohmann::json;

std::string short_id(std::string_view id) {
  constexpr std::size_t kLetters = 6;
  return std::string(id.size() > kLetters && is_ulid(id) ? id.substr(id.size() - kLetters) : id);
}

json to_json(const QueueJob& job) {
  const auto spec = json::parse(job.spec, nullptr, false);
  json value{{"id", job.id},
             {"name", job.name},
             {"state", state_name(job.state)},
             {"priority", job.priority},
             {"created", job.created},
             {"attempts", job.attempts},
             {"deaths", job.deaths},
             {"job", spec.is_discarded() ? json(nullptr) : spec}};
  const auto text = [&](const char* name, const std::string& member) {
    if (!member.empty()) value[name] = member;
  };
  text("reason", job.reason);
  text("key", job.key);
  text("device", job.device);
  text("ran_on", job.ran_on);
  text("phase", job.phase);
  text("batch", job.batch);
  text("parent", job.parent);
  if (!job.error_code.empty()) value["error"] = {{"code", job.error_code}, {"message", job.error_text}};
  if (job.started > 0) value["started"] = job.started;
  if (job.ended > 0) value["ended"] = job.ended;
  if (job.state == JobState::Running) {
    value["fraction"] = job.fraction;
    if (job.eta_s >= 0) value["eta_s"] = job.eta_s;
  }
  if (!job.after.empty()) value["after"] = job.after;
  return value;
}

Result<json> ask(const Context& context, const json& request) {
  std::vector<std::string> notes;
  auto answer = ask_queue(context.folders.state, request, notes);
  for (const auto& note : notes) context.out.warn(printable(note));
  return answer;
}

Result<QueueStore> open_to_look(const Context& context) {
  auto store = QueueStore::open(queue_file(context.folders.state), QueueMode::Read);
  if (store || store.error().code != ErrorCode::Corrupt) return store;
  return Error{ErrorCode::CannotWrite,
               fmt::format("{}. It is left as it is; 'rubato-cli queue run', or any command that changes the queue, "
                           "sets the file aside and goes on with what can be read of it",
                           store.error().message)};
}

void mark_interrupted(std::vector<QueueJob>& jobs) {
  for (auto& job : jobs) {
    if (job.state != JobState::Running) continue;
    job.state = JobState::Interrupted;
    job.reason = "the program that ran it ended unexpectedly";
  }
}

bool is_worked_on(const Context& context) {
  constexpr int kPatience = 2;  // seconds
  const auto answer = hand_over(queue_socket(context.folders.state), {{"request", "status"}}, kPatience);
  return answer && answer->contains("working") && (*answer)["working"] == true;
}

std::string count_of_jobs(std::size_t jobs) { return counted(jobs, "job"); }

}  // namespace rubato::cli
