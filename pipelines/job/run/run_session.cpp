#include "pipelines/job/run/run_session.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>

#include "engine/base/text.h"
#include "pipelines/job/run/run_slot.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

using namespace std::chrono_literals;
constexpr auto kTick = 200ms;              // deadlines are looked at this often
constexpr auto kAskAgain = 2s;             // for jobs of other processes, and for the disk
constexpr auto kPatienceAfterStep = 2min;  // with a step that was asked to be the last one

// "8h", "1h30m", "45s": as a person gives it.
std::string duration_text(std::chrono::seconds time) {
  const auto h = time.count() / 3600, m = time.count() / 60 % 60, s = time.count() % 60;
  std::string text;
  if (h > 0) text += fmt::format("{}h", h);
  if (m > 0) text += fmt::format("{}m", m);
  if (s > 0 || text.empty()) text += fmt::format("{}s", s);
  return text;
}

}  // namespace

RunSession::RunSession(RunOptions options, const RunPlan& plan, RunObserver& observer)
    : options_(std::move(options)),
      table_(plan, options_.limit),
      jobs_(table_.jobs()),
      observer_(observer),
      disk_(options_.out / ".rubato"),
      left_work_(plan.left_work) {
  for (std::size_t i = 0; i < table_.size(); ++i)
    if (plan.is_done[i])
      if (const auto record = publication(i).done()) take_record(i, *record);
}

RunSession::~RunSession() = default;

Result<RunResult> RunSession::run() {
  started_ = Clock::now();
  RUBATO_OK(prepare());
  while (!finished()) {
    look_at_limits();
    look_at_claims();
    look_at_disk();
    give_work();
    say_who_stalls();
    wait_for_something();
    for (auto& slot : slots_) slot->client->pump();
    record_->look_after();
    if (const auto trouble = record_->trouble(); !trouble.empty()) observer_.note(trouble);
  }
  name_blocked();
  for (auto& slot : slots_) slot->client->stop();
  const auto record = record_->file();
  record_.reset();
  if (!stopped_) remove_left_work();
  tidy(record);
  return RunResult{table_.outcomes(), stopped_};
}

Result<> RunSession::prepare() {
  std::error_code failed;
  fs::create_directories(state_folder() / "work", failed);
  if (failed) return write_error(state_folder() / "work", failed.value());
  if (const auto obstacle = disk_.obstacle(0); !obstacle.empty()) return Error{ErrorCode::CannotWrite, obstacle};
  claims_.emplace(state_folder());
  RUBATO_OK(claims_->check_access());
  RunRecord::remove_dead(state_folder());
  record_.emplace(state_folder(), jobs_, table_.outcomes());
  for (const auto& device : options_.devices) {
    auto slot = std::make_unique<Slot>(device, options_.restarts);
    slot->client = std::make_unique<WorkerClient>(
        options_.worker, [this, at = slot.get()](Envelope& envelope) { on_message(*at, envelope); });
    slots_.push_back(std::move(slot));
  }
  settle_stranded();
  return {};
}

bool RunSession::finished() const {
  const bool busy = std::any_of(slots_.begin(), slots_.end(), [](const auto& slot) { return slot->job.has_value(); });
  if (busy) return false;
  if (stopped_) return true;
  if (disk_trouble_since_) return false;
  return !table_.any_ready();
}

void RunSession::wait_for_something() {
  std::vector<pollfd> watched;
  for (const auto& slot : slots_) watched.push_back({slot->client->fd(), POLLIN, 0});
  if (options_.stop_fd >= 0) watched.push_back({options_.stop_fd, POLLIN, 0});
  ::poll(watched.data(), watched.size(), static_cast<int>(std::chrono::milliseconds(kTick).count()));
}

void RunSession::look_at_limits() {
  const auto wish = options_.stop_wish ? options_.stop_wish() : StopWish::None;
  if (wish > answered_) {
    answered_ = wish;
    observer_.note(wish == StopWish::AfterStep ? "Stopping after the current step; Ctrl-C again stops at once."
                                               : "Stopping at once.");
    stop({ErrorCode::Cancelled, "stopped; the same command goes on from here"});
    stop_workers(wish);
  }
  if (!stopped_ && options_.time_limit && Clock::now() - started_ >= *options_.time_limit)
    stop({ErrorCode::TimeLimit, fmt::format("the time limit of {} is reached; the same command goes on from here",
                                            duration_text(*options_.time_limit))});
  if (kill_at_ && Clock::now() >= *kill_at_) {
    kill_at_.reset();
    stop_workers(StopWish::AtOnce);
  }
}

// Ends the run: nothing new is started, and what runs stops after its current step.
void RunSession::stop(Error why) {
  if (stopped_) return;
  stopped_ = std::move(why);
  kill_at_ = Clock::now() + kPatienceAfterStep;
  stop_workers(StopWish::AfterStep);
}

