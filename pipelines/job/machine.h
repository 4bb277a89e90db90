// What this machine is made of, read from /proc and /sys; for doctor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rubato {

struct Cpu {
  std::string model;
  int cores = 0;                   // that this process may use
  std::vector<std::string> flags;  // of those that matter: sse4_2, avx, avx2, fma, f16c, avx512f, avx512_bf16, amx_bf16
};
Cpu cpu();

struct Memory {
  std::uint64_t total = 0, available = 0;      // bytes
  std::optional<std::uint64_t> control_group;  // the limit of a container or unit, where there is one below total
};
Memory memory();

// "NVRM version …" of the loaded kernel driver, "" when none is loaded.
std::string nvidia_driver();
// An NVIDIA device sits on the PCI bus, whether or not a driver is loaded.
bool has_nvidia_card();

}  // namespace rubato
