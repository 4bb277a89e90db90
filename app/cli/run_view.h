// RunView: what a run shows: paths on standard output, progress and sentences on standard error, or events.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "app/cli/interrupts.h"
#include "app/cli/progress_view.h"
#include "pipelines/job/run/run_session.h"

namespace rubato::cli {

// Ctrl-C and SIGTERM as a run understands them: the first asks to stop after the current step, the second (or ten
// seconds after SIGTERM) at once.
class StopSignals {
 public:
  explicit StopSignals(Interrupts& interrupts) : interrupts_(interrupts) {}
  StopWish wish();

 private:
  Interrupts& interrupts_;
  std::optional<std::chrono::steady_clock::time_point> terminated_at_;
};

class RunView final : public RunObserver {
 public:
  // `paths`: the path of each finished file goes to standard output.
  RunView(Output& out, ProgressMode mode, const RunPlan& plan, const RunOptions& options, bool paths);

  void started(const RunJob& job, const std::string& device, int attempt) override;
  void message(const RunJob& job, const protocol::Message& message) override;
  void ended(const RunJob& job, const RunOutcome& outcome) override;
  void note(const std::string& sentence) override;

  // The closing lines; with Json the event queue.done. `report`: a page about the run lies in its folder.
  void finish(const RunResult& result, bool report);
  std::chrono::system_clock::time_point started_at() const { return started_at_; }

 private:
  std::string place(const RunJob& job) const;  // "[3/412] shot-07"
  std::string time_left() const;

  Output& out_;
  ProgressMode mode_;
  bool paths_;
  const std::filesystem::path folder_;
  std::vector<bool> selected_;  // by job: it belongs to this run
  std::unique_ptr<ProgressView> view_;
  std::size_t total_ = 0, settled_ = 0, done_ = 0;
  std::size_t left_ = 0;    // for later runs, by the limit
  std::size_t before_ = 0;  // done when this run began
  std::size_t workers_ = 1;
  double rendered_s_ = 0;  // of jobs done in this run
  std::size_t rendered_ = 0;
  std::chrono::system_clock::time_point started_at_ = std::chrono::system_clock::now();
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

// The plan for people, as a table, and in one sentence; and for programs. Of the options only the folder, the limit and
// the number of devices count.
std::string plan_table(const RunPlan& plan);
std::string plan_summary(const RunPlan& plan, const RunOptions& options);
nlohmann::json plan_json(const RunPlan& plan, const RunOptions& options);
// What became of the jobs of a run, for programs.
nlohmann::json result_json(const RunPlan& plan, const RunResult& result);

}  // namespace rubato::cli
