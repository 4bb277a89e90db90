// RenderRecord: what the queue knows about a job that has ended, kept with its clip, so that a run can be looked at
// after the queue was cleared.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "pipelines/job/queue/queue_store.h"

namespace rubato {

struct RenderWarning {
  double time = 0;  // seconds since 1970
  std::string code, message;
  bool operator==(const RenderWarning&) const = default;
};

struct RenderFile {
  std::string path, kind, sha256;
  std::uint64_t bytes = 0;
  bool operator==(const RenderFile&) const = default;
};

struct RenderRecord {
  int attempts = 0, deaths = 0;                // starts, and workers that died with it
  double created = 0, started = 0, ended = 0;  // seconds since 1970; 0: not known. started: the last time
  std::string ran_on;                          // "cpu", "cuda:0"
  std::vector<RenderWarning> warnings;         // in the order in which they came
  std::vector<RenderFile> files;
  nlohmann::json report;  // the engine's, as `gen video --report` writes it; null: none
  bool operator==(const RenderRecord&) const = default;
};

// Of a job of the queue, in whatever state it is. Usage: there is none of this id.
Result<RenderRecord> record_of(const QueueStore& queue, std::string_view id);

nlohmann::json to_json(const RenderRecord& record);
// Takes what it understands: members that are missing or of another type count as not known.
RenderRecord render_record_from_json(const nlohmann::json& object);

}  // namespace rubato
