// Render: one job on one worker, from handing it over to its end, with progress, warnings and signals.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "app/cli/interrupts.h"
#include "app/cli/output.h"
#include "app/cli/progress_view.h"
#include "engine/base/error.h"
#include "pipelines/job/protocol.h"
#include "pipelines/job/worker_client.h"

namespace rubato::cli {

struct RenderResult {
  protocol::Done done;
  double seconds = 0;    // from handing the job over to its end
  bool resumed = false;  // it went on from partial work
};

// Frames a command that renders as an event stream: with ProgressMode::Json "hello" comes first and "bye" last, with
// the exit code, the error if there is one, and else the members that `body` returns. In other modes it only runs
// `body`.
Result<> with_events(Output& out, ProgressMode mode, const std::function<Result<nlohmann::json>()>& body);

// A worker that starts to load while the rest of the command line is checked. start() and run() are called from the
// thread that made it. The worker is killed when this object goes before the job has ended.
class Renderer {
 public:
  Renderer(Output& out, ProgressMode mode);
  ~Renderer();

  // Starts the worker and returns at once.
  Result<> start();
  // What a Ctrl-C that came before run() means: Cancelled or Terminated.
  Result<> check_interrupted() const;
  // Runs a job to its end. On failure the error's sentence says what was kept. With ProgressMode::Json each message
  // becomes an event on standard output.
  Result<RenderResult> run(const nlohmann::json& job, const protocol::RunHints& hints = {});

 private:
  void on_message(Envelope& envelope);
  void answer_signals();
  Error ending(const protocol::Failed& failed) const;

  Output& out_;
  ProgressMode mode_;
  Interrupts interrupts_;
  std::unique_ptr<ProgressView> view_;
  WorkerClient worker_;
  std::optional<Result<protocol::Done>> outcome_;
  bool resumed_ = false;
  double fraction_ = 0;                                                 // of the whole job, from the last progress
  int answered_ = 0;                                                    // Ctrl-C already acted on
  std::optional<std::chrono::steady_clock::time_point> term_deadline_;  // after SIGTERM
};

}  // namespace rubato::cli
