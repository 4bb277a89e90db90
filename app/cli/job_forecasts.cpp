#include "app/cli/job_forecasts.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace rubato::cli {

void JobForecasts::fill(RunJob& job, const VideoModel& model) {
  const auto times = timings_.expected(job.job, model);
  job.expected_s = times.expected_s;
  job.expected_is_estimate = times.estimated;
  if (const auto& memory = memory_of(job.job, model)) {
    job.memory_bytes = std::max(memory->device_bytes, memory->host_bytes);
    job.memory_advice = memory->sentence;
  }
}

Result<> JobForecasts::check_memory(const VideoJob& job, const VideoModel& model) {
  const auto& memory = memory_of(job, model);
  if (!memory || memory->fit != Fit::DoesNotFit) return {};
  return Error{ErrorCode::OutOfMemory, memory->sentence};
}

void JobForecasts::learn(const RunJob& job, const nlohmann::json& report, const TimedUnder& under) {
  auto& model = models_[job.job.model];
  if (!model) {
    auto opened = open_video_model(job.job.model);
    if (!opened) return;
    model = std::move(*opened);
  }
  timings_.learn(job.job, *model, report, under);
}

// Jobs of one size and kind take the same; thousands of them are looked at once.
const std::optional<MemoryForecast>& JobForecasts::memory_of(const VideoJob& job, const VideoModel& model) {
  const auto kind = fmt::format("{}|{}x{}|{}|{}|{}|{}|{}|{}|{}|{}", job.model, job.size->width, job.size->height,
                                *job.frames, job.device, job.dtype, *job.guidance > 1, *job.max_sequence_length,
                                job.image.empty(), job.reserve.value_or(0), job.max_ram.value_or(0));
  const auto [known, is_new] = memory_.try_emplace(kind);
  if (is_new)
    if (auto forecast = forecast_memory(model, job, memory_available(job))) known->second = std::move(*forecast);
  return known->second;
}

}  // namespace rubato::cli
