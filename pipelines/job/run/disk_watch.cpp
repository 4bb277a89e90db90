#include "pipelines/job/run/disk_watch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/base/ids.h"
#include "engine/base/text.h"
#include "pipelines/job/channel.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

std::string unwritable(const fs::path& folder, int reason) {
  const bool full = reason == ENOSPC || reason == EDQUOT;
  return fmt::format("{} cannot be written: {}; {}", folder.string(), std::strerror(reason),
                     full              ? "free some space"
                     : reason == EROFS ? "mount it for writing"
                                       : "make it writable");
}

}  // namespace

std::string DiskWatch::obstacle(std::uint64_t bytes) const {
  std::error_code failed;
  const auto space = fs::space(folder_, failed);
  if (failed)
    return fmt::format("{} cannot be looked at: {}; see that it is there", folder_.string(), failed.message());
  const auto spare = std::min<std::uint64_t>(512ull << 20, space.capacity / 20);
  if (space.available < bytes + spare)
    return fmt::format("{} has {} free and needs {}; free some space", folder_.string(), human_bytes(space.available),
                       human_bytes(bytes + spare));
  // Free space does not say that a file can be made: the mount may be read-only.
  const auto probe = folder_ / fmt::format(".probe-{}", new_ulid());
  const UniqueFd fd(::open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return unwritable(folder_, errno);
  const bool written = ::write(fd.get(), "x", 1) == 1 && ::fsync(fd.get()) == 0;
  const int reason = errno;
  ::unlink(probe.c_str());
  return written ? std::string{} : unwritable(folder_, reason);
}

}  // namespace rubato
