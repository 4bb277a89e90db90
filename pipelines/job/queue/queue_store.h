// A durable queue of jobs in one SQLite file: the window's queue.sqlite, or the record that a `run` keeps of itself.
//
// Every change is one transaction that has reached the disk when the call returns. One process writes: it holds
// FILE.lock (instance_lock.h) as long as the store is open; others may read meanwhile. Times are seconds since 1970,
// UTC. Errors: Locked (another writer), CannotWrite (disk full, folder read-only, file of a newer version), Usage
// (unknown id, illegal transition; the sentence says what is possible), Corrupt. A damaged file is set aside and what
// can be read of it is carried over. Schema: queue_schema.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "pipelines/job/queue/job_state.h"

namespace rubato {

struct NewJob {
  std::string id;                  // unique in the queue; empty: a new ULID
  std::string name;                // for people, such as the job file's own id; may repeat
  std::string key;                 // job_key of the resolved job; may be empty
  std::string spec;                // the job as JSON
  std::string device;              // "", "auto", "cpu", "cuda" (any of them), "cuda:1"
  double priority = 0;             // higher first
  std::vector<std::string> after;  // ids, in the queue already or in the same call
  std::string parent;              // id of the job that this one continues or varies
  std::string batch;               // what was added together; may be empty
};

struct QueueJob {
  std::string id, name, key, spec;
  JobState state = JobState::Queued;
  std::string reason;  // why suspended, blocked, interrupted
  double priority = 0, position = 0;
  double created = 0, started = 0, ended = 0;  // 0 = not yet
  int attempts = 0;                            // how often it was started
  int deaths = 0;                              // of workers that had it
  std::string device;                          // the wish, as in NewJob
  std::string worker, ran_on;                  // that has or had it
  std::string phase;
  double fraction = 0, eta_s = -1;  // negative = not known
  std::string error_code, error_text;
  std::string parent, batch;
  std::vector<std::string> after;
};

struct JobEvent {
  std::int64_t seq = 0;  // from 1, per job
  double time = 0;
  std::string json;
};
struct JobOutput {
  std::string path, sha256, kind;
  std::uint64_t bytes = 0;
};
struct JobCheckpoint {
  int step = 0;
  std::string path, sha256;
  std::uint64_t bytes = 0;
};

struct QueueFilter {
  std::vector<JobState> states;  // empty: all
  std::string batch;             // empty: all
  std::size_t offset = 0, limit = 1'000'000;
};

enum class QueueMode { Write, Read };

struct QueueOptions {
  std::string program = "rubato";  // that holds the lock, for whom it keeps out
  // After an unclean exit the window's queue waits for a person; a `run` goes on by itself.
  bool pause_after_crash = true;
};

// Where a job is moved to. Beside another job it takes that job's priority.
struct QueuePlace {
  enum class Kind { First, Last, Before, After } kind = Kind::Last;
  std::string other;  // id, for Before and After
};

class QueueStore {
 public:
  static Result<QueueStore> open(const std::filesystem::path& file, QueueMode mode, const QueueOptions& options = {});
  QueueStore(QueueStore&&) noexcept;
  QueueStore& operator=(QueueStore&&) noexcept;
  ~QueueStore();  // notes that the exit was clean

  // What a person should know about the opening, one sentence each: interrupted jobs and the pause, a damaged file and
  // where it was put, a newer version.
  const std::vector<std::string>& notes() const;
  bool read_only() const;
  // The program that wrote it last died, and none has it open: whoever opens it to write next takes its running jobs
  // for interrupted. For readers; changes nothing.
  Result<bool> left_behind() const;
  const std::filesystem::path& file() const;

  // ---- Jobs. All of a call are added, or none. Gives the ids, in order. Blocked at once if `after` is not yet done.
  Result<std::vector<std::string>> add(std::span<const NewJob> jobs);
  Result<std::optional<QueueJob>> find(std::string_view id) const;
  // The state's name, or "unknown": never "done" for a job that is not known to be done.
  std::string status(std::string_view id) const;
  // The id that begins with `prefix`, or ends with it (6 letters or more: ids made together begin alike). Usage: none
  // (the nearest is named), or several.
  Result<std::string> id_of(std::string_view prefix) const;
  Result<std::vector<QueueJob>> list(const QueueFilter& filter = {}) const;  // highest priority first, then position
  Result<std::map<JobState, std::int64_t>> totals() const;                   // every state, also those without jobs
  Result<> remove(std::string_view id);  // with all that belongs to it; not while it runs, nor while others wait for it

  // ---- Order
  Result<> move(std::string_view id, const QueuePlace& place);
  Result<> set_priority(std::string_view id, double priority);
  // The queued job that a worker on `device` ("cpu", "cuda:0") should take next, whatever the jobs wish for "auto";
  // nothing while paused.
  Result<std::optional<QueueJob>> next_runnable(std::string_view device) const;

  // ---- Pause. Going on puts interrupted jobs back into the queue. The reason is "" when a person paused.
  Result<bool> paused() const;
  Result<std::string> pause_reason() const;
  Result<> pause(std::string_view reason = {});
  Result<> resume();

  // ---- What becomes of a job. Each is checked against the table of job_state.h and leaves an event.
  Result<> set_state(std::string_view id, JobState state, std::string_view reason = {});
  Result<> started(std::string_view id, std::string_view device, std::string_view worker);  // counts an attempt
  Result<> finished(std::string_view id);  // done; jobs that waited for it alone are queued
  Result<> failed(std::string_view id, const Error& error);
  Result<> suspended(std::string_view id, std::string_view reason, const Error& error);
  // A worker died with the job: interrupted, then queued again while deaths <= retries, else suspended with the reason
  // "quarantine" (from the second death on) or "worker_died", and `text` as its error. Gives the state it has now.
  Result<JobState> worker_died(std::string_view id, int retries, std::string_view text = {});
  Result<> cancel(std::string_view id, std::string_view reason = {});  // refused where it has ended
  Result<> retry(std::string_view id);  // of a failed, cancelled, suspended or interrupted job; forgets its deaths
  Result<> set_progress(std::string_view id, std::string_view phase, double fraction, double eta_s);

  // ---- What a job leaves
  Result<std::int64_t> add_event(std::string_view id, std::string_view json);  // its seq
  Result<std::vector<JobEvent>> events(std::string_view id) const;
  Result<> add_output(std::string_view id, const JobOutput& output);  // the same path again replaces it
  Result<std::vector<JobOutput>> outputs(std::string_view id) const;
  // Of a job's checkpoints the last two are kept; gives the paths of those that may be deleted now.
  Result<std::vector<std::string>> add_checkpoint(std::string_view id, const JobCheckpoint& checkpoint);
  Result<std::vector<JobCheckpoint>> checkpoints(std::string_view id) const;  // newest first
  Result<> clear_checkpoints(std::string_view id);
  Result<> add_timing(std::string_view id, std::string_view phase, double seconds, std::int64_t units);

  // Several of the calls above as one change that reaches the disk once: nothing is kept unless `body` succeeds.
  template <typename Body>
  Result<> together(Body&& body) {
    RUBATO_OK(begin());
    if (Result<> done = body(); !done.ok()) {
      roll_back();
      return done;
    }
    return commit();
  }

 private:
  struct State;
  explicit QueueStore(std::unique_ptr<State> state);
  Result<> begin();
  Result<> commit();
  void roll_back();
  std::unique_ptr<State> state_;
};

}  // namespace rubato
