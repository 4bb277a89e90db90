// Devices: names as users write them ("cpu", "cuda", "cuda:1", "auto"), and the CUDA side of Rubato.
//
// The CUDA side is librubato_cuda.so, which brings libtorch_cuda with it. It is loaded when a CUDA device is
// first asked for, so that a run on the CPU pays neither its start-up time nor its memory.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"

namespace rubato {

struct DeviceInfo {
  std::string name;   // "cuda:0"
  std::string model;  // "NVIDIA H100 80GB HBM3"
  std::uint64_t memory_bytes = 0, free_bytes = 0;
  int major = 0, minor = 0;  // compute capability
};

// As the libraries give them: 13000 is CUDA 13.0, 91900 cuDNN 9.19.0. All 0 without a CUDA side.
struct CudaVersions {
  int driver = 0, runtime = 0;
  long cudnn = 0;
};
CudaVersions cuda_versions();

// Loads the CUDA side once. NoDevice with the reason when it is not built, not installed, or there is no
// device or driver. Thread-safe.
Result<> load_cuda();

// CUDA devices of this machine; empty where load_cuda() fails. Loads the CUDA side.
std::vector<DeviceInfo> cuda_devices();

// Model names of the GPUs that the NVIDIA driver shows, in its order, without loading anything.
std::vector<std::string> installed_cuda_models();

// "auto" gives the first CUDA device if there is one, else the CPU.
Result<at::Device> parse_device(std::string_view name);

// "auto" gives float32 on the CPU and bfloat16 on CUDA.
Result<at::ScalarType> parse_dtype(std::string_view name, at::Device device);

// Waits for everything queued on the device. Nothing to wait for on the CPU.
void synchronize(at::Device device);

// Memory that tensors take on a CUDA device, now and at most since the last reset, and what the allocator holds for
// them. Zeros on the CPU.
struct MemoryUse {
  std::uint64_t current_bytes = 0, peak_bytes = 0, held_bytes = 0;
};
MemoryUse memory_use(at::Device device);
void reset_peak_memory(at::Device device);
// Gives unused memory of the allocator back to the device: the first rung of the out-of-memory ladder.
void release_cached_memory(at::Device device);

// Time that work queued between start() and stop() takes: device events on CUDA, the clock on the CPU. Only ms() waits,
// so that many timers can be set within one run.
class DeviceTimer {
 public:
  explicit DeviceTimer(at::Device device);
  DeviceTimer(DeviceTimer&&) noexcept;
  ~DeviceTimer();
  void start();
  void stop();
  double ms() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A context-fatal CUDA error (700, 702, 710, 714–719, 214) makes every later call fail: the process must end. So must one
// that gets "unknown error" (999), which was seen in a process whose context another had left without memory.
bool is_fatal_cuda_error(std::string_view message);

}  // namespace rubato
