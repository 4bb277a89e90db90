#include "pipelines/job/run/job_table.h"

#include <algorithm>
#include <numeric>

namespace rubato {

JobTable::JobTable(const RunPlan& plan, std::size_t limit)
    : jobs_(plan.jobs), outcomes_(plan.jobs.size()), limit_(limit), order_(plan.jobs.size()) {
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    if (plan.is_done[i]) {
      outcomes_[i].state = JobState::Done;
      outcomes_[i].earlier = true;
    } else if (!jobs_[i].after.empty()) {
      outcomes_[i].state = JobState::Blocked;
    }
  }
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  std::stable_sort(order_.begin(), order_.end(),
                   [&](auto a, auto b) { return jobs_[a].batch.priority > jobs_[b].batch.priority; });
}

bool JobTable::is_open(std::size_t index) const {
  if (!jobs_[index].selected) return false;
  const auto& outcome = outcomes_[index];
  switch (outcome.state) {
    case JobState::Done:
    case JobState::Failed:
    case JobState::Cancelled:
      return false;
    case JobState::Suspended:
      return outcome.reason == "no_disk";
    default:
      return true;
  }
}

bool JobTable::is_ready(std::size_t index) const {
  const auto& outcome = outcomes_[index];
  if (!is_open(index) || (outcome.state != JobState::Queued && outcome.state != JobState::Blocked)) return false;
  if (limit_ > 0 && begun_ >= limit_ && outcome.attempts == 0) return false;
  return std::ranges::all_of(jobs_[index].after,
                             [&](std::size_t other) { return outcomes_[other].state == JobState::Done; });
}

bool JobTable::any_ready() const {
  return std::any_of(order_.begin() + static_cast<std::ptrdiff_t>(open_from_), order_.end(),
                     [&](std::size_t index) { return is_ready(index); });
}

std::optional<std::size_t> JobTable::next(const std::string& loaded, const std::function<bool(std::size_t)>& suits) {
  while (open_from_ < order_.size() && !is_open(order_[open_from_])) ++open_from_;
  std::optional<std::size_t> first;
  for (std::size_t at = open_from_; at < order_.size(); ++at) {
    const auto index = order_[at];
    if (first && jobs_[index].batch.priority < jobs_[*first].batch.priority) break;
    if (!is_ready(index) || !suits(index)) continue;
    if (loaded.empty() || jobs_[index].job.model == loaded) return index;
    if (!first) first = index;
  }
  return first;
}

void JobTable::started(std::size_t index) {
  if (outcomes_[index].attempts++ == 0) ++begun_;
}

void JobTable::leave_for_later() {
  const auto may_come = [&](std::size_t job) {
    return outcomes_[job].state == JobState::Done || (jobs_[job].selected && outcomes_[job].state == JobState::Queued);
  };
  for (bool changed = limit_ > 0; changed;) {  // a job may stand before those that it waits for
    changed = false;
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      if (!is_open(i) || outcomes_[i].state != JobState::Blocked) continue;
      if (!std::ranges::all_of(jobs_[i].after, may_come)) continue;
      outcomes_[i].state = JobState::Queued;
      changed = true;
    }
  }
}

}  // namespace rubato
