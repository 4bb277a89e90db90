#include "pipelines/job/run/device_turn.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "pipelines/job/gpu_memory.h"

namespace rubato {
namespace fs = std::filesystem;

DeviceTurn::DeviceTurn(fs::path folder, const std::string& device) : folder_(std::move(folder)) {
  if (!device.starts_with("cuda")) return;
  name_ = "cuda-" + gpu_identity(device) + ".turn";
  std::replace_if(name_.begin(), name_.end(), [](char c) { return c == '/' || c == ':'; }, '-');
}

fs::path DeviceTurn::usual_folder() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && *runtime == '/') return fs::path(runtime) / "rubato";
  return fmt::format("/tmp/rubato-{}", ::getuid());
}

bool DeviceTurn::take() {
  if (held()) return true;
  // In /tmp anybody could have made a folder of this name: only our own, closed to others, is used.
  struct stat info{};
  ::mkdir(folder_.c_str(), 0700);
  if (::lstat(folder_.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid != ::getuid()) return true;
  UniqueFd file(::open((folder_ / name_).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return true;
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return false;
  lock_ = std::move(file);
  return true;
}

void DeviceTurn::give_back() { lock_ = UniqueFd(); }

}  // namespace rubato
