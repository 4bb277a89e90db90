#include "kernels/device.h"

#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <filesystem>

#include "engine/base/files.h"
#include "engine/base/text.h"
#include "kernels/cuda_backend.h"

namespace rubato {
namespace {

struct LoadedCuda {
  const kernels::CudaBackend* backend = nullptr;
  std::string reason;
};

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

// The module lies beside the executable, or in ../lib/rubato of an installation.
LoadedCuda open_module() {
  std::error_code failed;
  if (!std::filesystem::exists("/dev/nvidiactl", failed) && !std::filesystem::exists("/dev/dxg", failed))
    return {nullptr, "no NVIDIA driver is loaded on this machine"};  // spares loading half a gigabyte for nothing
  const auto here = std::filesystem::read_symlink("/proc/self/exe", failed).parent_path();
  const std::array candidates{here / "librubato_cuda.so", here / "../lib/rubato/librubato_cuda.so"};
  for (const auto& path : candidates) {
    if (!std::filesystem::exists(path, failed)) continue;
    void* module = ::dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (module == nullptr) return {nullptr, fmt::format("the CUDA libraries could not be loaded ({})", ::dlerror())};
    const auto entry = reinterpret_cast<const kernels::CudaBackend* (*)()>(::dlsym(module, "rubato_cuda_backend"));
    if (entry == nullptr) return {nullptr, fmt::format("{} is not a Rubato CUDA module", path.string())};
    const auto* backend = entry();
    if (backend->device_count() == 0) return {nullptr, "no CUDA device or driver was found"};
    // Before any tensor: until then the allocator knows no device, and refuses to say how much of one it holds.
    try {
      at::globalContext().lazyInitDevice(at::kCUDA);
    } catch (const std::exception& e) {
      return {nullptr, fmt::format("CUDA does not start ({})", first_line(e.what()))};
    }
    // float32 means float32: libtorch would let cuDNN's convolutions round to TF32.
    at::globalContext().setAllowTF32CuDNN(false);
    return {backend, {}};
  }
  return {nullptr, "this build has no CUDA part"};
}

const LoadedCuda& cuda() {
  static const LoadedCuda loaded = open_module();
  return loaded;
}

}  // namespace

namespace kernels {
const CudaBackend* cuda_backend() { return cuda().backend; }

bool on_cuda_backend(const at::Tensor& x) {
  const auto dtype = x.scalar_type();
  const bool compiled = dtype == at::kFloat || dtype == at::kHalf || dtype == at::kBFloat16;
  return x.is_cuda() && compiled && x.numel() > 0 && cuda_backend() != nullptr;
}
}  // namespace kernels

Result<> load_cuda() {
  if (cuda().backend == nullptr) return Error{ErrorCode::NoDevice, cuda().reason};
  return {};
}

std::vector<DeviceInfo> cuda_devices() {
  std::vector<DeviceInfo> all;
  if (cuda().backend == nullptr) return all;
  for (int i = 0; i < cuda().backend->device_count(); ++i) all.push_back(cuda().backend->device_info(i));
  return all;
}

CudaVersions cuda_versions() { return cuda().backend != nullptr ? cuda().backend->versions() : CudaVersions{}; }

// What follows goes through libtorch's device-neutral interfaces, which libtorch_cuda fills in when it is loaded.

void synchronize(at::Device device) {
  if (!device.is_cpu()) c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
}

MemoryUse memory_use(at::Device device) {
  if (device.is_cpu()) return {};
  constexpr auto kAll = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  const auto stats = c10::getDeviceAllocator(device.type())->getDeviceStats(device.index());
  const auto& taken = stats.allocated_bytes[kAll];
  const auto bytes = [](std::int64_t n) { return static_cast<std::uint64_t>(std::max<std::int64_t>(n, 0)); };
  return {bytes(taken.current), bytes(taken.peak), bytes(stats.reserved_bytes[kAll].current)};
}

void reset_peak_memory(at::Device device) {
  if (!device.is_cpu()) c10::getDeviceAllocator(device.type())->resetPeakStats(device.index());
}

void release_cached_memory(at::Device device) {
  if (!device.is_cpu()) c10::getDeviceAllocator(device.type())->emptyCache();
}

struct DeviceTimer::State {
  using Clock = std::chrono::steady_clock;
  at::Device device;
  Clock::time_point first_time, last_time;
  std::optional<c10::Event> first_event, last_event;

