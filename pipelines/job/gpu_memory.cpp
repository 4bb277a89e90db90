#include "pipelines/job/gpu_memory.h"

#include <dlfcn.h>

#include <charconv>
#include <cstdlib>
#include <memory>
#include <vector>

#include "engine/base/text.h"

namespace rubato {
namespace {

// The part of nvml.h that is needed; its ABI is stable since 2011.
struct NvmlMemory {
  unsigned long long total, free, used;
};
using NvmlDevice = void*;
constexpr int kNvmlSuccess = 0;

template <typename Function>
Function symbol(void* library, const char* name) {
  return reinterpret_cast<Function>(::dlsym(library, name));
}

int number(std::string_view text) {
  int value = -1;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  return fault == std::errc{} && stop == text.data() + text.size() ? value : -1;
}

}  // namespace

int driver_index(std::string_view visible_devices, int index) {
  const auto names = split(visible_devices, ',');
  if (index < 0 || index >= static_cast<int>(names.size())) return -1;
  return number(trim(names[static_cast<std::size_t>(index)]));
}

std::optional<GpuMemory> gpu_memory(std::string_view device) {
  if (!device.starts_with("cuda")) return std::nullopt;
  int index = device == "cuda" ? 0 : number(device.substr(std::string_view("cuda:").size()));
  if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES")) index = driver_index(visible, index);
  if (index < 0) return std::nullopt;

  const std::unique_ptr<void, int (*)(void*)> library(::dlopen("libnvidia-ml.so.1", RTLD_LAZY | RTLD_LOCAL), ::dlclose);
  if (!library) return std::nullopt;
  const auto start = symbol<int (*)()>(library.get(), "nvmlInit_v2");
  const auto stop = symbol<int (*)()>(library.get(), "nvmlShutdown");
  const auto handle_of = symbol<int (*)(unsigned, NvmlDevice*)>(library.get(), "nvmlDeviceGetHandleByIndex_v2");
  const auto memory_of = symbol<int (*)(NvmlDevice, NvmlMemory*)>(library.get(), "nvmlDeviceGetMemoryInfo");
  const auto name_of = symbol<int (*)(NvmlDevice, char*, unsigned)>(library.get(), "nvmlDeviceGetName");
  if (!start || !stop || !handle_of || !memory_of || !name_of || start() != kNvmlSuccess) return std::nullopt;
  std::optional<GpuMemory> found;
  NvmlDevice handle = nullptr;
  NvmlMemory memory{};
  char name[96] = {};
  if (handle_of(static_cast<unsigned>(index), &handle) == kNvmlSuccess && memory_of(handle, &memory) == kNvmlSuccess &&
      name_of(handle, name, sizeof(name) - 1) == kNvmlSuccess)
    found = GpuMemory{name, memory.total, memory.free};
  stop();
  return found;
}

}  // namespace rubato
