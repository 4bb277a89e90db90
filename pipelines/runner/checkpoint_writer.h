// CheckpointWriter: saves states on a thread of its own, so that a denoising step does not wait for the disk.
//
// The newest state wins: while one is being written, a later one replaces the one that waits.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "engine/base/error.h"
#include "pipelines/text_to_video/wan_pipeline.h"

namespace rubato {

class CheckpointWriter {
 public:
  // `save` writes a state; it is called on the writer's thread, never twice at a time.
  explicit CheckpointWriter(std::function<void(const DenoiseState&)> save);
  ~CheckpointWriter();  // finish()

  // Nothing is being written and nothing waits.
  bool idle() const;
  // Takes a state whose tensors nobody changes any more, on the CPU.
  void submit(DenoiseState state);
  // Returns when what was submitted is written.
  void finish();

 private:
  void work(std::stop_token stop);

  std::function<void(const DenoiseState&)> save_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<DenoiseState> waiting_;
  bool writing_ = false;
  std::jthread thread_;  // last: starts when the rest is there
};

// The same state with its tensors on the CPU: copies of those of a device.
DenoiseState on_cpu(const DenoiseState& state);

}  // namespace rubato