  void record(Clock::time_point& time, std::optional<c10::Event>& event) const {
    if (device.is_cpu()) {
      time = Clock::now();
      return;
    }
    event.emplace(device.type(), c10::EventFlag::BACKEND_DEFAULT);  // an event that keeps its time
    event->record(c10::impl::VirtualGuardImpl(device.type()).getStream(device));
  }
};

DeviceTimer::DeviceTimer(at::Device device) : state_(new State{device, {}, {}, {}, {}}) {}
DeviceTimer::DeviceTimer(DeviceTimer&&) noexcept = default;
DeviceTimer::~DeviceTimer() = default;

void DeviceTimer::start() { state_->record(state_->first_time, state_->first_event); }

void DeviceTimer::stop() { state_->record(state_->last_time, state_->last_event); }

double DeviceTimer::ms() const {
  if (state_->device.is_cpu()) {
    return std::chrono::duration<double, std::milli>(state_->last_time - state_->first_time).count();
  }
  state_->last_event->synchronize();
  return state_->first_event->elapsedTime(*state_->last_event);
}

std::vector<std::string> installed_cuda_models() {
  std::vector<std::string> models;
  std::error_code failed;
  for (const auto& gpu : std::filesystem::directory_iterator("/proc/driver/nvidia/gpus", failed)) {
    const auto text = read_file(gpu.path() / "information", 1u << 16);
    if (!text) continue;
    for (const auto& line : split(*text, '\n'))
      if (line.starts_with("Model:")) models.emplace_back(trim(std::string_view(line).substr(6)));
  }
  return models;
}

Result<at::Device> parse_device(std::string_view name) {
  if (name == "cpu") return at::Device(at::kCPU);
  if (name == "auto" || name.empty()) return load_cuda().ok() ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
  int index = 0;
  const bool indexed = name.starts_with("cuda:") && name.size() > 5 && name.size() < 8 &&
                       name.substr(5).find_first_not_of("0123456789") == std::string_view::npos;
  if (indexed) {
    index = std::stoi(std::string(name.substr(5)));
  } else if (name != "cuda") {
    return Error{ErrorCode::Usage, fmt::format("unknown device '{}'; use auto, cpu, cuda or cuda:N", name)};
  }
  RUBATO_OK(load_cuda());
  const int count = cuda().backend->device_count();
  if (index >= count)
    return Error{ErrorCode::NoDevice,
                 fmt::format("there is no device {}; this machine has {} (cuda:0 to cuda:{})", name, count, count - 1)};
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index));
}

Result<at::ScalarType> parse_dtype(std::string_view name, at::Device device) {
  if (name == "auto" || name.empty()) return device.is_cuda() ? at::kBFloat16 : at::kFloat;
  if (name == "float32") return at::kFloat;
  if (name == "bfloat16") return at::kBFloat16;
  if (name == "float16") return at::kHalf;
  return Error{ErrorCode::Usage, fmt::format("unknown dtype '{}'; use auto, float32, bfloat16 or float16", name)};
}

bool is_fatal_cuda_error(std::string_view message) {
  if (message.find("CUDA error") == std::string_view::npos) return false;
  constexpr std::array kFatal{"illegal memory access",
                              "launch timed out",
                              "hardware stack error",
                              "illegal instruction",
                              "misaligned address",
                              "invalid program counter",
                              "unspecified launch failure",
                              "uncorrectable ECC error",
                              "device-side assert",
                              "cudaErrorAssert",
                              "unknown error"};
  for (const std::string_view words : kFatal)
    if (message.find(words) != std::string_view::npos) return true;
  return false;
}

}  // namespace rubato
