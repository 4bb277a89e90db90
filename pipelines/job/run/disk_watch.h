// DiskWatch: is there room, and can the output folder be written? A full disk or a read-only mount does not end a run:
// it waits until the trouble is over, and says so.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

namespace rubato {

class DiskWatch {
 public:
  using Clock = std::chrono::steady_clock;
  explicit DiskWatch(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // What stands in the way of writing `bytes` more, and what to do about it: "" when nothing does. Leaves 512 MiB free,
  // on a small disk a twentieth of it, so that other programs and the run's own records go on.
  std::string obstacle(std::uint64_t bytes) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace rubato
