#include "pipelines/job/queue/queue_runner.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "pipelines/job/queue/queue_requests.h"
#include "pipelines/job/queue/queue_slot.h"

namespace rubato {
namespace {

constexpr auto kPatienceWithCommands = std::chrono::seconds(3);  // with a command that holds the queue for a moment

// The queue as its writer. Commands hold it for milliseconds; an instance that works on it answers.
Result<QueueStore> open_store(const std::filesystem::path& state_folder, const QueueRunnerOptions& options) {
  const auto deadline = std::chrono::steady_clock::now() + kPatienceWithCommands;
  while (true) {
    auto store = QueueStore::open(queue_file(state_folder), QueueMode::Write,
                                  {.program = options.program, .pause_after_crash = options.pause_after_crash});
    if (store || store.error().code != ErrorCode::Locked) return store;
    if (hand_over(queue_socket(state_folder), {{"request", "status"}}, 2) ||
        std::chrono::steady_clock::now() > deadline)
      return store;
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
  }
}

// The jobs that a request names, before it changes them.
std::vector<QueueWork> work_of(const QueueStore& store, const nlohmann::json& request) {
  std::vector<QueueWork> works;
  const auto ids = request.find("ids");
  if (ids == request.end() || !ids->is_array()) return works;
  for (const auto& word : *ids) {
    if (!word.is_string()) continue;
    const auto id = store.id_of(word.get<std::string>());
    if (!id) continue;
    const auto row = store.find(*id);
    if (!row || !*row) continue;
    const auto spec = nlohmann::json::parse((*row)->spec, nullptr, false);
    if (auto job = video_job_from_json(spec, "a job")) works.emplace_back(std::move(*job), *id);
  }
  return works;
}

}  // namespace

void QueueRunner::State::wake_all() {
  for (auto& slot : slots) slot->wake();
}

void QueueRunner::State::fail(const Error& error) {
  if (!failure) failure = error;
  stop = std::max(stop, QueueStop::AfterStep);
  wake_all();
}

QueueRunner::QueueRunner(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<QueueRunner>> QueueRunner::open(const std::filesystem::path& state_folder,
                                                       QueueRunnerOptions options, QueueObserver& observer) {
  RUBATO_TRY(store, open_store(state_folder, options));
  auto state = std::make_unique<State>(state_folder, std::move(options), observer, std::move(store));
  for (const auto& device : state->options.devices) state->slots.push_back(std::make_unique<QueueSlot>(*state, device));
  std::unique_ptr<QueueRunner> runner(new QueueRunner(std::move(state)));
  RUBATO_TRY(server, HandOverServer::listen(queue_socket(state_folder),
                                            [raw = runner.get()](const auto& request) { return raw->ask(request); }));
  runner->state_->server.emplace(std::move(server));
  return runner;
}

QueueRunner::~QueueRunner() {
  state_->server.reset();
  stop_now();
  for (auto& slot : state_->slots)
    if (slot->thread.joinable()) slot->thread.join();
}

std::vector<std::string> QueueRunner::notes() const { return state_->store.notes(); }

void QueueRunner::start() {
  const std::lock_guard lock(state_->mutex);
  for (auto& slot : state_->slots) {
    if (slot->thread.joinable()) continue;
    ++state_->threads;
    slot->thread = std::thread([slot = slot.get()] { slot->run(); });
  }
}

void QueueRunner::stop_after_step() {
  const std::lock_guard lock(state_->mutex);
  state_->stop = std::max(state_->stop, QueueStop::AfterStep);
  state_->wake_all();
}

void QueueRunner::stop_now() {
  const std::lock_guard lock(state_->mutex);
  state_->stop = QueueStop::AtOnce;
  state_->wake_all();
}

bool QueueRunner::wait_for(std::chrono::milliseconds patience) {
  std::unique_lock lock(state_->mutex);
  return state_->ended.wait_for(lock, patience, [&] { return state_->threads == 0; });
}

std::optional<Error> QueueRunner::failure() const {
  const std::lock_guard lock(state_->mutex);
  return state_->failure;
}

Result<> QueueRunner::cancel(std::string_view id, protocol::CancelWhen when) {
  const auto done = ask({{"request", "cancel"},
                         {"ids", nlohmann::json::array({std::string(id)})},
                         {"when", when == protocol::CancelWhen::Now ? "now" : "after_step"}});
  return done ? Result<>() : done.error();
}

Result<nlohmann::json> QueueRunner::ask(const nlohmann::json& request) {
  const std::lock_guard lock(state_->mutex);
  const auto word = [&](const char* name) {
    const auto it = request.find(name);
    return it != request.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  const auto name = word("request");
  if (name == "status") return nlohmann::json{{"working", state_->threads > 0}};
  const auto removed = name == "remove" ? work_of(state_->store, request) : std::vector<QueueWork>();
  const auto when = word("when") == "now" ? protocol::CancelWhen::Now : protocol::CancelWhen::AfterStep;
  QueueHooks hooks;
  hooks.stop_running = [&](const std::string& id) -> Result<> {
    for (auto& slot : state_->slots)
      if (slot->job_id == id) slot->cancel = when;
    return {};
  };
  auto answer = answer_queue_request(state_->store, request, hooks);
  if (answer) {
    for (const auto& work : removed) work.clear();
    state_->changed = true;
  }
  state_->wake_all();
  return answer;
}

void QueueRunner::look(const std::function<void(const QueueStore&)>& body) const {
  const std::lock_guard lock(state_->mutex);
  body(state_->store);
}

}  // namespace rubato
