// QueueRunner: renders the jobs of the window's queue in its order, on one worker per device, as the queue's one
// writer. The window and `rubato-cli queue run` stand on it.
//
// Promises: a job is rendered once, whatever dies (queue_work.h, states in job_state.h); a worker's death costs the
// steps since the last checkpoint, the second one puts the job aside (`quarantine`); what was acknowledged is on the
// disk. While it is open it takes the requests of others (queue_requests.h) over the hand-over socket.
//
// Threads: one per device, which owns its worker (a worker dies with its thread), and the hand-over's. Members may be
// called from any thread, also from within an observer's call, but for the destructor.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "pipelines/job/channel.h"
#include "pipelines/job/queue/queue_store.h"
#include "pipelines/job/restart_policy.h"
#include "pipelines/job/worker_client.h"

namespace rubato {

struct QueueRunnerOptions {
  std::vector<std::string> devices{"auto"};  // "auto" (every job), "cpu", "cuda:1" (what wishes for it or for any)
  WorkerOptions worker;
  std::string program = "rubato";  // for whom it keeps out
  bool pause_after_crash = true;   // else it goes on by itself after a session that did not end properly
  bool until_empty = false;        // ends when nothing is left that it could render; else it waits for more
  int max_retries = 1;             // of a job whose worker died; then it is suspended
  RestartPolicy::Limits restarts;
  std::chrono::seconds keep_warm{300};  // an idle worker is ended after this, and its memory free
};

// Watches a runner. Calls come from its threads, one at a time.
class QueueObserver {
 public:
  virtual ~QueueObserver() = default;
  virtual void started(const QueueJob& job) = 0;
  // What the worker says of a running job, but its end: phases, progress, warnings, checkpoints, previews, whose memfd
  // may be taken.
  virtual void message(const QueueJob& job, Envelope& envelope) = 0;
  // The job as it is now: done (then `outputs` are its files), failed, cancelled, suspended, or queued again.
  virtual void ended(const QueueJob& job, const std::vector<JobOutput>& outputs) = 0;
  // Somebody's request changed the queue.
  virtual void changed() {}
  // A sentence about the queue as a whole.
  virtual void note(const std::string& sentence) = 0;
};

class QueueSlot;

class QueueRunner {
 public:
  // Opens the queue of a state folder to write. Locked: another instance works on it. Others as QueueStore::open.
  // `observer` outlives the runner; it is called only between start() and the end.
  static Result<std::unique_ptr<QueueRunner>> open(const std::filesystem::path& state_folder,
                                                   QueueRunnerOptions options, QueueObserver& observer);
  ~QueueRunner();  // stops at once
  QueueRunner(const QueueRunner&) = delete;
  QueueRunner& operator=(const QueueRunner&) = delete;

  // What a person should know about the opening, one sentence each.
  std::vector<std::string> notes() const;

  void start();
  // Ends the runner: nothing new begins, what runs stops after its current step and is queued again with its
  // checkpoint. stop_now() ends the workers instead.
  void stop_after_step();
  void stop_now();
  // True as soon as every thread has ended; false after `patience`.
  bool wait_for(std::chrono::milliseconds patience);
  // Why it ended before its work did: EngineDied (no worker stays alive), CannotWrite (the queue itself). Nothing: it
  // was stopped, or all is done.
  std::optional<Error> failure() const;

  // Takes a job out of the queue, also a running one; what it has rendered is kept for a retry.
  Result<> cancel(std::string_view id, protocol::CancelWhen when);
  // Answers a request of queue_requests.h, as the hand-over does. Besides those: {"request": "status"} → {"working"}.
  Result<nlohmann::json> ask(const nlohmann::json& request);
  // Looks at the queue. No other change can be made meanwhile: be brief, and call nothing of the runner.
  void look(const std::function<void(const QueueStore&)>& body) const;

 private:
  friend class QueueSlot;
  struct State;
  explicit QueueRunner(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rubato
