#include "app/cli/run_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "app/cli/output.h"
#include "engine/base/text.h"
#include "pipelines/job/events.h"

namespace rubato::cli {
using nlohmann::json;
namespace {

constexpr auto kTermPatience = std::chrono::seconds(10);

std::string or_unknown(double seconds) { return seconds < 0 ? "?" : human_duration(seconds); }

// What a run of this plan comes to.
struct Totals {
  std::size_t jobs = 0;      // to render now
  std::size_t later = 0;     // more could be, but for the limit
  std::size_t left_out = 0;  // by a filter
  double seconds = 0;        // of those to render now, as the following
  std::size_t unknown_times = 0;
  std::uint64_t bytes = 0;
};
Totals totals_of(const RunPlan& plan, const RunOptions& options) {
  Totals totals;
  const auto jobs = jobs_to_start(plan, options.limit);
  totals.jobs = jobs.size();
  if (options.limit > 0) totals.later = jobs_to_start(plan, 0).size() - jobs.size();
  for (const auto& job : plan.jobs)
    if (!job.selected) ++totals.left_out;
  for (const auto i : jobs) {
    const auto& job = plan.jobs[i];
    totals.bytes += job.output_bytes;
    if (job.expected_total() < 0)
      ++totals.unknown_times;
    else
      totals.seconds += job.expected_total();
  }
  return totals;
}

}  // namespace

StopWish StopSignals::wish() {
  interrupts_.drain();
  if (interrupts_.interrupts() >= 2) return StopWish::AtOnce;
  const auto now = std::chrono::steady_clock::now();
  if (interrupts_.terminated()) {
    if (!terminated_at_) terminated_at_ = now;
    if (now - *terminated_at_ >= kTermPatience) return StopWish::AtOnce;
    return StopWish::AfterStep;
  }
  return interrupts_.interrupts() == 1 ? StopWish::AfterStep : StopWish::None;
}

RunView::RunView(Output& out, ProgressMode mode, const RunPlan& plan, const RunOptions& options, bool paths)
    : out_(out),
      mode_(mode),
      paths_(paths && mode != ProgressMode::Json),
      folder_(options.out),
      view_(make_progress_view(mode, out)),
      workers_(options.devices.size()) {
  for (const auto& job : plan.jobs) {
    selected_.push_back(job.selected);
    if (job.selected) ++total_;
  }
  left_ = totals_of(plan, options).later;
  total_ -= left_;
  settled_ = done_ = before_ = plan.done;
  out_.say(plan_summary(plan, options));
  for (const auto& sentence : sentences(plan.left_work, options.job_file)) out_.say(sentence);
}

std::string RunView::place(const RunJob& job) const {
  return fmt::format("[{}/{}] {}", std::min(settled_ + 1, total_), total_, printable(job.id()));
}

// From the jobs of this run so far; nothing before two of them are done.
std::string RunView::time_left() const {
  if (rendered_ < 2 || settled_ >= total_) return {};
  const double each = rendered_s_ / static_cast<double>(rendered_);
  return fmt::format(", about {} left",
                     human_duration(each * static_cast<double>(total_ - settled_) / static_cast<double>(workers_)));
}

void RunView::started(const RunJob& job, const std::string& device, int attempt) {
  if (mode_ == ProgressMode::Json)
    out_.json_line(make_event("job.start", {{"job", job.id()}, {"device", device}, {"attempt", attempt}}));
}

void RunView::message(const RunJob& job, const protocol::Message& message) {
  if (mode_ == ProgressMode::Json) {
    if (std::holds_alternative<protocol::Accepted>(message)) return;  // started() has said it
    for (const auto& event : to_events(message)) out_.json_line(event);
    return;
  }
  if (const auto* warning = std::get_if<protocol::Warn>(&message)) {
    if (warning->code != "resumed") return view_->warn(fmt::format("{}: {}", printable(job.id()), warning->message));
    return view_->note(fmt::format("{}: {}", printable(job.id()), warning->message));
  }
  const auto* progress = std::get_if<protocol::Progress>(&message);
  if (progress == nullptr) return;
  // A line in a log names the job; a bar has room for its phase too.
  const auto title = mode_ == ProgressMode::Bar ? fmt::format("{} {}", place(job), progress->phase) : place(job);
  if (mode_ == ProgressMode::Bar || progress->phase == "denoise")
    view_->update({title, progress->done, progress->total, progress->fraction, progress->eta_s, progress->eta_lo_s,
                   progress->eta_hi_s});
}

void RunView::ended(const RunJob& job, const RunOutcome& outcome) {
  if (mode_ == ProgressMode::Json) {
    if (outcome.state == JobState::Done) {
      for (const auto& event : to_events(
               protocol::Done{job.id(), outcome.outputs, {{"seconds", outcome.seconds}, {"earlier", outcome.earlier}}}))
        out_.json_line(event);
    } else {
      out_.json_line(make_event("job.fail", {{"job", job.id()},
                                             {"state", state_name(outcome.state)},
                                             {"code", code_name(outcome.code)},
                                             {"exit", exit_code(outcome.code)},
                                             {"message", outcome.reason}}));
    }
  }
  const auto where = place(job);
  if (outcome.state == JobState::Interrupted || (outcome.state == JobState::Suspended && outcome.reason == "no_disk"))
    return;
  ++settled_;
  if (outcome.state != JobState::Done) {
    view_->warn(fmt::format("{} {}: {}", where, state_name(outcome.state), outcome.reason));
    return;
  }
  ++done_;
  if (outcome.earlier) return view_->note(fmt::format("{} was done by another process", where));
  rendered_s_ += outcome.seconds;
  ++rendered_;
  view_->note(fmt::format("{} done in {:.1f} s{}", where, outcome.seconds, time_left()));
  if (!paths_) return;
  view_->clear();
  for (const auto& output : outcome.outputs)
    if (output.kind != "metadata" && output.kind != "frames") out_.result((folder_ / output.path).string());
  if (!outcome.outputs.empty() && outcome.outputs.front().kind == "frames")
    out_.result((folder_ / job.job.out).string());
}

void RunView::note(const std::string& sentence) {
  if (mode_ == ProgressMode::Json)
    out_.json_line(make_event("run.note", {{"message", sentence}}));
  else
    view_->note(sentence);
}

void RunView::finish(const RunResult& result, bool report) {
  view_->clear();
  std::map<JobState, std::size_t> count;
  std::size_t earlier = 0, waiting = 0, not_begun = 0;
  for (std::size_t i = 0; i < result.outcomes.size(); ++i) {
    if (!selected_[i]) continue;
    const auto& outcome = result.outcomes[i];
    ++count[outcome.state];
    // After a stop, what waits for another job was never looked at: it is not begun either.
    const bool waits = result.stopped && outcome.state == JobState::Blocked && outcome.reason.empty();
    if (waits) ++waiting;
    if (waits || (outcome.state == JobState::Queued && outcome.attempts == 0)) ++not_begun;
    if (outcome.state == JobState::Done && outcome.earlier) ++earlier;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  if (mode_ == ProgressMode::Json) {
    json states = json::object();
    for (const auto state : kJobStates) states[std::string(state_name(state))] = count[state];
    out_.json_line(make_event("queue.done", {{"states", states}, {"seconds", seconds}}));
  }
  // What a limit would have left waits for a job that failed: it is blocked, and not left.
  const auto left = std::min(left_, not_begun);
  auto line = fmt::format("{} of {} jobs done", done_, total_ + left_ - left);
  if (before_ > 0) line += fmt::format(" ({} of them before)", before_);
  if (earlier > before_) line += fmt::format(" ({} of them by other processes)", earlier - before_);
  line += fmt::format(" in {}", human_duration(seconds));
  if (left > 0) line += fmt::format(", {} left for later by --limit", left);
  count[JobState::Blocked] -= waiting;
  for (const auto state : {JobState::Failed, JobState::Suspended, JobState::Blocked, JobState::Interrupted})
    if (count[state] > 0) line += fmt::format(", {} {}", count[state], state_name(state));
  if (not_begun > left) line += fmt::format(", {} not begun", not_begun - left);  // those of --limit are named above
  out_.say(line + "." + (report ? fmt::format(" Report: {}", (folder_ / "report.html").string()) : ""));
}

std::string plan_table(const RunPlan& plan) {
  Table table({"#", "job", "model", "size", "frames", "steps", "seed", "time", "memory", "disk", "file", "state"});
  for (std::size_t i = 0; i < plan.jobs.size(); ++i) {
    const auto& job = plan.jobs[i];
    if (!job.selected) continue;
    table.add({std::to_string(job.batch.index), fit_width(printable(job.id()), 24), fit_width(printable(job.model), 20),
               fmt::format("{}x{}", job.job.size->width, job.job.size->height), std::to_string(*job.job.frames),
               std::to_string(*job.job.steps), std::to_string(*job.job.seed),
               (job.expected_is_estimate ? "~" : "") + or_unknown(job.expected_total()),
               job.memory_bytes > 0 ? human_bytes(job.memory_bytes) : "?",
               job.output_bytes > 0 ? human_bytes(job.output_bytes) : "?", fit_width(printable(job.job.out), 48),
               std::string(planned_state(plan, i))});
  }
  std::set<std::string> known;
  for (const auto& job : plan.jobs) known.insert(job.id());
  for (const auto& refusal : plan.refusals) {  // those whose settings are refused have no row yet
    if (!known.insert(refusal.id).second) continue;
    std::vector<std::string> row(12);
    row[1] = fit_width(printable(refusal.id), 24);
    row.back() = "refused";
    table.add(row);
  }
  return table.text();
}

std::string plan_summary(const RunPlan& plan, const RunOptions& options) {
  const auto totals = totals_of(plan, options);
  auto line = fmt::format("{} job{} to render", totals.jobs, totals.jobs == 1 ? "" : "s");
  if (plan.done > 0) line += fmt::format(", {} done already", plan.done);
  if (totals.later > 0) line += fmt::format(", {} left for later by --limit", totals.later);
  if (totals.left_out > 0) line += fmt::format(", {} left out by --jobs-filter", totals.left_out);
  if (totals.jobs > 0 && totals.unknown_times == 0)
    line += fmt::format(
        ", about {}",
        human_duration(totals.seconds / static_cast<double>(std::max<std::size_t>(options.devices.size(), 1))));
  if (totals.bytes > 0) line += fmt::format(", about {} of disk", human_bytes(totals.bytes));
  line += fmt::format(", into {}", options.out.string());
  if (!plan.refusals.empty()) line += fmt::format("; {} refused", plan.refusals.size());
  return line + ".";
}

json plan_json(const RunPlan& plan, const RunOptions& options) {
  json jobs = json::array(), refusals = json::array();
  for (std::size_t i = 0; i < plan.jobs.size(); ++i) {
    const auto& job = plan.jobs[i];
    if (!job.selected) continue;
    json entry = video_job_to_json(job.job);
    json plan_entry{{"id", job.id()}, {"index", job.batch.index},        {"source", job.batch.source},
                    {"key", job.key}, {"state", planned_state(plan, i)}, {"job", std::move(entry)}};
    if (job.expected_total() >= 0) plan_entry["expected_s"] = job.expected_total();
    if (job.memory_bytes > 0) plan_entry["memory_bytes"] = job.memory_bytes;
    if (job.output_bytes > 0) plan_entry["output_bytes"] = job.output_bytes;
    if (!job.memory_advice.empty()) plan_entry["memory"] = job.memory_advice;
    jobs.push_back(std::move(plan_entry));
  }
  for (const auto& refusal : plan.refusals)
    refusals.push_back({{"id", refusal.id},
                        {"source", refusal.source},
                        {"code", code_name(refusal.error.code)},
                        {"message", refusal.error.message}});
  const auto totals = totals_of(plan, options);
  json result{{"jobs", std::move(jobs)}, {"refusals", std::move(refusals)}, {"to_render", totals.jobs},
              {"done", plan.done},       {"later", totals.later},           {"left_out", totals.left_out}};
  if (totals.unknown_times == 0) result["expected_s"] = totals.seconds;
  return result;
}

json result_json(const RunPlan& plan, const RunResult& result) {
  json jobs = json::array();
  for (std::size_t i = 0; i < plan.jobs.size(); ++i) {
    if (!plan.jobs[i].selected) continue;
    const auto& outcome = result.outcomes[i];
    json outputs = json::array();
    for (const auto& output : outcome.outputs)
      outputs.push_back(
          {{"path", output.path}, {"kind", output.kind}, {"bytes", output.bytes}, {"sha256", output.sha256}});
    json job{{"id", plan.jobs[i].id()},
             {"state", state_name(outcome.state)},
             {"earlier", outcome.earlier},
             {"seconds", outcome.seconds},
             {"outputs", std::move(outputs)}};
    if (!outcome.reason.empty()) job["message"] = outcome.reason;
    jobs.push_back(std::move(job));
  }
  json value{{"jobs", std::move(jobs)}};
  if (result.stopped) value["stopped"] = result.stopped->message;
  return value;
}

}  // namespace rubato::cli
