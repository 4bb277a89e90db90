#include "app/bench/clocks.h"

#include <dlfcn.h>

#include <memory>

namespace rubato::bench {
namespace {

// The few functions of NVML's stable C interface that are used here; the library comes with the driver.
class Nvml {
 public:
  Nvml() : library_(::dlopen("libnvidia-ml.so.1", RTLD_NOW), [](void* p) { return p != nullptr ? ::dlclose(p) : 0; }) {
    const auto init = find<int (*)()>("nvmlInit_v2");
    ready_ = init != nullptr && init() == 0;
  }

  nlohmann::json read(int index) const {
    nlohmann::json out = nlohmann::json::object();
    void* device = nullptr;
    const auto handle = find<int (*)(unsigned, void**)>("nvmlDeviceGetHandleByIndex_v2");
    if (!ready_ || handle == nullptr || handle(static_cast<unsigned>(index), &device) != 0) return out;
    const auto clock = find<int (*)(void*, int, unsigned*)>("nvmlDeviceGetClockInfo");
    const auto most = find<int (*)(void*, int, unsigned*)>("nvmlDeviceGetMaxClockInfo");
    const auto power = find<int (*)(void*, unsigned*)>("nvmlDeviceGetPowerUsage");
    const auto limit = find<int (*)(void*, unsigned*)>("nvmlDeviceGetEnforcedPowerLimit");
    const auto heat = find<int (*)(void*, int, unsigned*)>("nvmlDeviceGetTemperature");
    constexpr int kSm = 1, kMemory = 2, kGpuSensor = 0;
    unsigned value = 0;
    if (clock != nullptr && clock(device, kSm, &value) == 0) out["sm_mhz"] = value;
    if (most != nullptr && most(device, kSm, &value) == 0) out["sm_max_mhz"] = value;
    if (clock != nullptr && clock(device, kMemory, &value) == 0) out["memory_mhz"] = value;
    if (power != nullptr && power(device, &value) == 0) out["power_w"] = value / 1000;
    if (limit != nullptr && limit(device, &value) == 0) out["power_limit_w"] = value / 1000;
    if (heat != nullptr && heat(device, kGpuSensor, &value) == 0) out["temperature_c"] = value;
    return out;
  }

 private:
  template <typename Function>
  Function find(const char* name) const {
    return library_ == nullptr ? nullptr : reinterpret_cast<Function>(::dlsym(library_.get(), name));
  }
  std::unique_ptr<void, int (*)(void*)> library_;
  bool ready_ = false;
};

}  // namespace

nlohmann::json clocks(int device_index) {
  static const Nvml nvml;
  return nvml.read(device_index);
}

}  // namespace rubato::bench
