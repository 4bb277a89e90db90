// queue run: renders what the queue holds, in its order, until nothing is left.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/cli/interrupts.h"
#include "app/cli/progress_view.h"
#include "app/cli/queue_view.h"
#include "app/cli/render.h"
#include "app/cli/run_view.h"
#include "engine/base/text.h"
#include "pipelines/job/capacity.h"
#include "pipelines/job/events.h"
#include "pipelines/job/queue/instance_lock.h"
#include "pipelines/job/queue/queue_requests.h"
#include "pipelines/job/queue/queue_runner.h"
#include "pipelines/job/schema.h"
#include "pipelines/job/video_job.h"

namespace rubato::cli {
using nlohmann::json;
namespace {

constexpr auto kLookAtSignals = std::chrono::milliseconds(50);

std::vector<Option> options() {
  return {{.name = "device",
           .value = "LIST",
           .help = "Where to compute: cpu, cuda:0, or several with one engine each, such as cuda:0,cuda:1; only jobs "
                   "that may run there are taken",
           .initial = "every job where it wants to, else the first GPU, else the CPU"},
          progress_option()};
}

Result<std::vector<std::string>> devices(const Arguments& args) {
  std::vector<std::string> list;
  for (const auto& word : split(args.value_or("device", "auto"), ',')) {
    std::string device(trim(word));
    if (device == "cuda") device = "cuda:0";
    VideoJob wish;
    auto fields = fields_of(wish);
    std::erase_if(fields, [](const FieldRef& field) { return field.name != "device"; });
    RUBATO_OK(set_from_text(fields.front(), device, "--device"));
    RUBATO_OK(check_device(device, gpu_count("/dev", std::getenv("CUDA_VISIBLE_DEVICES"))));
    if (std::find(list.begin(), list.end(), device) != list.end())
      return Error{ErrorCode::Usage, fmt::format("--device {}: {} stands there twice", *args.value("device"), device)};
    list.push_back(std::move(device));
  }
  return list;
}

std::string name_of(const QueueJob& job) {
  return job.name.empty() ? short_id(job.id) : fmt::format("{} ({})", printable(job.name), short_id(job.id));
}

// What the runner says, for people or as events. Called from its threads and from the command's.
class View final : public QueueObserver {
 public:
  View(Output& out, ProgressMode mode) : out_(out), mode_(mode), view_(make_progress_view(mode, out)) {}

  void started(const QueueJob& job) override {
    const std::lock_guard turn(mutex_);
    if (mode_ == ProgressMode::Json)
      out_.json_line(make_event(
          "job.start", {{"job", job.id}, {"name", job.name}, {"device", job.ran_on}, {"attempt", job.attempts}}));
  }

  void message(const QueueJob& job, Envelope& envelope) override {
    const std::lock_guard turn(mutex_);
    const auto& message = envelope.message;
    if (mode_ == ProgressMode::Json) {
      if (std::holds_alternative<protocol::Accepted>(message)) return;  // started() has said it
      for (auto& event : to_events(message)) {
        event["job"] = job.id;  // the engine knows it by the name in its file
        out_.json_line(event);
      }
      return;
    }
    if (const auto* warning = std::get_if<protocol::Warn>(&message)) {
      const auto sentence = fmt::format("{}: {}", name_of(job), warning->message);
      return warning->code == "resumed" ? view_->note(sentence) : view_->warn(sentence);
    }
    const auto* progress = std::get_if<protocol::Progress>(&message);
    if (progress == nullptr || (mode_ != ProgressMode::Bar && progress->phase != "denoise")) return;
    const auto title = mode_ == ProgressMode::Bar ? fmt::format("{} {}", name_of(job), progress->phase) : name_of(job);
    view_->update({title, progress->done, progress->total, progress->fraction, progress->eta_s, progress->eta_lo_s,
                   progress->eta_hi_s});
  }

  void ended(const QueueJob& job, const std::vector<JobOutput>& outputs) override {
    const std::lock_guard turn(mutex_);
    if (job.state != JobState::Queued && job.state != JobState::Blocked) ++count_[job.state];
    if (mode_ == ProgressMode::Json) return tell_end(job, outputs);
    view_->clear();
    if (job.state == JobState::Done) {
      view_->note(fmt::format("{} done in {:.1f} s", name_of(job), job.ended - job.started));
      bool first = true;
      for (const auto& output : outputs) {
        if (output.kind == "metadata" || (output.kind == "frames" && !first)) continue;
        first = false;
        out_.result(output.kind == "frames" ? text_member(json::parse(job.spec, nullptr, false), "out") : output.path);
      }
    } else if (job.state == JobState::Cancelled) {
      view_->note(fmt::format("{} cancelled", name_of(job)));
    } else if (job.state == JobState::Failed || job.state == JobState::Suspended) {
      view_->warn(fmt::format("{} {}: {}", name_of(job), state_name(job.state), why(job)));
    }
  }