void RunSession::stop_workers(StopWish how) {
  for (auto& slot : slots_) {
    if (!slot->job) continue;
    if (how == StopWish::AtOnce)
      slot->client->kill();
    else
      slot->client->cancel(protocol::CancelWhen::AfterStep);
  }
}

void RunSession::look_at_claims() {
  const auto gone = claims_->beat();
  for (auto& slot : slots_) {
    if (!slot->job || std::ranges::find(gone, jobs_[*slot->job].key) == gone.end() || keeps_claim(*slot->job)) continue;
    slot->claim_lost = true;
    slot->client->kill();
    slot->model.clear();
  }
}

void RunSession::look_at_disk() {
  if (!disk_trouble_since_ || Clock::now() < next_disk_look_ || stopped_) return;
  next_disk_look_ = Clock::now() + kAskAgain;
  const auto obstacle = disk_.obstacle(awaited_bytes());
  if (obstacle.empty()) {
    disk_trouble_since_.reset();
    observer_.note("the output folder can be written again; going on");
    for (std::size_t i = 0; i < jobs_.size(); ++i)
      if (table_.outcome(i).state == JobState::Suspended && table_.outcome(i).reason == "no_disk")
        settle(i, JobState::Queued);
  } else if (Clock::now() - *disk_trouble_since_ >= options_.disk_patience) {
    stop({ErrorCode::CannotWrite, fmt::format("{} and run the same command again", obstacle)});
  }
}

// A process that was stopped while claims changed hands holds up all others: only a person can help.
void RunSession::say_who_stalls() {
  if (claims_->stalled_by() == stalled_by_) return;
  stalled_by_ = claims_->stalled_by();
  if (stalled_by_.empty()) return observer_.note("it goes on");
  observer_.note(fmt::format("waiting for {}, which holds {} and does not go on: continue it (kill -CONT) or end it",
                             stalled_by_, (state_folder() / "takeover").string()));
}

// Hands jobs to the workers that are ready for one, and starts those that are not running but needed.
void RunSession::give_work() {
  if (stopped_ || disk_trouble_since_) return;
  for (auto& slot : slots_) {
    while (!slot->job && slot->given_up.empty() && Clock::now() >= slot->not_before && !stopped_ &&
           !disk_trouble_since_) {
      const auto job = next_job(*slot);
      if (!job) break;
      if (slot->client->state() == WorkerClient::State::Stopped) {
        if (auto begun = slot->client->start(); !begun) {
          stop(begun.error());
          return;
        }
      }
      if (slot->client->state() != WorkerClient::State::Idle) break;  // still loading its libraries
      if (!slot->turn) slot->turn.emplace(options_.turns, slot->device());
      if (!slot->turn->take()) {
        slot->client->stop(0ms);  // another process renders there: our idle worker's memory is in its way
        slot->not_before = Clock::now() + kAskAgain;
        break;
      }
      if (start(*job, *slot) == Start::Started) break;
      slot->turn->give_back();
    }
  }
}

// The job that is to start on this slot, but for those that another process had a moment ago.
std::optional<std::size_t> RunSession::next_job(const Slot& slot) {
  return table_.next(slot.model, [&](std::size_t job) {
    if (!suits(jobs_[job], slot)) return false;
    const auto later = ask_again_.find(job);
    return later == ask_again_.end() || Clock::now() >= later->second;
  });
}

