#include "app/cli/render.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

#include "engine/base/guard.h"
#include "engine/base/log.h"
#include "engine/base/version.h"
#include "pipelines/job/events.h"

namespace rubato::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kTermPatience = std::chrono::seconds(10);
constexpr auto kTick = std::chrono::milliseconds(200);  // deadlines are looked at this often

// A message that ends without a full stop, so that more can follow.
std::string open_ended(std::string text) {
  while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
  return text;
}

// What asking to stop brings about in a phase of the job.
std::string_view stopping_in(std::string_view phase) {
  if (phase == "denoise") return "Stopping after the current step";
  if (phase == "decode") return "Stopping after the current frames";
  if (phase == "mux") return "The clip is all but written and will be finished";
  return "Stopping as soon as the engine can";
}

// For --verbose and --log. Prompts stay out of it.
void log_message(const protocol::Message& message) {
  if (const auto* phase = std::get_if<protocol::Phase>(&message))
    log(LogLevel::Info, "job.phase", {{"phase", phase->name}, {"total", std::to_string(phase->total)}});
  else if (const auto* metric = std::get_if<protocol::Metric>(&message))
    log(LogLevel::Info, "job.metric", {{"name", metric->name}, {"value", fmt::format("{}", metric->value)}});
  else if (const auto* point = std::get_if<protocol::Checkpoint>(&message))
    log(LogLevel::Debug, "job.checkpoint", {{"step", std::to_string(point->step)}, {"path", point->path}});
  else if (const auto* hello = std::get_if<protocol::Hello>(&message))
    log(LogLevel::Info, "worker.hello",
        {{"version", std::to_string(hello->version)}, {"devices", std::to_string(hello->devices.size())}});
  else if (const auto* done = std::get_if<protocol::Done>(&message))
    log(LogLevel::Info, "job.done", {{"outputs", std::to_string(done->outputs.size())}});
  else if (const auto* failed = std::get_if<protocol::Failed>(&message))
    log(LogLevel::Info, "job.failed", {{"code", std::string(code_name(failed->code))}});
}

}  // namespace

Result<> with_events(Output& out, ProgressMode mode, const std::function<Result<nlohmann::json>()>& body) {
  const bool events = mode == ProgressMode::Json;
  if (events) out.json_line(make_event("hello", {{"version", kVersion}, {"revision", kGitRevision}}));
  const auto done = guard(body);
  if (!events) return done ? Result<>() : done.error();
  auto members =
      done ? *done : nlohmann::json{{"error", code_name(done.error().code)}, {"message", done.error().message}};
  members["code"] = done ? 0 : exit_code(done.error().code);
  out.json_line(make_event("bye", std::move(members)));
  return done ? Result<>() : done.error();
}

Renderer::Renderer(Output& out, ProgressMode mode)
    : out_(out),
      mode_(mode),
      view_(make_progress_view(mode, out)),
      worker_(WorkerOptions{}, [this](Envelope& envelope) { on_message(envelope); }) {}

Renderer::~Renderer() {
  // Done is the worker's last word: its files are complete and synced by then, and nobody waits for it to tidy up.
  worker_.kill();
}

Result<> Renderer::start() { return worker_.start(); }

Result<> Renderer::check_interrupted() const {
  if (interrupts_.terminated()) return Error{ErrorCode::Terminated, "terminated before anything was started"};
  if (interrupts_.interrupts() > 0) return Error{ErrorCode::Cancelled, "stopped before anything was started"};
  return {};
}

Result<RenderResult> Renderer::run(const nlohmann::json& job, const protocol::RunHints& hints) {
  const auto started = Clock::now();
  RUBATO_OK(check_interrupted());
  RUBATO_TRY(id, worker_.run(job, hints));
  log(LogLevel::Info, "job.start", {{"id", id}, {"worker", std::to_string(worker_.pid())}});
  while (!outcome_) {
    pollfd watched[2] = {{worker_.fd(), POLLIN, 0}, {interrupts_.fd(), POLLIN, 0}};
    ::poll(watched, 2, static_cast<int>(kTick.count()));
    interrupts_.drain();
    answer_signals();
    worker_.pump();
  }
  view_->clear();
  if (!outcome_->ok()) return outcome_->error();
  return RenderResult{outcome_->value(), std::chrono::duration<double>(Clock::now() - started).count(), resumed_};
}

void Renderer::answer_signals() {
  const int interrupts = interrupts_.interrupts();
  if (interrupts > answered_) {
    if (answered_ == 0 && interrupts == 1) {
      view_->note(fmt::format("{}; Ctrl-C again stops at once.", stopping_in(worker_.phase())));
      worker_.cancel(protocol::CancelWhen::AfterStep);
    } else {
      view_->note("Stopping at once.");
      worker_.kill();
    }
    answered_ = interrupts;
  }
  if (interrupts_.terminated() && !term_deadline_) {
    term_deadline_ = Clock::now() + kTermPatience;
    view_->note(fmt::format("Terminated. {}, at the latest in 10 s.", stopping_in(worker_.phase())));
    worker_.cancel(protocol::CancelWhen::AfterStep);
  }
  if (term_deadline_ && Clock::now() >= *term_deadline_) {
    term_deadline_ = Clock::time_point::max();
    worker_.kill();
  }
}

void Renderer::on_message(Envelope& envelope) {
  const auto& message = envelope.message;
  if (mode_ == ProgressMode::Json)
    for (const auto& event : to_events(message)) out_.json_line(event);

  log_message(message);
  if (const auto* phase = std::get_if<protocol::Phase>(&message)) {
    view_->update({.phase = phase->name, .total = phase->total, .fraction = fraction_});
  } else if (const auto* progress = std::get_if<protocol::Progress>(&message)) {
    fraction_ = std::max(fraction_, progress->fraction);  // a stage that is tried again does not take the bar back
    view_->update({progress->phase, progress->done, progress->total, fraction_, progress->eta_s, progress->eta_lo_s,
                   progress->eta_hi_s});
  } else if (const auto* warning = std::get_if<protocol::Warn>(&message)) {
    const bool resumed = warning->code == "resumed";
    resumed_ = resumed_ || resumed;
    resumed ? view_->note(warning->message) : view_->warn(warning->message);
  } else if (const auto* done = std::get_if<protocol::Done>(&message)) {
    outcome_ = *done;
  } else if (const auto* failed = std::get_if<protocol::Failed>(&message)) {
    outcome_ = ending(*failed);
  }
}

Error Renderer::ending(const protocol::Failed& failed) const {
  auto code = failed.code;
  if (code == ErrorCode::Cancelled && interrupts_.terminated()) code = ErrorCode::Terminated;
  const bool was_stopped = code == ErrorCode::Cancelled || code == ErrorCode::Terminated;
  auto sentence = open_ended(failed.message);
  if (!failed.kept.empty())
    sentence += "; " + open_ended(failed.kept);
  else if (was_stopped || code == ErrorCode::EngineDied)
    sentence += "; nothing was kept";
  return {code, sentence};
}

}  // namespace rubato::cli