  void note(const std::string& sentence) override {
    const std::lock_guard turn(mutex_);
    if (mode_ == ProgressMode::Json)
      out_.json_line(make_event("run.note", {{"message", sentence}}));
    else
      view_->note(sentence);
  }

  // What a person should know even where little is said.
  void warn(const std::string& sentence) {
    if (mode_ == ProgressMode::Json) return note(sentence);
    const std::lock_guard turn(mutex_);
    view_->warn(sentence);
  }

  void stopping() {
    const std::lock_guard turn(mutex_);
    stopping_ = true;
  }

  // The closing line; with Json the event queue.done.
  void finish(const std::map<JobState, std::int64_t>& left) {
    const std::lock_guard turn(mutex_);
    view_->clear();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    if (mode_ == ProgressMode::Json) {
      json states = json::object();
      for (const auto& [state, jobs] : count_) states[std::string(state_name(state))] = jobs;
      out_.json_line(make_event("queue.done", {{"states", states}, {"seconds", seconds}}));
    }
    if (count_.empty() && left.at(JobState::Queued) == 0) return out_.say("No job of the queue waits to be rendered.");
    auto line = fmt::format("{} done in {}", count_of_jobs(count_[JobState::Done]), human_duration(seconds));
    for (const auto state : {JobState::Failed, JobState::Suspended, JobState::Cancelled})
      if (count_[state] > 0) line += fmt::format(", {} {}", count_[state], state_name(state));
    for (const auto state : {JobState::Queued, JobState::Blocked})
      if (const auto jobs = left.at(state); jobs > 0) line += fmt::format("; {} still {}", jobs, state_name(state));
    out_.say(line + ".");
  }

  std::size_t not_done() const {
    const auto of = [&](JobState state) {
      const auto it = count_.find(state);
      return it == count_.end() ? 0 : it->second;
    };
    return of(JobState::Failed) + of(JobState::Suspended);
  }

 private:
  static std::string why(const QueueJob& job) {
    if (job.error_text.empty() || job.error_text == job.reason) return job.reason;
    return job.reason.empty() ? job.error_text : fmt::format("{}: {}", job.reason, job.error_text);
  }

  void tell_end(const QueueJob& job, const std::vector<JobOutput>& outputs) {
    if (job.state == JobState::Done) {
      protocol::Done done{job.id, {}, {{"seconds", job.ended - job.started}}};
      for (const auto& output : outputs)
        done.outputs.push_back({output.path, output.kind, output.bytes, output.sha256});
      for (const auto& event : to_events(done)) out_.json_line(event);
      return;
    }
    // Queued again: its engine died, or it was stopped.
    const auto state =
        job.state == JobState::Queued || job.state == JobState::Blocked ? JobState::Interrupted : job.state;
    const auto code = job.error_code.empty()
                          ? (state == JobState::Cancelled || stopping_ ? ErrorCode::Cancelled : ErrorCode::EngineDied)
                          : code_from_name(job.error_code);
    out_.json_line(make_event("job.fail", {{"job", job.id},
                                           {"state", state_name(state)},
                                           {"code", code_name(code)},
                                           {"exit", exit_code(code)},
                                           {"message", why(job)}}));
  }

