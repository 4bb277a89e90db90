// NDJSON events of `--progress=json`: the worker's messages, renamed for people's scripts.
//
//   {"v":1,"t":"2026-01-31T12:00:00.123Z","ev":"job.progress","job":"01J…","phase":"denoise","i":12,"n":50,"frac":0.31,…}
//
// The schema is resources/schemas/events.schema.json. Readers ignore what they do not know.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/job/protocol.h"

namespace rubato {

inline constexpr int kEventVersion = 1;

// An event of the program itself, with the given members: "hello" {version, revision} is the first line, "plan" {jobs:
// [resolved jobs], memory: [their forecasts, where one was made: memory_forecast.h]} says what will be done, "run.note" {message} is about a run as a whole, "queue.done" {states: {done:
// 3, …}, seconds} says how a run ended, "bye" {code: exit code; error, message: when it is not 0} is the last.
nlohmann::json make_event(std::string_view name, nlohmann::json members = nlohmann::json::object());

// The events of one message, in order: a finished job is a job.output for each file and then job.done. Empty for
// messages that are not events (heartbeat, token, metric, checkpoint).
std::vector<nlohmann::json> to_events(const protocol::Message& message);

}  // namespace rubato
