#include "pipelines/runner/decode_plan.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <limits>
#include <string>

#include "kernels/device.h"

namespace rubato {

std::int64_t tile_that_fits(const AutoencoderKLWan& vae, std::int64_t width, std::int64_t height, std::int64_t frames,
                            std::uint64_t free_bytes) {
  constexpr std::array<std::int64_t, 6> kTiles{0, 1024, 768, 512, 384, 256};  // first choice first
  const double usable = 0.8 * static_cast<double>(free_bytes);
  for (const auto tile : kTiles)
    if (static_cast<double>(vae.decode_bytes(width, height, frames, tile)) <= usable) return tile;
  return kTiles.back();
}

std::uint64_t free_memory(at::Device device) {
  if (device.is_cuda()) {
    const auto devices = cuda_devices();
    const auto index = static_cast<std::size_t>(device.index());
    if (index >= devices.size()) return 0;
    // With what the allocator holds unused: else a job that goes on in a fresh worker could get other tiles.
    const auto use = memory_use(device);
    return devices[index].free_bytes + use.held_bytes - std::min(use.held_bytes, use.current_bytes);
  }
  std::ifstream info("/proc/meminfo");
  std::string name, unit;
  std::uint64_t kib = 0;
  while (info >> name >> kib >> unit)
    if (name == "MemAvailable:") return kib * 1024;
  return std::numeric_limits<std::uint64_t>::max();  // unknown: do not cut
}

}  // namespace rubato
