#include "pipelines/job/queue/job_state.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace rubato {
namespace {

struct Row {
  JobState state;
  std::string_view name;
  std::vector<JobState> next;
};

// By definition: queued → running → done | failed | cancelled;
// running → interrupted → queued; any → suspended → queued; queued → blocked. It follows that a blocked job is queued
// when what it waited for is done, and a person may cancel what has not begun.
const std::vector<Row>& table() {
  using enum JobState;
  static const std::vector<Row> rows{
      {Queued, "queued", {Running, Blocked, Suspended, Cancelled}},
      {Running, "running", {Done, Failed, Cancelled, Interrupted, Suspended}},
      {Done, "done", {Suspended}},
      {Failed, "failed", {Suspended}},
      {Cancelled, "cancelled", {Suspended}},
      {Interrupted, "interrupted", {Queued, Suspended, Cancelled}},
      {Suspended, "suspended", {Queued, Cancelled}},
      {Blocked, "blocked", {Queued, Suspended, Cancelled}},
  };
  return rows;
}

const Row& row(JobState state) { return table()[static_cast<std::size_t>(state)]; }

}  // namespace

std::string_view state_name(JobState state) { return row(state).name; }

std::optional<JobState> state_from_name(std::string_view name) {
  for (const auto& row : table())
    if (row.name == name) return row.state;
  return std::nullopt;
}

std::vector<std::string> state_names() {
  std::vector<std::string> names;
  for (const auto& row : table()) names.emplace_back(row.name);
  return names;
}

bool may_follow(JobState from, JobState to) {
  const auto& next = row(from).next;
  return std::find(next.begin(), next.end(), to) != next.end();
}

std::string refusal(JobState from, JobState to) {
  std::vector<std::string_view> names;
  for (const auto next : row(from).next) names.push_back(state_name(next));
  return fmt::format("a {} job cannot become {}; from there it can become {}", state_name(from), state_name(to),
                     fmt::join(names, ", "));
}

}  // namespace rubato
