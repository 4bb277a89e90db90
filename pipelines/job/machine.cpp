#include "pipelines/job/machine.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/base/text.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The value behind "key :" of /proc/cpuinfo or /proc/meminfo, at its first appearance.
std::string field_of(const fs::path& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(':');
    if (colon != std::string::npos && trim(std::string_view(line).substr(0, colon)) == key)
      return std::string(trim(std::string_view(line).substr(colon + 1)));
  }
  return {};
}

std::uint64_t kibibytes(std::string_view key) {
  std::istringstream text(field_of("/proc/meminfo", key));
  std::uint64_t value = 0;
  text >> value;
  return value * 1024;
}

}  // namespace

Cpu cpu() {
  Cpu found;
  found.model = field_of("/proc/cpuinfo", "model name");
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) found.cores = CPU_COUNT(&set);
  constexpr std::array kMatter{"sse4_2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512_bf16", "amx_bf16"};
  const auto all = split(field_of("/proc/cpuinfo", "flags"), ' ');
  for (const auto* flag : kMatter)
    if (std::find(all.begin(), all.end(), flag) != all.end()) found.flags.emplace_back(flag);
  return found;
}

Memory memory() {
  Memory found{.total = kibibytes("MemTotal"), .available = kibibytes("MemAvailable"), .control_group = {}};
  for (const auto* file : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::istringstream text(first_line(file));
    std::uint64_t limit = 0;
    if (text >> limit && limit < found.total) found.control_group = limit;
  }
  return found;
}

std::string nvidia_driver() {
  const auto line = first_line("/proc/driver/nvidia/version");
  // "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun …": the version is the word with two dots or more.
  for (const auto& word : split(line, ' '))
    if (std::count(word.begin(), word.end(), '.') >= 1 && word.find_first_not_of("0123456789.") == std::string::npos)
      return word;
  return line;
}

bool has_nvidia_card() {
  std::error_code failed;
  for (fs::directory_iterator it("/sys/bus/pci/devices", failed), end; !failed && it != end; it.increment(failed))
    if (first_line(it->path() / "vendor") == "0x10de" && first_line(it->path() / "class").starts_with("0x03"))
      return true;
  return fs::exists("/dev/nvidia0", failed);
}

}  // namespace rubato
