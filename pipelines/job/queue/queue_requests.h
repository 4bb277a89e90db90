// What can be asked of a queue from outside, as JSON: by `rubato-cli queue …` on the file itself, or handed over to the
// instance that holds it. Ids may be given by their beginning, or by the last six letters or more.
//
//   {"request": "add", "jobs": [{"id", "name", "spec": {…}, "priority", "device", "after": […]}…], "batch"}
//                                                              → {"ids": […]}; `after` may name ids or names of the
//                                                              call
//   {"request": "pause" | "resume"}                                                     → {}
//   {"request": "move", "id", "to": "first" | "last" | "before" | "after", "other"}     → {"id"}
//   {"request": "cancel" | "retry" | "remove", "ids": […]}                              → {"ids": […]}
//   {"request": "status"}                                            → {"working"}: only of a queue that is worked on
// A QueueRunner also takes "when": "after_step" (as without it) or "now" with "cancel", for a job that runs.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/base/error.h"
#include "pipelines/job/queue/queue_store.h"

namespace rubato {

struct QueueHooks {
  // Stops a job that this process is running, before it is noted as cancelled.
  std::function<Result<>(const std::string& id)> stop_running = {};
};

// Carries out a request, all of it or nothing. Usage or JobInvalid with a sentence for what is wrong with it.
Result<nlohmann::json> answer_queue_request(QueueStore& store, const nlohmann::json& request,
                                            const QueueHooks& hooks = {});

// queue.sqlite and its hand-over socket in the state folder.
std::filesystem::path queue_file(const std::filesystem::path& state_folder);
std::filesystem::path queue_socket(const std::filesystem::path& state_folder);

// Opens the queue and carries the request out; where another instance holds it, hands it over. `notes` are those of the
// opening. Locked: the holder takes no requests.
Result<nlohmann::json> ask_queue(const std::filesystem::path& state_folder, const nlohmann::json& request,
                                 std::vector<std::string>& notes);

}  // namespace rubato
