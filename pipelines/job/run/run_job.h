// A job of a batch as a run sees it: resolved against its model, with a key, a final name and a forecast.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "pipelines/job/batch/job_file.h"
#include "pipelines/job/protocol.h"
#include "pipelines/job/queue/job_state.h"
#include "pipelines/job/video_job.h"

namespace rubato {

struct RunJob {
  BatchJob batch;                  // as the job file gives it
  VideoJob job;                    // every field set; out, latents_out and trace relative to the run's output folder
  std::string named;               // `out` before a free name was taken for it (RunOverwrite::Rename)
  std::string model;               // its name, for people
  std::string model_hash;          // of its content
  std::string key;                 // what makes this clip: settings, inputs, model content, output version
  std::vector<std::size_t> after;  // indices of the jobs that must be done first
  bool selected = true;            // false: left out of this run by a filter; it counts only as what others wait for

  // Forecast. Seconds by phase; empty = not known yet.
  std::map<std::string, double> expected_s;
  bool expected_is_estimate = false;
  std::uint64_t output_bytes = 0, memory_bytes = 0;
  std::string memory_advice;  // "fits", "fits with the text encoder offloaded"; "" = not looked at

  const std::string& id() const { return batch.job.id; }
  double expected_total() const {  // negative = not known yet
    if (expected_s.empty()) return -1;
    double sum = 0;
    for (const auto& [phase, seconds] : expected_s) sum += seconds;
    return sum;
  }
};

// What became of a job in this run.
struct RunOutcome {
  JobState state = JobState::Queued;
  ErrorCode code = ErrorCode::Failed;     // of a failed, suspended or interrupted job
  std::string reason;                     // a sentence; "" when there is nothing to say
  std::vector<protocol::Output> outputs;  // paths relative to the output folder
  std::string frames_sha256;
  int attempts = 0, deaths = 0;  // starts, and workers that died with it, in this run
  double seconds = 0;            // of the attempt that finished it
  std::vector<std::pair<std::string, double>> phases;
  bool earlier = false;  // done before this run, or by another process
  std::string device;
};

}  // namespace rubato