  std::mutex mutex_;
  Output& out_;
  const ProgressMode mode_;
  std::unique_ptr<ProgressView> view_;
  bool stopping_ = false;                  // by a signal
  std::map<JobState, std::size_t> count_;  // of jobs that ended here
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

// After a crash somebody who says "run" means it; a pause that a person made stays.
Result<> begin(QueueRunner& runner, View& view) {
  for (const auto& note : runner.notes()) view.warn(note);
  bool paused = false;
  std::string reason;
  Result<> looked;
  runner.look([&](const QueueStore& store) {
    const auto now = store.paused();
    const auto why = store.pause_reason();
    if (now && why) {
      paused = *now;
      reason = *why;
    } else {
      looked = now ? why.error() : now.error();
    }
  });
  RUBATO_OK(looked);
  if (paused && reason.empty())
    return Error{ErrorCode::Failed, "the queue is paused; 'rubato-cli queue resume' lets it go on"};
  if (paused) RUBATO_OK(runner.ask({{"request", "resume"}}));
  return {};
}

// Who works on it, in the words of the help.
Error held_by_another(const Context& context, const Error& refusal) {
  const auto holder = InstanceLock::holder(InstanceLock::beside(queue_file(context.folders.state)));
  if (!holder) return refusal;
  return {refusal.code, fmt::format("another Rubato (process {} on {}) works on the queue; what is added to it is "
                                    "rendered there, and 'rubato-cli queue list' shows how far it is",
                                    holder->process.pid, printable(holder->process.host))};
}

// Waits for the end and passes on what signals ask for.
void conduct(QueueRunner& runner, Interrupts& interrupts, View& view) {
  StopSignals signals(interrupts);
  auto answered = StopWish::None;
  while (!runner.wait_for(kLookAtSignals)) {
    const auto wish = signals.wish();
    if (wish <= answered) continue;
    answered = wish;
    view.stopping();
    if (wish == StopWish::AtOnce) {
      view.note("Stopping at once.");
      runner.stop_now();
    } else {
      view.note(interrupts.terminated() ? "Terminated. Stopping after the current step, at the latest in 10 s."
                                        : "Stopping after the current step; Ctrl-C again stops at once.");
      runner.stop_after_step();
    }
  }
}

Result<json> render(const Context& context, ProgressMode mode) {
  Interrupts interrupts;
  RUBATO_TRY(on, devices(context.args));
  View view(context.out, mode);
  QueueRunnerOptions options;
  options.devices = on;
  options.program = "rubato-cli";
  options.pause_after_crash = false;
  options.until_empty = true;
  auto opened = QueueRunner::open(context.folders.state, std::move(options), view);
  if (!opened && opened.error().code == ErrorCode::Locked) return held_by_another(context, opened.error());
  RUBATO_TRY(runner, std::move(opened));
  RUBATO_OK(begin(*runner, view));
  runner->start();
  conduct(*runner, interrupts, view);
  std::map<JobState, std::int64_t> left;
  Result<> looked;
  runner->look([&](const QueueStore& store) {
    if (auto totals = store.totals())
      left = std::move(*totals);
    else
      looked = totals.error();
  });
  RUBATO_OK(looked);
  view.finish(left);
  if (const auto failure = runner->failure()) return *failure;
  const bool stopped = interrupts.terminated() || interrupts.interrupts() > 0;
  if (stopped && left[JobState::Queued] + left[JobState::Blocked] > 0)
    return Error{interrupts.terminated() ? ErrorCode::Terminated : ErrorCode::Cancelled,
                 "stopped; 'rubato-cli queue run' goes on from here"};
  if (view.not_done() > 0)
    return Error{
        ErrorCode::Failed,
        fmt::format("{} {} not done; 'rubato-cli queue list' says why, 'rubato-cli queue retry ID' tries again",
                    count_of_jobs(view.not_done()), view.not_done() == 1 ? "is" : "are")};
  if (left[JobState::Queued] > 0)
    return Error{ErrorCode::Failed, fmt::format("{} may not run on --device {}",
                                                count_of_jobs(static_cast<std::size_t>(left[JobState::Queued])),
                                                context.args.value_or("device", "auto"))};
  return json::object();
}

Result<> run(const Context& context) {
  const auto mode = progress_mode(context.args);
  return with_events(context.out, mode, [&] { return render(context, mode); });
}

}  // namespace

const Command kQueueRun{
    .path = "queue run",
    .summary = "Render what the queue holds, until nothing is left",
    .text =
        "Jobs that are added, moved, cancelled or retried meanwhile, from other terminals, count at once; a paused "
        "queue is waited for. Ctrl-C stops after the current step, and the same command goes on from there, as it does "
        "after a crash. A job whose engine died is tried once more and then put aside ('quarantine').\n"
        "Prints the path of each finished file. Exit code 0: all done; 1: some jobs are not; 10: another Rubato works "
        "on the queue.",
    .options = options,
    .examples = {{"rubato-cli queue run", "Everything, one job after the other"},
                 {"rubato-cli queue run --device cuda:0,cuda:1", "On two GPUs"}},
    .run = run,
};

}  // namespace rubato::cli
