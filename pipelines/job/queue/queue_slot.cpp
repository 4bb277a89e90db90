#include "pipelines/job/queue/queue_slot.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "pipelines/job/disk_needs.h"
#include "pipelines/job/memory_forecast.h"
#include "pipelines/job/run/disk_watch.h"
#include "pipelines/job/run/output_names.h"

namespace rubato {
namespace {

using namespace std::chrono_literals;
constexpr auto kLookAgain = 10s;       // nothing depends on it: whatever changes wakes the thread
constexpr auto kAskForTurn = 2s;       // while another process renders on the GPU
constexpr auto kNoteProgress = 2s;     // in the queue, for others to read; each note is a sync of the disk
constexpr auto kNoteCheckpoints = 5s;  // steps of a small job take milliseconds

}  // namespace

QueueSlot::QueueSlot(QueueRunner::State& shared, std::string wish)
    : shared_(shared),
      wish_(std::move(wish)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      timings_(shared.state_folder),
      restarts_(shared.options.restarts) {
  RUBATO_CHECK(wake_, "no file descriptors left");
}

void QueueSlot::wake() {
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

void QueueSlot::run() {
  client_ =
      std::make_unique<WorkerClient>(shared_.options.worker, [this](Envelope& envelope) { on_message(envelope); });
  idle_since_ = Clock::now();
  while (true) {
    obey();
    if (!running_ && take_work() == Next::End) break;
    wait();
    client_->pump();
  }
  client_.reset();  // its worker with it
  turn_.reset();
  const std::lock_guard lock(shared_.mutex);
  --shared_.threads;
  shared_.wake_all();
  shared_.ended.notify_all();
}

// Passes on what others asked of the running job, and tells the observer of changes.
void QueueSlot::obey() {
  QueueStop stop = QueueStop::No;
  std::optional<protocol::CancelWhen> wanted;
  bool changed = false;
  {
    const std::lock_guard lock(shared_.mutex);
    stop = shared_.stop;
    wanted = std::exchange(cancel, std::nullopt);
    changed = std::exchange(shared_.changed, false);
  }
  if (changed) shared_.tell([](QueueObserver& observer) { observer.changed(); });
  if (running_ && wanted) client_->cancel(*wanted);
  if (!running_ || stop <= answered_) return;
  answered_ = stop;
  if (stop == QueueStop::AtOnce)
    client_->kill();
  else
    client_->cancel(protocol::CancelWhen::AfterStep);
}

void QueueSlot::wait() {
  auto until = Clock::now() + kLookAgain;
  if (!running_ && not_before_ > Clock::now()) until = std::min(until, not_before_);
  if (!running_ && client_->state() == WorkerClient::State::Idle)
    until = std::min(until, std::max(Clock::now(), idle_since_ + shared_.options.keep_warm));
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  pollfd watched[2] = {{client_->fd(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
  ::poll(watched, 2, static_cast<int>(std::max<std::int64_t>(left, 0)));
  std::uint64_t count = 0;
  (void)!::read(wake_.get(), &count, sizeof count);
}

// ---- Finding a job -------------------------------------------------------------------------------------------------

// A job that was cancelled and retried is queued again while its worker still ends it.
Result<bool> QueueSlot::something_to_do() {
  RUBATO_TRY(next, shared_.store.next_runnable(wish_));
  return next && std::none_of(shared_.slots.begin(), shared_.slots.end(),
                              [&](const auto& slot) { return slot->job_id == next->id; });
}

bool QueueSlot::others_busy() const {
  return std::any_of(shared_.slots.begin(), shared_.slots.end(),
                     [](const auto& slot) { return !slot->job_id.empty(); });
}

QueueSlot::Next QueueSlot::take_work() {
  bool pause_is_news = false;
  {
    const std::lock_guard lock(shared_.mutex);
    if (shared_.stop != QueueStop::No || given_up_) return Next::End;
    const auto something = something_to_do();
    const auto paused = shared_.store.paused();
    if (!something || !paused) {
      shared_.fail(something ? paused.error() : something.error());
      return Next::End;
    }
    if (!*something) {
      if (shared_.options.until_empty && !*paused && !others_busy()) return Next::End;
      pause_is_news = *paused && !told_pause_ && this == shared_.slots.front().get();
      told_pause_ = *paused;
    }
    if (!*something && !pause_is_news) {
      if (client_->state() == WorkerClient::State::Idle && Clock::now() >= idle_since_ + shared_.options.keep_warm) {
        client_->stop(0ms);
        loaded_.clear();
      }
      return Next::Wait;
    }
  }
  if (pause_is_news) {
    shared_.tell([](QueueObserver& observer) { observer.note("the queue is paused and waits to be resumed"); });
    return Next::Wait;
  }
  if (Clock::now() < not_before_) return Next::Wait;
  if (auto started = client_->start(); !started) {
    const std::lock_guard lock(shared_.mutex);
    shared_.fail(started.error());
    return Next::End;
  }
  if (client_->state() != WorkerClient::State::Idle) return Next::Wait;  // still loading its libraries
  if (!turn_) turn_.emplace(DeviceTurn::usual_folder(), device());
  if (!turn_->take()) {
    client_->stop(0ms);  // another process renders there: our idle worker's memory is in its way
    loaded_.clear();
    not_before_ = Clock::now() + kAskForTurn;
    return Next::Wait;
  }
  const auto claimed = claim();
  if (claimed && *claimed) {
    begin();
    return Next::Working;
  }
  turn_->give_back();
  if (claimed) return Next::Wait;
  const std::lock_guard lock(shared_.mutex);
  shared_.fail(claimed.error());
  return Next::End;
}

// The next job becomes this slot's; false when there is none any more.
Result<bool> QueueSlot::claim() {
  const std::lock_guard lock(shared_.mutex);
  RUBATO_TRY(something, something_to_do());
  if (!something || shared_.stop != QueueStop::No) return false;
  RUBATO_TRY(next, shared_.store.next_runnable(wish_));
  RUBATO_OK(shared_.store.started(next->id, device(), fmt::format("{}", client_->pid())));
  RUBATO_TRY(row, shared_.store.find(next->id));
  job_id = next->id;
  cancel.reset();
  running_ = Running{};
  running_->row = std::move(*row);
  return true;
}

void QueueSlot::begin() {
  shared_.tell([&](QueueObserver& observer) { observer.started(running_->row); });
  const auto finished = prepare();
  if (!finished) return fail(finished.error());
  if (*finished) return;
  auto& job = *running_;
  job.under.warm = loaded_ == job.job.model;
  loaded_ = job.job.model;
  const auto times = timings_.expected(job.job, *job.model).expected_s;
  const auto given = client_->run(video_job_to_json(job.work->for_worker(device())), {.expected_s = times});
  if (!given) on_failed(protocol::Failed{job.row.id, given.error().code, given.error().message, ""});
}

Result<bool> QueueSlot::prepare() {
  auto& running = *running_;
  const auto spec = nlohmann::json::parse(running.row.spec, nullptr, false);
  RUBATO_TRY(job, video_job_from_json(spec, title()));
  running.work.emplace(job, running.row.id);
  const auto& root = running.work->root();
  if (!root.is_absolute())
    return Error{ErrorCode::JobInvalid,
                 fmt::format("its output '{}' has no whole path; add it again with 'queue add'", job.out)};
  RUBATO_TRY(earlier, running.work->earlier_result());
  if (!earlier.empty()) {
    publish(std::move(earlier));
    return true;
  }
  RUBATO_TRY(model, open_video_model(job.model));
  RUBATO_TRY(full, resolve_video_job(std::move(job), model));
  running.job = std::move(full);
  running.model = std::move(model);
  RUBATO_OK(look_for_others());
  // What a model that is loaded already takes of the memory is free for the next one, but does not look so from here:
  // then the worker decides.
  if (loaded_.empty()) {
    auto place = running.job;
    if (place.device == "auto") place.device = device();
    RUBATO_TRY(memory, forecast_memory(*running.model, place, memory_available(place)));
    if (memory.fit == Fit::DoesNotFit)
      return Error{ErrorCode::OutOfMemory, fmt::format("this job {}", memory.sentence)};
  }
  RUBATO_OK(running.work->make_folders());
  if (const auto obstacle = DiskWatch(root).obstacle(expected_output_bytes(running.job, *running.model));
      !obstacle.empty())
    return Error{ErrorCode::CannotWrite, obstacle};
  return false;
}

// Before anything is rendered: files that it would find in its way only when it is finished.
Result<> QueueSlot::look_for_others() {
  const auto& running = *running_;
  if (const auto other = running.work->in_the_way(); !other.empty())
    return Error{ErrorCode::OutputExists,
                 fmt::format("{} exists and is another file; move it away, then retry this job", other)};
  const std::lock_guard lock(shared_.mutex);
  RUBATO_TRY(at_work, shared_.store.list({.states = {JobState::Running}}));
  OutputNames names;
  for (const auto& row : at_work) {
    if (row.id == running.row.id) continue;
    const auto spec = nlohmann::json::parse(row.spec, nullptr, false);
    if (const auto job = video_job_from_json(spec, row.name))
      static_cast<void>(names.claim(output_names(*job), row.name));
  }
  if (const auto apart = names.claim(output_names(running.job), title()); !apart)
    return Error{ErrorCode::OutputExists, apart.error().message + ", then add this job again"};
  return {};
}

// ---- What becomes of it --------------------------------------------------------------------------------------------

void QueueSlot::on_message(Envelope& envelope) {
  const auto& message = envelope.message;
  if (const auto* failed = std::get_if<protocol::Failed>(&message)) {
    if (failed->id.empty())
      worker_ended(failed->message);  // while it started
    else if (running_)
      on_failed(*failed);
    return;
  }
  if (!running_) return;
  if (const auto* done = std::get_if<protocol::Done>(&message)) return on_done(*done);
  if (const auto* progress = std::get_if<protocol::Progress>(&message)) on_progress(*progress);
  const auto now = Clock::now();
  if (const auto* point = std::get_if<protocol::Checkpoint>(&message);
      point != nullptr && now - running_->told_checkpoint >= kNoteCheckpoints) {
    running_->told_checkpoint = now;
    keep([&](QueueStore& store) -> Result<> {
      RUBATO_OK(store.add_checkpoint(running_->row.id, {point->step, point->path, "", 0}));
      return {};
    });
  }
  if (const auto* warning = std::get_if<protocol::Warn>(&message)) {
    running_->under.resumed = running_->under.resumed || warning->code == "resumed";
    const nlohmann::json event{{"ev", "job.warn"}, {"code", warning->code}, {"message", warning->message}};
    keep([&](QueueStore& store) -> Result<> {
      RUBATO_OK(
          store.add_event(running_->row.id, event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
      return {};
    });
  }
  shared_.tell([&](QueueObserver& observer) { observer.message(running_->row, envelope); });
}

void QueueSlot::on_progress(const protocol::Progress& progress) {
  auto& row = running_->row;
  row.phase = progress.phase;
  row.fraction = progress.fraction;
  row.eta_s = progress.eta_s;
  const auto now = Clock::now();
  if (now - running_->told_progress < kNoteProgress) return;
  running_->told_progress = now;
  keep([&](QueueStore& store) { return store.set_progress(row.id, row.phase, row.fraction, row.eta_s); });
}

void QueueSlot::on_done(const protocol::Done& done) {
  restarts_.worked();
  timings_.learn(running_->job, *running_->model, done.report, running_->under);
  running_->report = done.report;
  publish(running_->work->publish(done));
}

void QueueSlot::publish(const Result<std::vector<JobOutput>>& published) {
  if (!published) return fail(published.error());
  const auto work = *running_->work;
  const nlohmann::json event{{"ev", "job.done"}, {"report", std::exchange(running_->report, nullptr)}};
  bool noted = false;
  settle(
      [&](QueueStore& store, const std::string& id) {
        auto done = store.together([&]() -> Result<> {
          for (const auto& output : *published) RUBATO_OK(store.add_output(id, output));
          RUBATO_OK(store.clear_checkpoints(id));
          if (event["report"].is_object())
            RUBATO_OK(store.add_event(id, event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
          return store.finished(id);
        });
        noted = done.ok();
        return done;
      },
      *published);
  if (noted) work.clear();  // until then it is what says that the job is done
}

void QueueSlot::on_failed(const protocol::Failed& failed) {
  if (failed.code == ErrorCode::EngineDied) return on_death(failed);
  if (failed.code != ErrorCode::Cancelled && failed.code != ErrorCode::Terminated)
    return fail({failed.code, failed.kept.empty() ? failed.message : failed.message + "; its work so far is kept"});
  // Stopped with the runner, so it has its turn again; if a person cancelled it, the queue says so already.
  settle([&](QueueStore& store, const std::string& id) {
    return store.together([&]() -> Result<> {
      RUBATO_OK(store.set_state(id, JobState::Interrupted, failed.message));
      return store.set_state(id, JobState::Queued);
    });
  });
}

void QueueSlot::on_death(const protocol::Failed& failed) {
  const auto name = title();
  bool again = false;
  settle([&](QueueStore& store, const std::string& id) -> Result<> {
    RUBATO_TRY(state, store.worker_died(id, shared_.options.max_retries, failed.message));
    again = state == JobState::Queued;
    return {};
  });
  if (again)
    shared_.tell([&](QueueObserver& observer) {
      observer.note(fmt::format("{}: {}; it is tried again from {}", name, failed.message,
                                failed.kept.empty() ? "its beginning" : "its last checkpoint"));
    });
  worker_ended(failed.message);
}

// A disk that cannot be written needs a person; every other reason is the job's own.
void QueueSlot::fail(const Error& error) {
  settle([&](QueueStore& store, const std::string& id) {
    return error.code == ErrorCode::CannotWrite ? store.suspended(id, "no_disk", error) : store.failed(id, error);
  });
}

// The job leaves the slot. `note` is left out where a person's request has decided what becomes of it.
void QueueSlot::settle(const std::function<Result<>(QueueStore&, const std::string&)>& note,
                       const std::vector<JobOutput>& outputs) {
  auto row = std::move(running_->row);
  running_.reset();
  if (turn_) turn_->give_back();
  idle_since_ = Clock::now();
  {
    const std::lock_guard lock(shared_.mutex);
    auto& store = shared_.store;
    Result<> noted;
    const auto before = store.find(row.id);
    if (before && *before && (*before)->state == JobState::Running) noted = note(store, row.id);
    if (!before || !noted) shared_.fail(before ? noted.error() : before.error());
    if (const auto now = store.find(row.id); now && *now) row = **now;
    job_id.clear();
    cancel.reset();
    shared_.wake_all();
  }
  shared_.tell([&](QueueObserver& observer) { observer.ended(row, outputs); });
}

void QueueSlot::worker_ended(const std::string& how) {
  loaded_.clear();
  const auto decision = restarts_.died(how);
  not_before_ = Clock::now() + decision.delay;
  if (decision.restart) return;
  shared_.tell([&](QueueObserver& observer) {
    observer.note(fmt::format("the worker on {} is given up: {}", wish_, decision.reason));
  });
  const std::lock_guard lock(shared_.mutex);
  given_up_ = true;
  const bool all =
      std::all_of(shared_.slots.begin(), shared_.slots.end(), [](const auto& slot) { return slot->given_up_; });
  if (all) shared_.fail({ErrorCode::EngineDied, decision.reason});
  shared_.wake_all();
}

// For what is good to know but not vital: a full disk must not stop the render.
void QueueSlot::keep(const std::function<Result<>(QueueStore&)>& change) {
  const std::lock_guard lock(shared_.mutex);
  static_cast<void>(change(shared_.store));
}

// What its jobs compute on: the wish, or what `auto` means on this machine. Known once the worker has said hello.
std::string QueueSlot::device() const {
  if (wish_ != "auto") return wish_;
  for (const auto& found : client_->devices())
    if (found.id.starts_with("cuda")) return found.id;
  return "cpu";
}

std::string QueueSlot::title() const {
  const auto& row = running_->row;
  return row.name.empty() ? row.id : row.name;
}

}  // namespace rubato
