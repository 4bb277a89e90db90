// What a running job tells the outside: thin wrappers over the worker protocol, with the rate limits it asks for.
#pragma once

#include <ATen/core/Tensor.h>

#include <chrono>
#include <functional>
#include <string>

#include "engine/base/progress.h"
#include "pipelines/job/protocol.h"

namespace rubato {

class JobEvents {
 public:
  // Sends one message; memfd is borrowed, -1 = none. Called from the job's thread, for warnings and checkpoints also
  // from a helper's.
  using Send = std::function<void(const protocol::Message& message, int memfd)>;
  JobEvents(std::string id, Send send) : id_(std::move(id)), send_(std::move(send)) {}

  const std::string& id() const { return id_; }
  void phase(const std::string& name, std::int64_t total);
  // At most 20 a second; the last unit of a phase always goes out.
  void progress(const Progress& progress);
  void warn(const std::string& code, const std::string& message);
  void metric(const std::string& name, double value);
  void checkpoint(int step, const std::string& path);
  // rgb [n, h, w, 3], 8 bits, on the CPU. At most 4 a second.
  void preview(int step, const at::Tensor& rgb);

 private:
  using Clock = std::chrono::steady_clock;
  std::string id_;
  Send send_;
  Clock::time_point last_progress_{}, last_preview_{};
};

}  // namespace rubato
