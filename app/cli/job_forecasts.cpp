#include "app/cli/job_forecasts.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "pipelines/job/capacity.h"

namespace rubato::cli {
namespace {

constexpr std::size_t kKinds = 32;

// The job without what neither time nor memory depends on. What is not named here counts, so that a new field can make
// this slower but never wrong.
VideoJob kind_of(VideoJob job) {
  for (auto* text : {&job.id, &job.name, &job.prompt, &job.latents_in, &job.latents_out, &job.trace}) text->clear();
  for (auto* path : {&job.image, &job.out})
    if (!path->empty()) *path = "given";
  job.negative_prompt.reset();
  job.seed.reset();
  job.overwrite.clear();
  job.keep_latents = job.metadata = false;
  return job;
}

template <typename Value, typename Make>
const Value& look_up(std::deque<std::pair<VideoJob, Value>>& recent, VideoJob kind, Make&& make) {
  const auto found = std::ranges::find(recent, kind, &std::pair<VideoJob, Value>::first);
  if (found != recent.end()) return found->second;
  recent.emplace_front(std::move(kind), make());
  if (recent.size() > kKinds) recent.pop_back();
  return recent.front().second;
}

}  // namespace

void JobForecasts::fill(RunJob& job, const VideoModel& model) {
  const auto& expected = times(job.job, model);
  job.expected_s = expected.expected_s;
  job.expected_is_estimate = expected.estimated;
  if (const auto& memory = needs(job.job, model).memory) {
    job.memory_bytes = std::max(memory->device_bytes, memory->host_bytes);
    job.memory_advice = memory->sentence;
  }
}

Result<> JobForecasts::check(const VideoJob& job, const VideoModel& model) {
  const auto& [capacity, memory] = needs(job, model);
  RUBATO_OK(capacity);
  if (!memory || memory->fit != Fit::DoesNotFit) return {};
  return Error{ErrorCode::OutOfMemory, memory->sentence};
}

const JobForecasts::Needs& JobForecasts::needs(const VideoJob& job, const VideoModel& model) {
  auto kind = kind_of(job);
  kind.steps.reset();  // they take time only
  return look_up(needs_, std::move(kind), [&] {
    Needs found{check_capacity(job, model), {}};
    if (auto memory = forecast_memory(model, job, memory_available(job))) found.memory = std::move(*memory);
    return found;
  });
}

const TimeForecast& JobForecasts::times(const VideoJob& job, const VideoModel& model) {
  return look_up(times_, kind_of(job), [&] { return timings_.expected(job, model); });
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

}  // namespace rubato::cli
