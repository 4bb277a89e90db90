// How the commands of the queue say what they did.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "app/cli/command.h"
#include "app/cli/output.h"
#include "pipelines/job/queue/queue_store.h"

namespace rubato::cli {

// The last six letters, which tell jobs apart that were added together, and which every command takes.
std::string short_id(std::string_view id);

nlohmann::json to_json(const QueueJob& job);

// Sends the request to the queue of the state folder, or to the instance that holds it; warns of what the opening had
// to say.
Result<nlohmann::json> ask(const Context& context, const nlohmann::json& request);

inline constexpr std::string_view kWaitsForARunner =
    "Nothing renders the queue now: its jobs wait until 'rubato-cli queue run' or the studio works on them.";

// The queue, to be looked at only. CannotWrite for a damaged one, with what is to be done about it: looking changes
// nothing.
Result<QueueStore> open_to_look(const Context& context);

// Jobs of a queue whose program died (QueueStore::left_behind) as the next program that changes it will find them: what
// is "running" there is interrupted.
void mark_interrupted(std::vector<QueueJob>& jobs);

// Somebody renders the queue of this state folder now: `queue run`, or the studio.
bool is_worked_on(const Context& context);

// "1 job", "3 jobs"
std::string count_of_jobs(std::size_t jobs);

}  // namespace rubato::cli
