// JobForecasts: what the jobs of a batch will take of time and memory, learnt from those that are done.
#pragma once

#include <deque>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>

#include "engine/base/error.h"
#include "pipelines/job/memory_forecast.h"
#include "pipelines/job/queue/job_timings.h"
#include "pipelines/job/run/run_job.h"
#include "pipelines/job/video_model.h"

namespace rubato::cli {

class JobForecasts {
 public:
  // `state`: the folder in which the times of this machine are kept.
  explicit JobForecasts(const std::filesystem::path& state) : timings_(state) {}

  // Fills in what is known about a resolved job.
  void fill(RunJob& job, const VideoModel& model);
  // What the machine cannot do for a resolved job (capacity.h), or OutOfMemory for one that does not fit in any way;
  // the sentence says what would.
  Result<> check(const VideoJob& job, const VideoModel& model);
  // From the report of a job that was rendered.
  void learn(const RunJob& job, const nlohmann::json& report, const TimedUnder& under);

 private:
  // What was found out about the last few kinds of jobs, the newest first. Jobs of one kind take the same; thousands of
  // them are looked at once.
  template <typename Value>
  using Recent = std::deque<std::pair<VideoJob, Value>>;
  struct Needs {
    Result<> capacity;
    std::optional<MemoryForecast> memory;
  };
  const Needs& needs(const VideoJob& job, const VideoModel& model);
  const TimeForecast& times(const VideoJob& job, const VideoModel& model);

  JobTimings timings_;
  Recent<Needs> needs_;
  Recent<TimeForecast> times_;
  std::map<std::string, std::optional<VideoModel>> models_;  // by folder
};

}  // namespace rubato::cli
