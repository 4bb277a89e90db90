#include "pipelines/runner/worker_loop.h"

#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "engine/base/log.h"
#include "kernels/device.h"
#include "pipelines/runner/video_runner.h"

namespace rubato {
namespace {

using namespace std::chrono_literals;
namespace p = protocol;

protocol::Hello hello() {
  p::Hello message;
  message.devices.push_back({"cpu", "CPU", 0});
  int index = 0;
  for (const auto& model : installed_cuda_models())
    message.devices.push_back({"cuda:" + std::to_string(index++), model, 0});
  return message;
}

class Worker {
 public:
  Worker(Channel channel, const ModelFolders& models) : channel_(std::move(channel)), runner_(models) {}

  int serve() {
    if (!channel_.send(hello())) return 0;
    const std::jthread heart([this](std::stop_token stop) { beat(stop); });
    for (;;) {
      auto received = channel_.receive();
      if (!received) return received.error().code == ErrorCode::EngineDied ? 0 : 1;  // gone, or not our protocol
      if (!*received) continue;
      if (const auto* run = std::get_if<p::Run>(&(*received)->message)) {
        start(*run);
      } else if (const auto* cancel = std::get_if<p::Cancel>(&(*received)->message)) {
        if (cancel->id == running_id()) job_.request_stop();
      } else if (std::holds_alternative<p::Quit>((*received)->message)) {
        return 0;  // job_ is stopped and joined on the way out
      }
    }
  }

 private:
  void start(const p::Run& run) {
    {
      const std::lock_guard lock(mutex_);
      if (!running_.empty()) {
        send(p::Failed{run.id, ErrorCode::Locked, "this worker is busy with another job", ""});
        return;
      }
      running_ = run.id;
    }
    if (job_.joinable()) job_.join();  // the previous job's thread has sent its last message and is ending
    job_ = std::jthread([this, run](std::stop_token stop) { work(run, stop); });
  }

  void work(const p::Run& run, std::stop_token stop) {
    send(p::Accepted{run.id});
    const auto job = video_job_from_json(run.job, "job");
    bool fatal = false;
    p::Message last;
    if (!job) {
      last = p::Failed{run.id, job.error().code, job.error().message, ""};
    } else {
      JobEvents events(run.id, [this](const p::Message& message, int memfd) { send(message, memfd); });
      auto outcome = runner_.run(*job, events, stop, run.hints);
      if (auto* done = std::get_if<JobResult>(&outcome)) {
        last = p::Done{run.id, std::move(done->outputs), std::move(done->report)};
      } else {
        auto& failure = std::get<JobFailure>(outcome);
        fatal = is_fatal_cuda_error(failure.error.message);
        last =
            p::Failed{run.id, fatal ? ErrorCode::EngineDied : failure.error.code, failure.error.message, failure.kept};
      }
    }
    {
      const std::lock_guard lock(mutex_);
      running_.clear();
    }
    send(last);
    if (fatal) ::_exit(kFatalDeviceStatus);
  }

  void beat(std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    while (!wake.wait_for(lock, stop, 1s, [] { return false; }) && !stop.stop_requested()) send(p::Heartbeat{});
  }

  // A client that has gone is noticed by receive(); sending to it is not an error of the job.
  void send(const p::Message& message, int memfd = -1) {
    if (auto sent = channel_.send(message, memfd); !sent)
      log(LogLevel::Debug, "worker.send_failed", {{"why", sent.error().message}});
  }

  std::string running_id() {
    const std::lock_guard lock(mutex_);
    return running_;
  }

  Channel channel_;
  VideoRunner runner_;
  std::mutex mutex_;
  std::string running_;  // id of the running job; empty = none
  std::jthread job_;     // last member: joined before what it uses goes
};

}  // namespace

int serve_worker(Channel channel, const ModelFolders& models) { return Worker(std::move(channel), models).serve(); }

}  // namespace rubato
