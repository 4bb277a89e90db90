// One device of a QueueRunner: its thread, its worker, and the job that is on it; private to QueueRunner.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "pipelines/job/queue/hand_over.h"
#include "pipelines/job/queue/job_timings.h"
#include "pipelines/job/queue/queue_runner.h"
#include "pipelines/job/queue/queue_work.h"
#include "pipelines/job/run/device_turn.h"
#include "pipelines/job/video_model.h"

namespace rubato {

class QueueSlot;

enum class QueueStop { No, AfterStep, AtOnce };

// What the threads share. `mutex` guards all but the constants and `observing`.
struct QueueRunner::State {
  State(std::filesystem::path folder, QueueRunnerOptions chosen, QueueObserver& watcher, QueueStore opened)
      : state_folder(std::move(folder)), options(std::move(chosen)), observer(watcher), store(std::move(opened)) {}

  const std::filesystem::path state_folder;
  const QueueRunnerOptions options;
  QueueObserver& observer;
  std::mutex observing;  // held while the observer is called, never together with `mutex`

  mutable std::mutex mutex;
  QueueStore store;
  std::vector<std::unique_ptr<QueueSlot>> slots;
  QueueStop stop = QueueStop::No;
  bool changed = false;  // by a request, and the observer does not know yet
  std::size_t threads = 0;
  std::condition_variable ended;
  std::optional<Error> failure;
  std::optional<HandOverServer> server;  // the last: its thread uses all the others

  template <typename Call>
  void tell(Call&& call) {
    const std::lock_guard turn(observing);
    call(observer);
  }
  void wake_all();  // under the mutex
  // The first failure counts, and ends the runner. Under the mutex.
  void fail(const Error& error);
};

class QueueSlot {
 public:
  QueueSlot(QueueRunner::State& shared, std::string wish);

  void run();          // the thread's body
  void wake();         // from any thread
  std::thread thread;  // the runner's to start and join

  // Guarded by the runner's mutex.
  std::string job_id;                          // "" = none
  std::optional<protocol::CancelWhen> cancel;  // asked for

 private:
  using Clock = std::chrono::steady_clock;
  enum class Next { Working, Wait, End };

  // The job on it. All but its id is the thread's own.
  struct Running {
    QueueJob row;
    std::optional<QueueWork> work;  // nothing: its specification cannot be read
    VideoJob job;
    std::optional<VideoModel> model;
    TimedUnder under;
    nlohmann::json report;     // once it is done
    bool handed_over = false;  // to the worker
    Clock::time_point told_progress{}, told_checkpoint{};
  };

  // ---- The loop's parts
  void obey();
  Next take_work();
  Result<bool> something_to_do();  // under the mutex
  bool others_busy() const;        // under the mutex
  Result<bool> claim();
  void begin();
  Result<bool> prepare();      // true: an earlier session had finished it
  Result<> look_for_others();  // OutputExists
  void wait();

  // ---- What becomes of the job
  void on_message(Envelope& envelope);
  void on_progress(const protocol::Progress& progress);
  void on_done(const protocol::Done& done);
  void on_failed(const protocol::Failed& failed);
  void on_death(const protocol::Failed& failed);
  void publish(const Result<std::vector<JobOutput>>& published);
  void settle(const std::function<Result<>(QueueStore&, const std::string& id)>& note,
              const std::vector<JobOutput>& outputs = {});
  void fail(const Error& error);
  void worker_ended(const std::string& how);
  void keep(const std::function<Result<>(QueueStore&)>& change);

  std::string device() const;
  std::string title() const;

  QueueRunner::State& shared_;
  const std::string wish_;
  UniqueFd wake_;
  JobTimings timings_;
  std::unique_ptr<WorkerClient> client_;  // made and ended in run()
  std::optional<DeviceTurn> turn_;
  RestartPolicy restarts_;
  std::optional<Running> running_;
  std::string loaded_;  // model that the worker has
  QueueStop answered_ = QueueStop::No;
  bool given_up_ = false, told_pause_ = false;
  Clock::time_point not_before_{}, idle_since_{};
};

}  // namespace rubato
