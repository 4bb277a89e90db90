// JobTable: the jobs of a run with what became of each so far, and which of them comes next.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/job/run/run_job.h"
#include "pipelines/job/run/run_plan.h"

namespace rubato {

class JobTable {
 public:
  // The plan outlives the table. `limit`: jobs to start at most, 0 = all.
  JobTable(const RunPlan& plan, std::size_t limit);

  std::size_t size() const { return jobs_.size(); }
  const RunJob& job(std::size_t index) const { return jobs_[index]; }
  RunOutcome& outcome(std::size_t index) { return outcomes_[index]; }
  const std::vector<RunJob>& jobs() const { return jobs_; }
  const std::vector<RunOutcome>& outcomes() const { return outcomes_; }

  // It may still be rendered in this run.
  bool is_open(std::size_t index) const;
  // Whether any job may be started now: it is open, what it waits for is done, and the limit leaves room for it.
  bool any_ready() const;
  // The most urgent job that may be started and `suits`; among equals one whose model is `loaded`. Highest priority
  // first, then the file's order.
  std::optional<std::size_t> next(const std::string& loaded, const std::function<bool(std::size_t)>& suits);
  // Counts a start. What was begun is brought to its end, however many attempts that takes: only the first counts for
  // the limit.
  void started(std::size_t index);
  // At the end of a run that was not stopped: blocked jobs that only the limit keeps from being started, since all that
  // they wait for is done or left for later itself, are queued like all others that it leaves.
  void leave_for_later();

 private:
  bool is_ready(std::size_t index) const;

  const std::vector<RunJob>& jobs_;
  std::vector<RunOutcome> outcomes_;
  std::size_t limit_, begun_ = 0;
  std::vector<std::size_t> order_;
  std::size_t open_from_ = 0;  // everything before it in order_ has ended
};

}  // namespace rubato
