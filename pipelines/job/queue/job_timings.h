// The times of video jobs on this machine: what one will take, phase by phase, and learning from its report.
//
// Never in the way of a job: where the file cannot be read nothing is known, and where it cannot be written nothing is
// learnt. What "auto" meant for device and dtype is remembered from the last job that said so, since only a worker
// knows it beforehand.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "pipelines/job/queue/timings.h"
#include "pipelines/job/video_job.h"
#include "pipelines/job/video_model.h"

namespace rubato {

struct TimeForecast {
  std::map<std::string, double> expected_s;  // whole phases, as protocol::RunHints takes them; empty: nothing is known
  bool estimated = false;                    // scaled from another size or length
};

// What made a job faster than the same one alone.
struct TimedUnder {
  bool resumed = false;  // steps were there already
  bool warm = false;     // the model was loaded already
};

class JobTimings {
 public:
  // timings.sqlite in this folder, which is made when there is something to keep.
  explicit JobTimings(const std::filesystem::path& state_folder);

  // `job` is resolved: no field of it is open but the seed.
  TimeForecast expected(const VideoJob& job, const VideoModel& model);
  // From the report of the finished job ("seconds" by phase, "device", "job").
  void learn(const VideoJob& job, const VideoModel& model, const nlohmann::json& report, const TimedUnder& under = {});

 private:
  std::optional<Timings>& open();
  std::filesystem::path file_;
  std::optional<Timings> timings_;
};

}  // namespace rubato
