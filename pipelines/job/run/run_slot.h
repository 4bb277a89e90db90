// One worker of a run and what it is doing; private to RunSession.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "pipelines/job/restart_policy.h"
#include "pipelines/job/run/device_turn.h"
#include "pipelines/job/run/run_session.h"
#include "pipelines/job/worker_client.h"

namespace rubato {

struct RunSession::Slot {
  Slot(std::string wished, const RestartPolicy::Limits& limits) : wish(std::move(wished)), restarts(limits) {}

  // What its jobs compute on: the wish, or what `auto` means on this machine. Known once the worker has said hello.
  std::string device() const {
    if (wish != "auto") return wish;
    for (const auto& found : client->devices())
      if (found.id.starts_with("cuda")) return found.id;
    return "cpu";
  }

  std::string wish;  // "auto", "cpu", "cuda:1"
  std::unique_ptr<WorkerClient> client;
  std::optional<DeviceTurn> turn;
  RestartPolicy restarts;
  Clock::time_point not_before{};  // of the next start
  std::string given_up;            // why it is not started any more; "" = it is
  std::optional<std::size_t> job;
  bool claim_lost = false;  // another process took the job over; ours ends
  std::string model;        // that its worker has loaded
  TimedUnder under;         // of the running job
  Clock::time_point job_started{};
};

}  // namespace rubato
