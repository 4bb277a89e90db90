// The states of a job in a queue, and which may follow which.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rubato {

enum class JobState {
  Queued,       // waits for its turn
  Running,      // a worker has it
  Done,         // its outputs are under their names
  Failed,       // ended with an error of its own
  Cancelled,    // stopped by a person
  Interrupted,  // its worker or the host died; queued again as soon as the queue goes on
  Suspended,    // needs a person: reason `quarantine`, `no_disk`, …
  Blocked,      // waits for the jobs in `after`
};
inline constexpr std::array kJobStates{JobState::Queued,    JobState::Running,   JobState::Done,
                                       JobState::Failed,    JobState::Cancelled, JobState::Interrupted,
                                       JobState::Suspended, JobState::Blocked};

// "queued" and so on: the spelling in files and JSON.
std::string_view state_name(JobState state);
std::optional<JobState> state_from_name(std::string_view name);
std::vector<std::string> state_names();

// queued → running → done | failed | cancelled; running → interrupted → queued; any → suspended → queued;
// queued ⇄ blocked; what has not begun or waits for a person may be cancelled. Trying a failed or cancelled job again
// leads through suspended.
bool may_follow(JobState from, JobState to);
// "a done job cannot become running; from there it can become suspended"
std::string refusal(JobState from, JobState to);

}  // namespace rubato
