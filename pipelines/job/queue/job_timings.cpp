#include "pipelines/job/queue/job_timings.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "engine/base/log.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

// The same weights wherever they lie; their sizes tell a model from another of that name without reading them.
std::string identity_of(const VideoModel& model) {
  std::uint64_t bytes = 0;
  for (const auto& [name, component] : model.folder.components)
    if (const auto weights = model.folder.weight_bytes(name)) bytes += *weights;
  return fmt::format("{}|{}|{}", model.folder.class_name, model.name, bytes);
}

std::string plan_of(const VideoJob& job) {
  const auto all = video_job_to_json(job);
  nlohmann::json plan = nlohmann::json::object();
  for (const char* policy : {"rate", "attention", "cache"})
    if (const auto it = all.find(policy); it != all.end()) plan[policy] = *it;
  return plan.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// How many units each phase has: as the runner counts them.
std::map<std::string, std::int64_t> units_of(const VideoJob& job, const VideoModel& model) {
  std::map<std::string, std::int64_t> units{{"load", 1}, {"text", 1}, {"denoise", *job.steps}};
  if (job.out.empty() && job.verify_against.empty()) return units;  // only latents or a trace: nothing is decoded
  units["decode"] = (*job.frames - 1) / model.temporal_ratio + 1;
  if (job.verify_against.empty()) units["mux"] = 1;
  return units;
}

bool is_resolved(const VideoJob& job) { return job.size && job.frames && job.steps && job.guidance; }

TimingKey key_of(const VideoJob& job, const VideoModel& model) {
  const bool guided = *job.guidance > 1 || job.guidance_2.value_or(0) > 1;
  return {.model = identity_of(model),
          .width = job.size->width,
          .height = job.size->height,
          .frames = *job.frames,
          .branches = guided ? 2 : 1,
          .plan = plan_of(job)};
}

std::string text_at(const nlohmann::json& object, const char* outer, const char* inner) {
  const auto it = object.find(outer);
  if (it == object.end() || !it->is_object()) return {};
  const auto text = it->find(inner);
  return text != it->end() && text->is_string() ? text->get<std::string>() : std::string{};
}

}  // namespace

JobTimings::JobTimings(const fs::path& state_folder) : file_(state_folder / "timings.sqlite") {}

std::optional<Timings>& JobTimings::open() {
  if (timings_) return timings_;
  auto opened = Timings::open(file_);
  if (opened)
    timings_ = std::move(*opened);
  else
    log(LogLevel::Info, "timings.closed", {{"reason", opened.error().message}});
  return timings_;
}

TimeForecast JobTimings::expected(const VideoJob& job, const VideoModel& model) {
  std::error_code ignored;
  if (!is_resolved(job) || !fs::exists(file_, ignored) || !open()) return {};
  const auto place = timings_->place(job.device, job.dtype);
  if (!place || !*place) return {};
  auto key = key_of(job, model);
  key.device = (*place)->device;
  key.dtype = (*place)->dtype;
  const auto known = timings_->expected(key);
  if (!known) return {};
  TimeForecast forecast{.estimated = known->estimated};
  for (const auto& [phase, units] : units_of(job, model))
    if (const auto each = known->seconds_per_unit.find(phase); each != known->seconds_per_unit.end())
      forecast.expected_s[phase] = each->second * static_cast<double>(units);
  return forecast;
}

void JobTimings::learn(const VideoJob& job, const VideoModel& model, const nlohmann::json& report,
                       const TimedUnder& under) {
  const auto seconds = report.find("seconds");
  const auto device = text_at(report, "device", "name"), name = text_at(report, "device", "model");
  if (!is_resolved(job) || seconds == report.end() || !seconds->is_object() || device.empty() || !open()) return;
  auto key = key_of(job, model);
  // A GPU is known by its model; what a CPU can do depends on how much of it we get.
  key.device = device.starts_with("cuda") ? name : fmt::format("CPU, {} threads", std::thread::hardware_concurrency());
  key.dtype = text_at(report, "job", "dtype");
  std::map<std::string, PhaseTime> times;
  for (const auto& [phase, units] : units_of(job, model)) {
    if ((under.resumed && phase != "load") || (under.warm && phase == "load")) continue;
    if (const auto it = seconds->find(phase); it != seconds->end() && it->is_number())
      times[phase] = {it->get<double>(), units};
  }
  auto kept = timings_->record(key, times);
  if (kept) kept = timings_->remember_place(job.device, job.dtype, {key.device, key.dtype});
  if (!kept) log(LogLevel::Info, "timings.not_kept", {{"reason", kept.error().message}});
}

}  // namespace rubato