RunSession::Start RunSession::start(std::size_t index, Slot& slot) {
  const auto& job = jobs_[index];
  const auto claimed = claims_->try_claim(job.key);
  if (!claimed) {
    disk_trouble(index, claimed.error());
    return Start::NotNow;
  }
  if (!*claimed) {
    if (!ask_again_.contains(index))
      observer_.note(fmt::format("{} is being rendered by {}", job.id(), claims_->holder(job.key)));
    ask_again_[index] = Clock::now() + kAskAgain;
    return Start::NotNow;
  }
  ask_again_.erase(index);
  auto files = publication(index);
  // Another process may have finished it since the plan was made, or between our look and our claim.
  if (!options_.fresh || table_.outcome(index).attempts > 0) {
    if (const auto record = files.done(); record && files.difference(*record).empty()) {
      table_.outcome(index).earlier = true;
      take_record(index, *record);
      settle(index, JobState::Done);
      return Start::Settled;
    }
  }
  const auto taken = take_work(index);
  if (!taken) {
    disk_trouble(index, taken.error());
    return Start::NotNow;
  }
  if (!*taken) {
    ask_again_[index] = Clock::now() + kAskAgain;
    return Start::NotNow;
  }
  if (const auto waiting = undecided_.find(index); waiting != undecided_.end()) {
    if (auto decided = files.decide(waiting->second.record); !decided) {
      waiting->second.work = files.work_folder().filename().string();
      disk_trouble(index, decided.error());
      return Start::NotNow;
    }
    undecided_.erase(waiting);
  }
  if (files.drop_broken_decision())
    observer_.note(
        fmt::format("{} was rendered, but what came of it is not there any more: it is rendered again", job.id()));
  if (files.decided()) {
    publish(index);
    return Start::Settled;
  }
  if (const auto obstacle = disk_.obstacle(needed_bytes(index)); !obstacle.empty()) {
    disk_trouble(index, {ErrorCode::CannotWrite, obstacle});
    return Start::NotNow;
  }
  for (const char* part : {"out", "latents", "trace"}) {
    std::error_code failed;
    fs::create_directory(files.work_folder() / part, failed);  // the folder itself is made by take_work() alone
    if (failed) {
      disk_trouble(index, write_error(files.work_folder(), failed.value()));
      return Start::NotNow;
    }
  }
  auto& outcome = table_.outcome(index);
  table_.started(index);
  outcome.state = JobState::Running;
  outcome.device = slot.device();
  slot.job = index;
  slot.claim_lost = false;
  slot.job_started = Clock::now();
  slot.under = {.warm = slot.model == job.job.model};
  slot.model = job.job.model;
  observer_.started(job, outcome.device, outcome.attempts);
  record_->started(index, slot.client->pid());
  const auto given = slot.client->run(video_job_to_json(worker_job(job, slot)), {job.key, job.expected_s});
  if (!given) on_failed(slot, protocol::Failed{job.id(), given.error().code, given.error().message, ""});
  return Start::Started;
}

// Makes the job's work folder from what there is of it. False: the claim is another's by now.
Result<bool> RunSession::take_work(std::size_t job) {
  const auto& key = jobs_[job].key;
  auto files = publication(job);
  if (is_untouched(job)) {
    std::error_code failed;
    fs::create_directories(files.work_folder(), failed);
    if (failed) return write_error(files.work_folder(), failed.value());
    undecided_.erase(job);
    if (claims_->check(key) != Claims::Hold::Ours) {
      fs::remove(files.work_folder(), failed);
      return false;
    }
    note_owner(files.work_folder(), options_.job_file, jobs_[job].id());
    return true;
  }
  std::string from;
  RUBATO_TRY(ours, claims_->while_ours(key, [&]() -> Result<> {
    RUBATO_TRY(adopted, WorkFolders::adopt(state_folder(), key, claims_->token(key)));
    from = adopted;
    return files.forget();
  }));
  if (!ours) return false;
  if (const auto waiting = undecided_.find(job); waiting != undecided_.end() && waiting->second.work != from)
    undecided_.erase(waiting);  // another process had it meanwhile
  if (options_.fresh && table_.outcome(job).attempts == 0) files.begin_anew();
  note_owner(files.work_folder(), options_.job_file, jobs_[job].id());
  return true;
}

// What the plan named. Another process that has such a job after all holds its claim, or has given the folder another
// name by now.
void RunSession::remove_left_work() {
  for (const auto& left : left_work_) {
    if (!left.removable) continue;
    const auto claimed = claims_->try_claim(left.key);
    if (!claimed || !*claimed) continue;
    static_cast<void>(claims_->while_ours(left.key, [&]() -> Result<> {
      std::error_code ignored;
      fs::remove_all(left.folder, ignored);
      return {};
    }));
    claims_->release(left.key);
  }
}

// Nobody has left anything of the job: there is nothing to take over, so nobody need be kept from doing the same.
bool RunSession::is_untouched(std::size_t job) const {
  const auto& key = jobs_[job].key;
  std::error_code failed;
  return fs::symlink_status(state_folder() / (key + ".done"), failed).type() == fs::file_type::not_found &&
         !WorkFolders(state_folder()).all().contains(key);
}

// Removes what killed runs left in the state folder: nobody else may be at work for that.
void RunSession::tidy(const fs::path& record) {
  RunRecord::remove_dead(state_folder(), record);
  claims_->remove_dead();
  std::error_code ignored;
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::directory_iterator(state_folder(), ignored)) {
    const auto name = entry.path().filename().string();
    if (name.ends_with(".lock") && !name.ends_with(".sqlite.lock")) return;
    if (name.starts_with(".")) leftovers.push_back(entry.path());
  }
  for (const auto& leftover : leftovers) fs::remove(leftover, ignored);
  const WorkFolders left(state_folder());
  for (const auto& [key, folder] : left.all())
    if (fs::exists(state_folder() / (key + ".done"), ignored)) fs::remove_all(folder, ignored);
  fs::remove(state_folder() / "work", ignored);  // stays while unfinished jobs have their work there
}

}  // namespace rubato
