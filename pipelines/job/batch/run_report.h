// What a run did: for people (report.html) and for programs (the same as JSON).
//
// The page is one file: no script, no font, no picture and no style from elsewhere, and a policy that forbids loading
// any. Everything that came from a job is escaped.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipelines/job/field.h"
#include "pipelines/job/queue/job_state.h"

namespace rubato {

// The states of a queue (done, failed, cancelled, suspended, blocked, interrupted, queued, running) and `skipped` for
// a job that an earlier run had finished.
// In the order in which a report lists them: what needs a person first.
enum class ReportState { Failed, Suspended, Blocked, Interrupted, Cancelled, Running, Queued, Done, Skipped };
inline constexpr std::size_t kReportStates = 9;
std::string_view state_name(ReportState state);
// `earlier`: another run had it done.
ReportState report_state(JobState state, bool earlier);

struct ReportOutput {
  std::string path;  // relative to the report's folder: the page links to it
  std::uint64_t bytes = 0;
  std::string sha256;  // "" = unknown
  std::string kind;    // "video", "frames", "metadata", "latents", "trace"; "" = unknown
};

struct ReportJob {
  std::string id, name, prompt, model;
  ReportState state = ReportState::Queued;
  std::string reason;  // why it is not done; "" = nothing to say
  std::vector<std::string> warnings;
  std::vector<ReportOutput> outputs;
  std::vector<std::pair<std::string, double>> phase_s;  // seconds of each phase, in the order they ran
  double total_s = 0;                                   // of the last attempt, loading and writing included
  std::optional<std::uint64_t> seed;
  std::optional<Size> size;
  std::optional<int> frames, steps;
  int attempts = 0;
  int index = 0;       // in its job file; 0 = unknown
  std::string source;  // "shots.csv, line 17"
  std::string device;  // "cuda:0"
};

struct RunReport {
  std::string title;              // the job files whose jobs these are
  std::string job_file;           // this run's: "failed.csv"
  std::string started, finished;  // RFC 3339
  double wall_s = 0;              // of the run
  std::string outcome;            // one sentence: "stopped at the time limit; the same command goes on"; or ""
  std::string command;            // to go on with or to repeat it
  std::string host, device;       // "build-7", "NVIDIA H100 80GB HBM3"
  std::vector<std::pair<std::string, std::string>> versions;  // {"rubato", "0.1.0 (88bd938)"}, {"torch", "2.11"}, …
  std::vector<ReportJob> jobs;                                // in the file's order
};

struct ReportTotals {
  std::array<std::size_t, kReportStates> jobs{};  // by state
  double compute_s = 0;                           // of all jobs, whichever run did them
  std::uint64_t bytes = 0;                        // of their outputs
  std::uint64_t bytes_now = 0;                    // of the outputs of this run
};
ReportTotals totals_of(const RunReport& report);
// By state, then as in the file. Borrows the jobs.
std::vector<const ReportJob*> sorted_for_reading(const RunReport& report);

std::string report_html(const RunReport& report);
// Whether a page that begins so (its first kilobytes) is a report of any version, and nobody's own.
bool begins_report(std::string_view page);
// {"version":1,"title":…,"totals":{"jobs":…,"states":{"done":…,…},…},"jobs":[…]}; jobs in the file's order.
nlohmann::json report_json(const RunReport& report);

}  // namespace rubato
