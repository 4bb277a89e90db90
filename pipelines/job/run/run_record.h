// RunRecord: what a run writes about itself, in OUT/.rubato/HOST-PID-PLACE-ULID.sqlite (a QueueStore): states,
// attempts, events, outputs. PLACE tells in which container of the host PID counts, since each counts from 1. For
// people and programs that look at a run; the run itself never depends on it, so no error of it stops anything: after
// one the file is given up and made anew from the outcomes.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipelines/job/queue/queue_store.h"
#include "pipelines/job/run/run_job.h"

namespace rubato {

class RunRecord {
 public:
  // The jobs and outcomes outlive this object.
  RunRecord(std::filesystem::path state_folder, const std::vector<RunJob>& jobs,
            const std::vector<RunOutcome>& outcomes);

  void started(std::size_t job, int worker_pid);
  void ended(std::size_t job);  // whatever its outcome says now
  void checkpoint(std::size_t job, int step, const std::string& path);
  void event(std::size_t job, const nlohmann::json& event);
  // Call it now and then: tries again after an error, and closes the file while nothing is written to it, so that a run
  // of hours does not keep its disk busy.
  void look_after();
  // What went wrong, the first time; "" = nothing. Told to people once.
  std::string trouble();

  const std::filesystem::path& file() const { return file_; }
  // Removes the records that dead runs on this machine left, and damaged ones of `own`, this run's: what they know is
  // in the KEY.done files. Whether a process of another container lives cannot be seen: its record is dead after a day
  // in which nothing was written to it. (A run whose record vanishes makes it anew.)
  static void remove_dead(const std::filesystem::path& state_folder, const std::filesystem::path& own = {});

 private:
  template <typename Change>
  void attempt(Change&& change);
  Result<> open();
  Result<> write_all();
  Result<> write_outcome(std::size_t job);

  std::filesystem::path file_;
  const std::vector<RunJob>& jobs_;
  const std::vector<RunOutcome>& outcomes_;
  std::optional<QueueStore> store_;
  std::string trouble_;
  bool told_ = false;
  bool broken_ = false;
  std::chrono::steady_clock::time_point next_try_{}, last_use_{}, last_checkpoint_{};
};

}  // namespace rubato
