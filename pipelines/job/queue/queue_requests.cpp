#include "pipelines/job/queue/queue_requests.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "engine/base/ids.h"
#include "engine/base/text.h"
#include "pipelines/job/queue/hand_over.h"

namespace rubato {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxIds = 100'000;
constexpr auto kPatience = std::chrono::seconds(3);  // with another command that holds the queue

Error refuse(std::string message) { return {ErrorCode::Usage, std::move(message)}; }

// "" when it is not there.
Result<std::string> text(const Json& object, const char* name) {
  const auto it = object.find(name);
  if (it == object.end()) return std::string();
  if (!it->is_string()) return refuse(fmt::format("'{}' is not text", name));
  return it->get<std::string>();
}

Result<std::vector<std::string>> texts(const Json& object, const char* name) {
  std::vector<std::string> list;
  const auto it = object.find(name);
  if (it == object.end()) return list;
  if (!it->is_array() || it->size() > kMaxIds)
    return refuse(fmt::format("'{}' is not a list, or a very long one", name));
  for (const auto& item : *it) {
    if (!item.is_string()) return refuse(fmt::format("'{}' holds something that is not text", name));
    list.push_back(item.get<std::string>());
  }
  return list;
}

Result<NewJob> job_from(const Json& object) {
  if (!object.is_object()) return refuse("a job is not an object");
  NewJob job;
  for (const auto& [name, member] : {std::pair{"id", &job.id},
                                     {"name", &job.name},
                                     {"key", &job.key},
                                     {"device", &job.device},
                                     {"parent", &job.parent}}) {
    RUBATO_TRY(value, text(object, name));
    *member = std::move(value);
  }
  const auto spec = object.find("spec");
  if (spec == object.end() || !spec->is_object()) return refuse("a job has no 'spec', or one that is not an object");
  job.spec = spec->dump(-1, ' ', false, Json::error_handler_t::replace);
  if (const auto it = object.find("priority"); it != object.end()) {
    if (!it->is_number() || !std::isfinite(it->get<double>())) return refuse("a job's 'priority' is not a number");
    job.priority = it->get<double>();
  }
  RUBATO_TRY(after, texts(object, "after"));
  job.after = std::move(after);
  return job;
}

Result<Json> add(QueueStore& store, const Json& request) {
  const auto list = request.find("jobs");
  if (list == request.end() || !list->is_array() || list->empty()) return refuse("'jobs' is not a list of jobs");
  RUBATO_TRY(batch, text(request, "batch"));
  std::vector<NewJob> jobs;
  std::map<std::string, std::string> by_name;
  for (const auto& item : *list) {
    RUBATO_TRY(job, job_from(item));
    if (job.id.empty()) job.id = new_ulid();
    if (!job.name.empty()) by_name.emplace(job.name, job.id);
    job.batch = batch;
    jobs.push_back(std::move(job));
  }
  for (auto& job : jobs)
    for (auto& before : job.after) {
      if (const auto it = by_name.find(before); it != by_name.end())
        before = it->second;
      else if (const auto id = store.id_of(before))
        before = *id;  // else add() says what is wrong
    }
  RUBATO_TRY(ids, store.add(jobs));
  return Json{{"ids", ids}};
}

Result<Json> move(QueueStore& store, const Json& request) {
  RUBATO_TRY(given, text(request, "id"));
  RUBATO_TRY(id, store.id_of(given));
  RUBATO_TRY(to, text(request, "to"));
  using Kind = QueuePlace::Kind;
  const std::map<std::string, Kind> kinds{
      {"first", Kind::First}, {"last", Kind::Last}, {"before", Kind::Before}, {"after", Kind::After}};
  const auto kind = kinds.find(to);
  if (kind == kinds.end())
    return refuse(fmt::format("a job is moved first, last, before or after another, not '{}'", clip_utf8(to, 40)));
  QueuePlace place{kind->second, {}};
  if (place.kind == Kind::Before || place.kind == Kind::After) {
    RUBATO_TRY(neighbour, text(request, "other"));
    RUBATO_TRY(other, store.id_of(neighbour));
    place.other = std::move(other);
  }
  RUBATO_OK(store.move(id, place));
  return Json{{"id", id}};
}

Result<Json> each(QueueStore& store, const Json& request, const std::function<Result<>(const std::string&)>& act) {
  RUBATO_TRY(given, texts(request, "ids"));
  if (given.empty()) return refuse("no job is named");
  std::vector<std::string> ids;
  RUBATO_OK(store.together([&]() -> Result<> {
    for (const auto& prefix : given) {
      RUBATO_TRY(id, store.id_of(prefix));
      RUBATO_OK(act(id));
      ids.push_back(std::move(id));
    }
    return {};
  }));
  return Json{{"ids", ids}};
}

}  // namespace

Result<Json> answer_queue_request(QueueStore& store, const Json& request, const QueueHooks& hooks) {
  RUBATO_TRY(name, text(request, "request"));
  if (name == "add") return add(store, request);
  if (name == "move") return move(store, request);
  if (name == "pause" || name == "resume") {
    RUBATO_OK(name == "pause" ? store.pause() : store.resume());
    return Json::object();
  }
  if (name == "retry") return each(store, request, [&](const std::string& id) { return store.retry(id); });
  if (name == "remove") return each(store, request, [&](const std::string& id) { return store.remove(id); });
  if (name == "cancel")
    return each(store, request, [&](const std::string& id) -> Result<> {
      RUBATO_TRY(job, store.find(id));
      if (job && job->state == JobState::Running && hooks.stop_running) RUBATO_OK(hooks.stop_running(id));
      return store.cancel(id, "cancelled by a person");
    });
  const std::vector<std::string> known{"add", "pause", "resume", "move", "cancel", "retry", "remove"};
  return refuse(fmt::format("unknown request '{}'{}", clip_utf8(name, 40), did_you_mean(name, known)));
}

std::filesystem::path queue_file(const std::filesystem::path& state_folder) { return state_folder / "queue.sqlite"; }
std::filesystem::path queue_socket(const std::filesystem::path& state_folder) {
  return state_folder / "queue.sqlite.sock";
}

Result<Json> ask_queue(const std::filesystem::path& state_folder, const Json& request,
                       std::vector<std::string>& notes) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    auto store = QueueStore::open(queue_file(state_folder), QueueMode::Write, {.program = "rubato-cli"});
    if (store) {
      notes = store->notes();
      return answer_queue_request(*store, request);
    }
    if (store.error().code != ErrorCode::Locked) return store.error();
    auto answer = hand_over(queue_socket(state_folder), request);
    if (answer || answer.error().code != ErrorCode::Locked) return answer;
    // Nobody listens: another command, which is done in a moment; else it matters who holds it.
    if (std::chrono::steady_clock::now() > deadline) return store.error();
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
  }
}

}  // namespace rubato
