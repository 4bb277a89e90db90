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

// The driver's library, loaded and started as long as the object lives.
class Nvml {
 public:
  Nvml() : library_(::dlopen("libnvidia-ml.so.1", RTLD_LAZY | RTLD_LOCAL), ::dlclose) {
    if (!library_) return;
    const auto start = symbol<int (*)()>(library_.get(), "nvmlInit_v2");
    stop_ = symbol<int (*)()>(library_.get(), "nvmlShutdown");
    handle_of = symbol<decltype(handle_of)>(library_.get(), "nvmlDeviceGetHandleByIndex_v2");
    memory_of = symbol<decltype(memory_of)>(library_.get(), "nvmlDeviceGetMemoryInfo");
    name_of = symbol<decltype(name_of)>(library_.get(), "nvmlDeviceGetName");
    uuid_of = symbol<decltype(uuid_of)>(library_.get(), "nvmlDeviceGetUUID");
    works_ = start && stop_ && handle_of && memory_of && name_of && start() == kNvmlSuccess;
  }
  ~Nvml() {
    if (works_) stop_();
  }
  Nvml(const Nvml&) = delete;
  bool works() const { return works_; }

  int (*handle_of)(unsigned, NvmlDevice*) = nullptr;
  int (*memory_of)(NvmlDevice, NvmlMemory*) = nullptr;
  int (*name_of)(NvmlDevice, char*, unsigned) = nullptr;
  int (*uuid_of)(NvmlDevice, char*, unsigned) = nullptr;

 private:
  std::unique_ptr<void, int (*)(void*)> library_;
  int (*stop_)() = nullptr;
  bool works_ = false;
};

// Entry `index` of a list of devices; "" where it has none.
std::string entry_of(std::string_view visible_devices, int index) {
  const auto names = split(visible_devices, ',');
  if (index < 0 || index >= static_cast<int>(names.size())) return {};
  return std::string(trim(names[static_cast<std::size_t>(index)]));
}

// What CUDA_VISIBLE_DEVICES calls the device; the device's own number where there is no such list.
std::string visible_entry(std::string_view device) {
  const int index = device == "cuda" ? 0 : number(device.substr(std::string_view("cuda:").size()));
  if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES")) return entry_of(visible, index);
  return std::to_string(index);
}

}  // namespace

int driver_index(std::string_view visible_devices, int index) { return number(entry_of(visible_devices, index)); }

std::optional<GpuMemory> gpu_memory(std::string_view device) {
  if (!device.starts_with("cuda")) return std::nullopt;
  const int index = number(visible_entry(device));
  const Nvml driver;
  NvmlDevice handle = nullptr;
  NvmlMemory memory{};
  char name[96] = {};
  if (index < 0 || !driver.works() || driver.handle_of(static_cast<unsigned>(index), &handle) != kNvmlSuccess ||
      driver.memory_of(handle, &memory) != kNvmlSuccess ||
      driver.name_of(handle, name, sizeof(name) - 1) != kNvmlSuccess)
    return std::nullopt;
  return GpuMemory{name, memory.total, memory.free};
}

std::string gpu_identity(std::string_view device) {
  const auto entry = visible_entry(device);
  const Nvml driver;
  if (!driver.works() || driver.uuid_of == nullptr) return entry;
  // The list names a card by its number, or by the beginning of its identity.
  const int wanted = number(entry);
  NvmlDevice handle = nullptr;
  for (unsigned index = 0; driver.handle_of(index, &handle) == kNvmlSuccess; ++index) {
    char uuid[96] = {};
    if (driver.uuid_of(handle, uuid, sizeof(uuid) - 1) != kNvmlSuccess) continue;
    if (wanted == static_cast<int>(index) ||
        (wanted < 0 && !entry.empty() && std::string_view(uuid).starts_with(entry)))
      return uuid;
  }
  return entry;
}

}  // namespace rubato
