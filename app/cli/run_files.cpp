#include "app/cli/run_files.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/base/drafts.h"
#include "engine/base/files.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/version.h"
#include "pipelines/job/batch/failed_csv.h"
#include "pipelines/job/batch/name_template.h"
#include "pipelines/job/batch/run_report.h"
#include "pipelines/job/host_identity.h"
#include "pipelines/job/run/folder_lock.h"
#include "pipelines/job/run/publication.h"

namespace rubato::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kMaxFailedCsv = 1u << 30;  // of a hundred thousand jobs
constexpr std::chrono::seconds kPatience{20};      // with another run that writes the same files

std::string utc(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

ReportJob report_job(const RunJob& job, const RunOutcome& outcome) {
  ReportJob row;
  row.id = job.id();
  row.name = job.job.name;
  row.prompt = job.job.prompt;
  row.model = job.model;
  row.state = report_state(outcome.state, outcome.earlier);
  row.reason = outcome.reason;
  for (const auto& output : outcome.outputs)
    row.outputs.push_back({output.path, output.bytes, output.sha256, output.kind});
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

// The jobs of this run that failed.csv is to hold: what did not come out, after a stop all that is not done, and the
// jobs that any of these wait for, since it would be rendered without them otherwise.
std::vector<bool> owed_jobs(const RunPlan& plan, const RunResult& result) {
  std::vector<bool> owed(plan.jobs.size());
  std::vector<std::size_t> waiting;  // whose dependencies are to be looked at
  const auto owe = [&](std::size_t job) {
    // A job that a filter left out may have no name, since it could not be run.
    if (owed[job] || result.outcomes[job].state == JobState::Done || plan.jobs[job].key.empty()) return;
    owed[job] = true;
    waiting.push_back(job);
  };
  for (std::size_t i = 0; i < plan.jobs.size(); ++i) {
    const auto state = result.outcomes[i].state;
    const bool failed = state == JobState::Failed || state == JobState::Suspended || state == JobState::Blocked;
    if (plan.jobs[i].selected && (failed || result.stopped)) owe(i);
  }
  while (!waiting.empty()) {
    const auto job = waiting.back();
    waiting.pop_back();
    for (const auto other : plan.jobs[job].after) owe(other);
  }
  return owed;
}

// Rows of failed.csv by their files.
using Failures = std::map<std::string, const std::map<std::string, std::string>*>;
Failures by_file(const FailedTable& table) {
  Failures failures;
  for (const auto& row : table.rows) failures[row.at("out")] = &row;
  return failures;
}

// The row that an earlier run left for a job; nullptr for none.
const std::map<std::string, std::string>* earlier_row(const Failures& failures, const RunJob& job) {
  for (const auto* name : {&job.job.out, &job.named})
    if (const auto found = failures.find(literal_name(*name)); found != failures.end()) return found->second;
  return nullptr;
}

// Why a job is not done, for a person who has only failed.csv. `earlier`: what an earlier run said of it.
std::string reason_of(const RunPlan& plan, const RunResult& result, std::size_t job, const std::string& earlier) {
  const auto& outcome = result.outcomes[job];
  if (!outcome.reason.empty()) return outcome.reason;
  if (!earlier.empty()) return earlier;
  if (!plan.jobs[job].selected) return "left out by --jobs-filter, and another job here waits for it";
  for (const auto other : plan.jobs[job].after)
    if (result.outcomes[other].state != JobState::Done)
      return fmt::format("it waits for {}, which is not done", plan.jobs[other].id());
  const auto why = result.stopped ? result.stopped->message.substr(0, result.stopped->message.find(';')) : "";
  return why.empty() ? "not started" : fmt::format("not started: {}", why);
}

// A person's file under a name that is ours gets the next free one.
Result<> put_aside(const fs::path& file) {
  for (int n = 2;; ++n) {
    const auto name = fmt::format("{}-{}{}", file.stem().string(), n, file.extension().string());
    const auto moved = rename_to_new(file, file.parent_path() / name);
    if (moved || moved.error().code != ErrorCode::OutputExists) return moved;
  }
}

bool is_report(const fs::path& file) {
  std::string head(8192, '\0');
  std::ifstream stream(file, std::ios::binary);
  stream.read(head.data(), static_cast<std::streamsize>(head.size()));
  return begins_report(std::string_view(head).substr(0, static_cast<std::size_t>(stream.gcount())));
}

// What was done by another run after this one had looked: it is not owed.
RunResult with_later_results(const RunOptions& options, const RunPlan& plan, RunResult result) {
  if (options.fresh) return result;  // what a record says may be what this run was to make anew
  for (std::size_t i = 0; i < plan.jobs.size(); ++i) {
    auto& outcome = result.outcomes[i];
    if (outcome.state == JobState::Done || plan.jobs[i].key.empty()) continue;
    const Publication files(options.out, plan.jobs[i].key, {});
    const auto record = files.done();
    if (!record || !files.difference(*record).empty()) continue;
    outcome.state = JobState::Done;
    outcome.earlier = true;
    outcome.reason.clear();
  }
  return result;
}

// What lies in failed.csv. A file of that name that is none is put aside, since it is a person's. What cannot be read
// is an error: rows that are not known would be lost.
Result<FailedTable> earlier_failures(const fs::path& csv) {
  std::error_code unknown;
  if (fs::symlink_status(csv, unknown).type() == fs::file_type::not_found) return FailedTable{};
  const auto text = read_file(csv, kMaxFailedCsv);
  if (!text)
    return Error{ErrorCode::CannotWrite,
                 fmt::format("{}, and without its rows it is not written again: what this run owes is not in it",
                             text.error().message)};
  if (auto table = read_failed_csv(*text)) return std::move(*table);
  RUBATO_OK(put_aside(csv));
  return FailedTable{};
}

ReportJob report_job(const std::map<std::string, std::string>& failure) {
  ReportJob row;
  const auto cell = [&](const char* name) {
    const auto found = failure.find(name);
    return found == failure.end() ? std::string() : found->second;
  };
  row.id = cell("id");
  row.name = cell("name");
  row.prompt = cell("prompt");
  row.model = cell("model");
  row.state = ReportState::Failed;
  row.reason = cell(kReasonColumn);
  row.source = "failed.csv";
  return row;
}

// A number of a record, which a stranger may have written; 0 where there is none.
int count_member(const nlohmann::json& value, const std::string& name) {
  const auto found = value.is_object() ? value.find(name) : value.end();
  if (found == value.end() || !found->is_number_integer()) return 0;
  const auto number = found->get<std::int64_t>();
  return number > 0 && number <= std::numeric_limits<int>::max() ? static_cast<int>(number) : 0;
}

double seconds_of(const nlohmann::json& value) {
  return value.is_number() && value.get<double>() > 0 ? value.get<double>() : 0;
}

// How the job was done, as the run that did it wrote it down.
void take_timings(ReportJob& row, const DoneRecord& record) {
  if (!record.facts.is_object()) return;
  row.device = text_member(record.facts, "device");
  row.attempts = count_member(record.facts, "attempts");
  if (const auto wall = record.facts.find("wall_s"); wall != record.facts.end()) row.total_s = seconds_of(*wall);
  row.phase_s.clear();
  if (const auto phases = record.facts.find("seconds"); phases != record.facts.end() && phases->is_object())
    for (const auto& [phase, seconds] : phases->items()) row.phase_s.emplace_back(phase, seconds_of(seconds));
}

ReportJob report_job(const DoneRecord& record) {
  ReportJob row;
  row.id = record.job;
  row.state = ReportState::Skipped;
  take_timings(row, record);
  row.index = count_member(record.facts, "index");
  row.source = text_member(record.facts, "source");
  if (const int frames = count_member(record.facts, "frames"); frames > 0) row.frames = frames;
  if (const int steps = count_member(record.facts, "steps"); steps > 0) row.steps = steps;
  if (const auto size = record.facts.find("size"); size != record.facts.end() && size->is_array() &&
                                                   size->size() == 2 && (*size)[0].is_number_integer() &&
                                                   (*size)[1].is_number_integer())
    row.size = Size{(*size)[0].get<int>(), (*size)[1].get<int>()};
  row.name = text_member(record.facts, "name");
  row.prompt = text_member(record.facts, "prompt");
  row.model = text_member(record.facts, "model");
  for (const auto& file : record.files) row.outputs.push_back({file.path, file.bytes, file.sha256, file.kind});
  if (const auto seed = record.facts.find("seed"); seed != record.facts.end() && seed->is_number_unsigned())
    row.seed = seed->get<std::uint64_t>();
  return row;
}

// Jobs that were rendered into the folder and that the job file does not hold, by their names.
std::vector<ReportJob> other_results(const fs::path& out, const RunPlan& plan, const RunReport& report) {
  std::set<std::string> keys, paths;
  for (const auto& job : plan.jobs) keys.insert(job.key);
  for (const auto& job : report.jobs)
    for (const auto& output : job.outputs) paths.insert(output.path);
  std::vector<ReportJob> others;
  std::error_code failed;
  for (fs::directory_iterator entry(out / ".rubato", failed), end; !failed && entry != end; entry.increment(failed)) {
    const auto& file = entry->path();
    if (file.extension() != ".done" || keys.contains(file.stem().string())) continue;
    const auto record = Publication(out, file.stem().string(), {}).done();
    if (!record || paths.contains(record->files.front().path)) continue;  // the name is another job's by now
    if (std::error_code gone; !fs::exists(out / record->files.front().path, gone)) continue;
    others.push_back(report_job(*record));
  }
  std::ranges::sort(others, {}, [](const ReportJob& job) { return job.outputs.front().path; });
  return others;
}

// "shots.csv" of "shots.csv, line 17".
std::string file_of(const ReportJob& job) { return job.source.substr(0, job.source.find(", ")); }

// The job files whose jobs the report holds, this run's first. failed.csv is named only where nothing tells of which
// file its jobs once were.
std::string title_of(const RunReport& report) {
  constexpr std::size_t kMost = 3;
  std::vector<std::string> files;
  const auto add = [&](const std::string& file) {
    if (!file.empty() && file != "failed.csv" && std::ranges::find(files, file) == files.end()) files.push_back(file);
  };
  add(report.job_file);
  for (const auto& job : report.jobs) add(file_of(job));
  return files.empty() ? report.job_file : list_names(files, kMost);
}

// `failures`: what earlier runs owe.
void describe_jobs(RunReport& report, const fs::path& out, const RunPlan& plan, const RunResult& result,
                   Failures failures, const std::map<std::string, std::vector<std::string>>& advice) {
  for (std::size_t i = 0; i < plan.jobs.size(); ++i) {
    const auto& job = plan.jobs[i];
    const auto& outcome = result.outcomes[i];
    if (report.device.empty()) report.device = outcome.device;
    auto row = report_job(job, outcome);
    if (row.state == ReportState::Skipped)
      if (const auto record = Publication(out, job.key, {}).done()) take_timings(row, *record);
    if (const auto warned = advice.find(job.id()); warned != advice.end()) row.warnings = warned->second;
    const auto* failure = earlier_row(failures, job);
    for (const auto* name : {&job.job.out, &job.named}) failures.erase(literal_name(*name));
    const bool not_tried = outcome.state != JobState::Done && (outcome.state == JobState::Queued || !job.selected);
    if (not_tried && failure != nullptr) {
      row.state = ReportState::Failed;
      row.reason = report_job(*failure).reason;
    } else if (not_tried && !job.selected) {
      row.reason = "left out of this run by --jobs-filter";
    }
    report.jobs.push_back(std::move(row));
  }
  for (const auto& [clip, failure] : failures) report.jobs.push_back(report_job(*failure));
}

// The rows of `earlier` but for the jobs that this run settled, and those of the jobs that it owes.
Result<> write_failed_csv(const fs::path& csv, const BatchFile& file, const RunPlan& plan, const RunResult& result,
                          const FailedTable& earlier) {
  const auto failures = by_file(earlier);
  const auto owed = owed_jobs(plan, result);
  std::vector<FailedJob> failed;
  std::set<std::string> settled;  // files of the jobs that are done, or that have a new row
  for (std::size_t i = 0; i < plan.jobs.size(); ++i) {
    const auto& job = plan.jobs[i];
    if (!owed[i] && (!job.selected || result.outcomes[i].state != JobState::Done)) continue;
    settled.insert({literal_name(job.job.out), literal_name(job.named)});
    if (!owed[i]) continue;
    const auto* row = earlier_row(failures, job);
    const auto said = row != nullptr && row->contains(kReasonColumn) ? row->at(kReasonColumn) : std::string();
    failed.push_back({&job.batch, job.job.out, reason_of(plan, result, i, said)});
  }
  auto kept = earlier;
  const auto dropped = std::erase_if(kept.rows, [&](const auto& row) { return settled.contains(row.at("out")); });
  std::error_code ignored;
  if (failed.empty() && kept.rows.empty() && fs::is_regular_file(csv, ignored))
    fs::remove(csv, ignored);
  else if (!failed.empty() || dropped > 0)
    return write_file_atomically(csv, failed_csv(failed, file.columns, kept), Overwrite::Always);
  return {};
}

// Two runs that end together write one after the other, each on top of what the other left.
Result<FolderLock> alone_in(const fs::path& out) {
  const auto file = out / ".rubato" / "reporting";
  RUBATO_TRY(lock, FolderLock::take(file, kPatience));
  if (lock) return lock;
  return Error{ErrorCode::CannotWrite,
               fmt::format("report.html and failed.csv are not written, since {} has been writing them for {} seconds",
                           FolderLock::holder(file), kPatience.count())};
}

}  // namespace

Result<> write_run_files(const RunOptions& options, const BatchFile& file, const RunPlan& plan, const RunResult& ended,
                         std::chrono::system_clock::time_point started, const std::string& job_file,
                         const std::map<std::string, std::vector<std::string>>& advice) {
  RunReport report;
  report.job_file = file.name;
  const auto now = std::chrono::system_clock::now();
  report.started = utc(started);
  report.finished = utc(now);
  report.wall_s = std::chrono::duration<double>(now - started).count();
  report.outcome = ended.stopped ? ended.stopped->message : "";
  report.command = fmt::format("rubato-cli run {} --out {}", job_file, options.out.string());
  report.host = HostIdentity::of_this_process().host;
  report.versions = {{"rubato", fmt::format("{} ({})", kVersion, kGitRevision)}};
  RUBATO_TRY(alone, alone_in(options.out));
  remove_dead_drafts(options.out);
  const auto result = with_later_results(options, plan, ended);
  const auto csv = options.out / "failed.csv";  // first: it can be run again
  RUBATO_TRY(earlier, earlier_failures(csv));
  const auto failures = by_file(earlier);
  RUBATO_OK(write_failed_csv(csv, file, plan, result, earlier));
  describe_jobs(report, options.out, plan, result, failures, advice);
  for (auto& other : other_results(options.out, plan, report)) report.jobs.push_back(std::move(other));
  report.title = title_of(report);
  const auto page = options.out / "report.html";
  std::error_code failed;
  if (fs::is_regular_file(page, failed) && !is_report(page)) RUBATO_OK(put_aside(page));
  return write_file_atomically(page, report_html(report), Overwrite::Always);
}

}  // namespace rubato::cli
