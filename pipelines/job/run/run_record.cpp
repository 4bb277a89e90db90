#include "pipelines/job/run/run_record.h"

#include <fmt/format.h>
#include <signal.h>

#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>

#include "engine/base/files.h"
#include "engine/base/ids.h"
#include "pipelines/job/host_identity.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

constexpr std::chrono::seconds kTryAgain{10};
constexpr std::chrono::milliseconds kIdle{500};
constexpr std::chrono::seconds kCheckpoints{5};
constexpr std::chrono::hours kAbandoned{24};  // without a write, by a run of which nothing can be known

// In which boot and container a process number counts.
std::string place_of(const HostIdentity& process) {
  return sha256_hex(process.boot + " " + process.pid_namespace).substr(0, 8);
}

void remove_database(const fs::path& file) {
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) fs::remove(file.string() + suffix, ignored);
}

}  // namespace

RunRecord::RunRecord(fs::path state_folder, const std::vector<RunJob>& jobs, const std::vector<RunOutcome>& outcomes)
    : jobs_(jobs), outcomes_(outcomes) {
  const auto me = HostIdentity::of_this_process();
  file_ = state_folder / fmt::format("{}-{}-{}-{}.sqlite", me.host, me.pid, place_of(me), new_ulid());
  attempt([&] { return write_all(); });
}

void RunRecord::remove_dead(const fs::path& state_folder, const fs::path& own) {
  const auto me = HostIdentity::of_this_process();
  std::error_code ignored;
  std::vector<fs::path> dead;
  for (const auto& entry : fs::directory_iterator(state_folder, ignored)) {
    // A record, what SQLite keeps beside it, and what was set aside because it was damaged.
    const auto name = entry.path().filename().string();
    const auto prefix = me.host + "-";
    const auto suffix = name.find(".sqlite");
    if (!name.starts_with(prefix) || suffix == std::string::npos) continue;
    if (!own.empty() && name.starts_with(own.filename().string())) {
      if (name.substr(suffix).starts_with(".sqlite.damaged")) dead.push_back(entry.path());
      continue;
    }
    int pid = 0;
    const auto [end, error] = std::from_chars(name.data() + prefix.size(), name.data() + suffix, pid);
    if (error != std::errc{}) continue;
    if (std::string_view(end).starts_with("-" + place_of(me) + "-")) {
      const bool gone = ::kill(pid, 0) != 0 && errno == ESRCH;  // another user's cannot be signalled (EPERM), but lives
      if (gone || pid == me.pid) dead.push_back(entry.path());  // of a process that had our number
    } else if (const auto written = entry.last_write_time(ignored);
               !ignored && fs::file_time_type::clock::now() - written > kAbandoned) {
      dead.push_back(entry.path());
    }
  }
  for (const auto& file : dead) fs::remove(file, ignored);
}

template <typename Change>
void RunRecord::attempt(Change&& change) {
  if (broken_) return;  // look_after() sees to it
  last_use_ = std::chrono::steady_clock::now();
  auto changed = store_ ? Result<>() : open();
  if (changed) changed = change();
  if (changed) return;
  store_.reset();
  broken_ = true;
  next_try_ = last_use_ + kTryAgain;
  if (trouble_.empty())
    trouble_ =
        fmt::format("the run's record cannot be kept at the moment ({}); the jobs go on", changed.error().message);
}

Result<> RunRecord::open() {
  RUBATO_TRY(store, QueueStore::open(file_, QueueMode::Write, {.pause_after_crash = false}));
  store_ = std::move(store);
  return {};
}

void RunRecord::look_after() {
  const auto now = std::chrono::steady_clock::now();
  if (store_ && now - last_use_ > kIdle) store_.reset();
  if (!broken_ || now < next_try_) return;
  remove_database(file_);
  broken_ = false;
  attempt([&] { return write_all(); });
}

std::string RunRecord::trouble() {
  if (told_ || trouble_.empty()) return {};
  told_ = true;
  return trouble_;
}

Result<> RunRecord::write_all() {
  std::vector<NewJob> rows;
  for (const auto& job : jobs_) {
    NewJob row;
    row.id = job.id();
    row.name = job.job.name;
    row.key = job.key;
    row.spec = video_job_to_json(job.job).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    row.device = job.job.device;
    row.priority = job.batch.priority;
    for (const auto other : job.after) row.after.push_back(jobs_[other].id());
    rows.push_back(std::move(row));
  }
  RUBATO_OK(store_->together([&]() -> Result<> {
    RUBATO_TRY(ids, store_->add(rows));
    for (std::size_t i = 0; i < jobs_.size(); ++i)
      if (outcomes_[i].state == JobState::Done) RUBATO_OK(write_outcome(i));
    return {};
  }));
  return {};
}

// A job's row as its outcome has it now, through the states that lead there.
Result<> RunRecord::write_outcome(std::size_t job) {
  const auto& outcome = outcomes_[job];
  const auto& id = jobs_[job].id();
  RUBATO_TRY(row, store_->find(id));
  if (!row || row->state == outcome.state) return {};
  const auto through = [&](JobState state) -> Result<> {
    if (row->state == state) return {};
    row->state = state;
    return store_->set_state(id, state);
  };
  switch (outcome.state) {
    case JobState::Done:
      if (row->state != JobState::Running) {
        RUBATO_OK(through(JobState::Queued));
        RUBATO_OK(store_->started(id, outcome.device, ""));
      }
      for (const auto& output : outcome.outputs)
        RUBATO_OK(store_->add_output(id, {output.path, output.sha256, output.kind, output.bytes}));
      return store_->finished(id);
    case JobState::Failed:
      if (row->state != JobState::Running) {
        RUBATO_OK(through(JobState::Queued));
        RUBATO_OK(store_->started(id, outcome.device, ""));
      }
      return store_->failed(id, {outcome.code, outcome.reason});
    case JobState::Queued:
      if (row->state == JobState::Running) RUBATO_OK(through(JobState::Interrupted));
      return through(JobState::Queued);
    default:
      return store_->set_state(id, outcome.state, outcome.reason);
  }
}

void RunRecord::started(std::size_t job, int worker_pid) {
  attempt([&]() -> Result<> {
    RUBATO_TRY(row, store_->find(jobs_[job].id()));
    if (row && row->state != JobState::Queued) RUBATO_OK(store_->set_state(jobs_[job].id(), JobState::Queued));
    return store_->started(jobs_[job].id(), outcomes_[job].device, fmt::format("{}", worker_pid));
  });
}
void RunRecord::ended(std::size_t job) {
  attempt([&] { return store_->together([&] { return write_outcome(job); }); });
}
void RunRecord::checkpoint(std::size_t job, int step, const std::string& path) {
  // Steps of a small job take milliseconds; where it stands is worth a line now and then.
  const auto now = std::chrono::steady_clock::now();
  if (now - last_checkpoint_ < kCheckpoints) return;
  last_checkpoint_ = now;
  attempt([&]() -> Result<> {
    const auto added = store_->add_checkpoint(jobs_[job].id(), {step, path, "", 0});
    return added ? Result<>() : added.error();
  });
}
void RunRecord::event(std::size_t job, const nlohmann::json& event) {
  attempt([&]() -> Result<> {
    const auto added = store_->add_event(jobs_[job].id(), event.dump());
    return added ? Result<>() : added.error();
  });
}

}  // namespace rubato
