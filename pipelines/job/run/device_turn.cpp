#include "pipelines/job/run/device_turn.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace rubato {
namespace fs = std::filesystem;

DeviceTurn::DeviceTurn(fs::path folder, std::string device)
    : folder_(std::move(folder)), device_(std::move(device)), free_for_all_(!device_.starts_with("cuda")) {}

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
  std::string name = device_ + ".turn";
  std::replace(name.begin(), name.end(), ':', '-');
  UniqueFd file(::open((folder_ / name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return true;
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return false;
  lock_ = std::move(file);
  return true;
}

void DeviceTurn::give_back() { lock_ = UniqueFd(); }

}  // namespace rubato
