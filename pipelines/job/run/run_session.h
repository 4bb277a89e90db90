// A run: many jobs on one or several workers, until each is done or has a reason why not.
//
// Promises: a job is rendered by one process at a time, on all hosts that share the output folder (claims.h); a file
// has its final name only when it is whole, and a job counts as done only when its files are there (publication.h);
// whatever dies, the next run goes on from the last checkpoint. The jobs render in work folders (work_folders.h).
//
// One thread, no blocking longer than a tick: it polls the workers' sockets and the caller's stop signals. Workers die
// with the thread that calls run().
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/job/queue/job_timings.h"
#include "pipelines/job/restart_policy.h"
#include "pipelines/job/run/claims.h"
#include "pipelines/job/run/device_turn.h"
#include "pipelines/job/run/disk_watch.h"
#include "pipelines/job/run/job_table.h"
#include "pipelines/job/run/output_names.h"
#include "pipelines/job/run/publication.h"
#include "pipelines/job/run/run_job.h"
#include "pipelines/job/run/run_plan.h"
#include "pipelines/job/run/run_record.h"
#include "pipelines/job/run/work_folders.h"
#include "pipelines/job/worker_client.h"

namespace rubato {

enum class StopWish { None, AfterStep, AtOnce };

struct RunOptions {
  std::filesystem::path out;
  std::filesystem::path job_file;            // absolute; "" = the jobs are from none
  std::vector<std::string> devices{"auto"};  // one worker each
  WorkerOptions worker;
  RestartPolicy::Limits restarts;                            // of each worker. Tests shorten them
  std::filesystem::path turns = DeviceTurn::usual_folder();  // where processes take turns on a GPU
  int max_retries = 1;                                       // of a job whose worker died; then it is suspended
  bool stop_on_error = false;                                // the first failed job ends the run
  bool fresh = false;  // partial work and records of earlier runs count for nothing
  RunOverwrite overwrite = RunOverwrite::Never;
  std::optional<std::chrono::seconds> time_limit;
  // How long to wait for a disk that is full, too full for the job that is next, or read-only.
  std::chrono::seconds disk_patience{600};
  std::size_t limit = 0;  // jobs to render at most; 0 = all
  // Told of each job rendered here, with the worker's report; `forecast` of later plans comes from it. May be empty.
  std::function<void(const RunJob& job, const nlohmann::json& report, const TimedUnder& under)> learn;
  int stop_fd = -1;  // readable when stop_wish() may have changed
  std::function<StopWish()> stop_wish;
};

// Watches a run. All calls come from run()'s thread.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void started(const RunJob& job, const std::string& device, int attempt) = 0;
  // What the worker says of a running job, but its end.
  virtual void message(const RunJob& job, const protocol::Message& message) = 0;
  // Done, failed, suspended, queued again: the outcome says which.
  virtual void ended(const RunJob& job, const RunOutcome& outcome) = 0;
  // A sentence about the run as a whole.
  virtual void note(const std::string& sentence) = 0;
};

struct RunResult {
  std::vector<RunOutcome> outcomes;  // by job
  // Why it ended early: TimeLimit, Cancelled, Terminated (by the caller's signals: Cancelled), EngineDied (every worker
  // was given up), CannotWrite.
  // Nothing: every job that could be rendered was.
  std::optional<Error> stopped;
};

class RunSession {
 public:
  // Plan and observer outlive the session.
  RunSession(RunOptions options, const RunPlan& plan, RunObserver& observer);
  ~RunSession();

  // CannotWrite when the output folder cannot be made or written at the start.
  Result<RunResult> run();

 private:
  struct Slot;
  using Clock = std::chrono::steady_clock;
  enum class Start { Started, Settled, NotNow };

  // ---- The loop's parts (run_session.cpp)
  Result<> prepare();
  bool finished() const;
  void wait_for_something();
  void look_at_limits();
  void look_at_claims();
  void look_at_disk();
  void say_who_stalls();
  void give_work();
  std::optional<std::size_t> next_job(const Slot& slot);
  Start start(std::size_t job, Slot& slot);
  Result<bool> take_work(std::size_t job);
  bool is_untouched(std::size_t job) const;
  void stop(Error why);
  void stop_workers(StopWish how);
  void tidy(const std::filesystem::path& record);
  void remove_left_work();

  // ---- What becomes of a job (run_outcomes.cpp)
  void on_message(Slot& slot, Envelope& envelope);
  void on_done(Slot& slot, const protocol::Done& done);
  void on_failed(Slot& slot, const protocol::Failed& failed);
  void on_death(std::size_t job, Slot& slot, const protocol::Failed& failed);
  bool keeps_claim(std::size_t job);
  void lose(std::size_t job);
  void worker_ended(Slot& slot, const std::string& how);
  void publish(std::size_t job);
  Result<> take_other_name(std::size_t job, Publication& files);
  void take_record(std::size_t job, const DoneRecord& record);  // what it says of the job's files
  void disk_trouble(std::size_t job, const Error& error);
  void settle(std::size_t job, JobState state, ErrorCode code = ErrorCode::Failed, std::string reason = {});
  void name_blocked();
  void settle_stranded();
  std::uint64_t needed_bytes(std::size_t job) const;
  std::uint64_t awaited_bytes() const;
  bool suits(const RunJob& job, const Slot& slot) const;
  VideoJob worker_job(const RunJob& job, const Slot& slot) const;
  DoneRecord record_of(const RunJob& job, const protocol::Done& done, const Slot& slot) const;

  std::filesystem::path state_folder() const { return options_.out / ".rubato"; }
  std::filesystem::path work_folder(const RunJob& job) const {
    return WorkFolders::named(state_folder(), job.key, claims_ ? claims_->token(job.key) : "");
  }
  Publication publication(std::size_t job) const { return {options_.out, jobs_[job].key, work_folder(jobs_[job])}; }

  RunOptions options_;
  JobTable table_;
  const std::vector<RunJob>& jobs_;  // the table's
  RunObserver& observer_;
  DiskWatch disk_;
  std::optional<Claims> claims_;
  std::optional<RunRecord> record_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::map<std::size_t, Clock::time_point> ask_again_;  // jobs that another process holds, and when to look again
  struct Undecided {
    DoneRecord record;
    std::string work;  // the folder's name
  };
  std::map<std::size_t, Undecided> undecided_;  // rendered, but the decision could not be written yet
  std::vector<LeftWork> left_work_;
  std::map<std::size_t, int> write_failures_;
  std::optional<OutputNames> names_;  // of all jobs, once one has to look for another
  std::optional<Clock::time_point> disk_trouble_since_;
  Clock::time_point next_disk_look_{}, started_{};
  std::optional<Clock::time_point> kill_at_;
  std::optional<Error> stopped_;
  StopWish answered_ = StopWish::None;
  std::string stalled_by_;  // as it was last told
};

}  // namespace rubato
