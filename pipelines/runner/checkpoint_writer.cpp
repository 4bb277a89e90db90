#include "pipelines/runner/checkpoint_writer.h"

#include <c10/core/InferenceMode.h>

namespace rubato {

CheckpointWriter::CheckpointWriter(std::function<void(const DenoiseState&)> save)
    : save_(std::move(save)), thread_([this](std::stop_token stop) { work(stop); }) {}

CheckpointWriter::~CheckpointWriter() { finish(); }

bool CheckpointWriter::idle() const {
  const std::lock_guard lock(mutex_);
  return !writing_ && !waiting_;
}

void CheckpointWriter::submit(DenoiseState state) {
  const std::lock_guard lock(mutex_);
  waiting_ = std::move(state);
  changed_.notify_all();
}

void CheckpointWriter::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !writing_ && !waiting_; });
}

void CheckpointWriter::work(std::stop_token stop) {
  const c10::InferenceMode inference;
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return waiting_.has_value(); })) {
    const DenoiseState state = std::move(*waiting_);
    waiting_.reset();
    writing_ = true;
    lock.unlock();
    save_(state);
    lock.lock();
    writing_ = false;
    changed_.notify_all();
  }
}

DenoiseState on_cpu(const DenoiseState& state) {
  DenoiseState copy = state;
  copy.latents = state.latents.to(at::kCPU);
  for (auto& [name, tensor] : copy.scheduler.tensors) tensor = tensor.to(at::kCPU);
  return copy;
}

}  // namespace rubato
