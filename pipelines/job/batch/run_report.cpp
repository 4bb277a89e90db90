#include "pipelines/job/batch/run_report.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace rubato {
namespace {

using Json = nlohmann::json;

constexpr int kReportVersion = 1;
// In a report's order; only what an earlier run did has no state of its own in a queue.
constexpr std::array kStates{JobState::Failed,    JobState::Suspended, JobState::Blocked, JobState::Interrupted,
                             JobState::Cancelled, JobState::Running,   JobState::Queued,  JobState::Done};
static_assert(kStates.size() + 1 == kReportStates && ReportState{kStates.size()} == ReportState::Skipped);

Json job_json(const ReportJob& job) {
  Json object = {{"id", job.id}, {"index", job.index}, {"state", state_name(job.state)}, {"attempts", job.attempts}};
  const auto put = [&](const char* name, const std::string& text) {
    if (!text.empty()) object[name] = text;
  };
  put("name", job.name);
  put("prompt", job.prompt);
  put("model", job.model);
  put("reason", job.reason);
  put("source", job.source);
  put("device", job.device);
  if (!job.warnings.empty()) object["warnings"] = job.warnings;
  if (job.seed) object["seed"] = *job.seed;
  if (job.size) object["size"] = std::to_string(job.size->width) + 'x' + std::to_string(job.size->height);
  if (job.frames) object["frames"] = *job.frames;
  if (job.steps) object["steps"] = *job.steps;
  if (job.total_s > 0) object["total_s"] = job.total_s;
  object["phases"] = Json::array();
  for (const auto& [name, seconds] : job.phase_s) object["phases"].push_back({{"name", name}, {"seconds", seconds}});
  object["outputs"] = Json::array();
  for (const auto& output : job.outputs) {
    Json entry = {{"path", output.path}, {"bytes", output.bytes}};
    if (!output.sha256.empty()) entry["sha256"] = output.sha256;
    if (!output.kind.empty()) entry["kind"] = output.kind;
    object["outputs"].push_back(std::move(entry));
  }
  return object;
}

}  // namespace

ReportState report_state(JobState state, bool earlier) {
  if (state == JobState::Done && earlier) return ReportState::Skipped;
  return static_cast<ReportState>(std::ranges::find(kStates, state) - kStates.begin());
}

std::string_view state_name(ReportState state) {
  return state == ReportState::Skipped ? "skipped" : state_name(kStates[static_cast<std::size_t>(state)]);
}

ReportTotals totals_of(const RunReport& report) {
  ReportTotals totals;
  for (const auto& job : report.jobs) {
    ++totals.jobs[static_cast<std::size_t>(job.state)];
    totals.compute_s += job.total_s;
    for (const auto& output : job.outputs) {
      totals.bytes += output.bytes;
      if (job.state == ReportState::Done) totals.bytes_now += output.bytes;
    }
  }
  return totals;
}

std::vector<const ReportJob*> sorted_for_reading(const RunReport& report) {
  std::vector<const ReportJob*> jobs;
  for (const auto& job : report.jobs) jobs.push_back(&job);
  std::stable_sort(jobs.begin(), jobs.end(),
                   [](const ReportJob* a, const ReportJob* b) { return a->state < b->state; });
  return jobs;
}

Json report_json(const RunReport& report) {
  const ReportTotals totals = totals_of(report);
  Json counts = Json::object();
  for (std::size_t i = 0; i < kReportStates; ++i)
    counts[std::string(state_name(static_cast<ReportState>(i)))] = totals.jobs[i];
  Json versions = Json::object();
  for (const auto& [name, version] : report.versions) versions[name] = version;
  Json jobs = Json::array();
  for (const auto& job : report.jobs) jobs.push_back(job_json(job));
  return {{"version", kReportVersion},
          {"title", report.title},
          {"job_file", report.job_file},
          {"started", report.started},
          {"finished", report.finished},
          {"wall_s", report.wall_s},
          {"outcome", report.outcome},
          {"command", report.command},
          {"host", report.host},
          {"device", report.device},
          {"versions", std::move(versions)},
          {"totals",
           {{"jobs", report.jobs.size()},
            {"states", std::move(counts)},
            {"compute_s", totals.compute_s},
            {"bytes", totals.bytes},
            {"bytes_now", totals.bytes_now}}},
          {"jobs", std::move(jobs)}};
}

}  // namespace rubato
