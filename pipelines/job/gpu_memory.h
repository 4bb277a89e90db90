// Memory and identity of NVIDIA GPUs, asked of the driver's management library: no CUDA context, a few milliseconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rubato {

struct GpuMemory {
  std::string model;  // "NVIDIA H100 80GB HBM3"
  std::uint64_t total_bytes = 0, free_bytes = 0;
};

// device: "cuda" or "cuda:N", numbered as CUDA does under CUDA_VISIBLE_DEVICES where that is a list of numbers.
// Nothing where there is no driver, no such device, or the devices are named in another way.
std::optional<GpuMemory> gpu_memory(std::string_view device);

// Which card that is, under the same name for every process whatever it sees: "GPU-6f0c…" by the driver; where it does
// not say, the entry of CUDA_VISIBLE_DEVICES ("2", "MIG-…") or the number itself.
std::string gpu_identity(std::string_view device);

// The number that the driver gives to CUDA's device `index` under this list; -1 when the list has no such number.
int driver_index(std::string_view visible_devices, int index);

}  // namespace rubato
