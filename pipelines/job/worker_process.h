// WorkerProcess: one running rubato-worker as the kernel sees it: spawned with a socket on file descriptor 3, watched
// by a pidfd, reaped once. What it says is WorkerClient's matter.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "pipelines/job/channel.h"

namespace rubato {

class WorkerProcess {
 public:
  // EngineDied when the program cannot be started, with the system's reason.
  static Result<WorkerProcess> spawn(const std::filesystem::path& executable,
                                     const std::vector<std::string>& arguments);
  WorkerProcess(WorkerProcess&& other) noexcept;
  WorkerProcess& operator=(WorkerProcess&&) = delete;
  ~WorkerProcess();  // kills and reaps

  Channel& channel() { return channel_; }
  int pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }  // readable once the process has ended
  void signal(int number) const;
  // The wait status once the process has ended; waits for that for at most `patience`.
  std::optional<int> ended(std::chrono::milliseconds patience = std::chrono::milliseconds{0});

 private:
  WorkerProcess(int pid, UniqueFd pidfd, Channel channel);

  int pid_ = -1;  // -1 once reaped
  UniqueFd pidfd_;
  Channel channel_;
  std::optional<int> status_;
};

// "died (SIGKILL)" or "ended by itself (exit code 70)".
std::string describe_end(int wait_status);

}  // namespace rubato
