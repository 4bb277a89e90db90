#include "app/cli/run_files.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "engine/base/files.h"
#include "engine/base/version.h"
#include "pipelines/job/batch/failed_csv.h"
#include "pipelines/job/batch/run_report.h"
#include "pipelines/job/host_identity.h"

namespace rubato::cli {
namespace fs = std::filesystem;
namespace {

std::string utc(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

ReportState report_state(const RunOutcome& outcome) {
  switch (outcome.state) {
    case JobState::Done:
      return outcome.earlier ? ReportState::Skipped : ReportState::Done;
    case JobState::Failed:
      return ReportState::Failed;
    case JobState::Cancelled:
      return ReportState::Cancelled;
    case JobState::Interrupted:
      return ReportState::Interrupted;
    case JobState::Suspended:
      return ReportState::Suspended;
    case JobState::Blocked:
      return ReportState::Blocked;
    case JobState::Running:
      return ReportState::Running;
    case JobState::Queued:
      break;
  }
  return ReportState::Queued;
}

ReportJob report_job(const RunJob& job, const RunOutcome& outcome) {
  ReportJob row;
  row.id = job.id();
  row.name = job.job.name;
  row.prompt = job.job.prompt;
  row.model = job.model;
  row.state = report_state(outcome);
  row.reason = outcome.reason;
  for (const auto& output : outcome.outputs) row.outputs.push_back({output.path, output.bytes, output.sha256});
  row.phase_s = outcome.phases;
  row.total_s = outcome.seconds;
  row.seed = job.job.seed;
  row.size = job.job.size;
  row.frames = job.job.frames;
  row.steps = job.job.steps;
  row.attempts = outcome.attempts;
  row.index = job.batch.index;
  row.source = job.batch.source;
  row.device = outcome.device;
  return row;
}

}  // namespace

Result<> write_run_files(const RunOptions& options, const BatchFile& file, const RunPlan& plan, const RunResult& result,
                         std::chrono::system_clock::time_point started, const std::string& job_file) {
  RunReport report;
  report.title = file.name;
  const auto now = std::chrono::system_clock::now();
  report.started = utc(started);
  report.finished = utc(now);
  report.wall_s = std::chrono::duration<double>(now - started).count();
  report.outcome = result.stopped ? result.stopped->message : "";
  report.command = fmt::format("rubato-cli run {} --out {}", job_file, options.out.string());
  report.host = HostIdentity::of_this_process().host;
  report.versions = {{"rubato", fmt::format("{} ({})", kVersion, kGitRevision)}};
  std::vector<FailedJob> failed;
  for (std::size_t i = 0; i < plan.jobs.size(); ++i) {
    const auto& job = plan.jobs[i];
    const auto& outcome = result.outcomes[i];
    if (!job.selected) continue;
    if (report.device.empty()) report.device = outcome.device;
    report.jobs.push_back(report_job(job, outcome));
    const bool owed =
        outcome.state == JobState::Failed || outcome.state == JobState::Suspended || outcome.state == JobState::Blocked;
    if (owed) failed.push_back({&job.batch, job.job.out, outcome.reason});
  }
  const auto csv = options.out / "failed.csv";  // first: it can be run again
  std::error_code ignored;
  if (failed.empty())
    fs::remove(csv, ignored);
  else
    RUBATO_OK(write_file_atomically(csv, failed_csv(failed, file.columns), Overwrite::Always));
  return write_file_atomically(options.out / "report.html", report_html(report), Overwrite::Always);
}

}  // namespace rubato::cli
