#include "pipelines/job/queue/instance_lock.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>

#include "engine/base/files.h"
#include "engine/base/json.h"
#include "engine/base/text.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

LockHolder this_process(const std::string& program) {
  return {.process = HostIdentity::of_this_process(),
          .program = program,
          .since = fmt::format("{:%Y-%m-%d %H:%M:%S} UTC",
                               fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())))};
}

Result<> write_holder(int fd, const fs::path& file, const LockHolder& holder) {
  auto object = to_json(holder.process);
  object["program"] = holder.program;
  object["since"] = holder.since;
  const auto text = object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    return write_error(file, errno);
  return {};
}

// Does the name still lead to the file that was opened? The one before may have removed it on leaving.
bool is_current(int fd, const fs::path& file) {
  struct stat opened{}, named{};
  return ::fstat(fd, &opened) == 0 && ::stat(file.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

}  // namespace

Result<InstanceLock> InstanceLock::take(const fs::path& file, const std::string& program) {
  while (true) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0) return write_error(file, errno);
    InstanceLock lock(fd, file);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      const int code = errno;
      lock.file_.clear();  // it is another's
      if (code == EINTR) continue;
      if (code != EWOULDBLOCK) return write_error(file, code);
      const auto other = holder(file);
      if (!other) return Error{ErrorCode::Locked, fmt::format("{} is in use by another program", file.string())};
      const bool here = other->process.host == HostIdentity::of_this_process().host;
      return Error{ErrorCode::Locked,
                   fmt::format("{} is in use by {} (process {}{}, since {})", file.string(), other->program,
                               other->process.pid, here ? "" : " on " + other->process.host, other->since)};
    }
    if (!is_current(fd, file)) {
      lock.file_.clear();
      continue;
    }
    RUBATO_OK(write_holder(fd, file, this_process(program)));
    return lock;
  }
}

Result<LockHolder> InstanceLock::holder(const fs::path& file) {
  RUBATO_TRY(text, read_file(file, 4096));
  RUBATO_TRY(json, parse_json(text, file.string(), {.max_depth = 2}, ErrorCode::CannotRead));
  auto process = identity_from_json(json);
  if (!process || process->pid == 0)
    return Error{ErrorCode::CannotRead, fmt::format("{} does not say who holds it", file.string())};
  // Only what can stand in a sentence.
  const auto word = [&](const char* name) {
    const auto it = json.find(name);
    return it != json.end() && it->is_string() ? std::string(clip_utf8(it->get<std::string>(), 100)) : std::string{};
  };
  process->host = clip_utf8(process->host, 100);
  return LockHolder{.process = std::move(*process), .program = word("program"), .since = word("since")};
}

bool InstanceLock::is_free(const fs::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return errno == ENOENT;
  const bool free = ::flock(fd, LOCK_SH | LOCK_NB) == 0;
  ::close(fd);
  return free;
}

InstanceLock::InstanceLock(int fd, fs::path file) : fd_(fd), file_(std::move(file)) {}
InstanceLock::InstanceLock(InstanceLock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), file_(std::exchange(other.file_, {})) {}
InstanceLock::~InstanceLock() {
  if (fd_ < 0) return;
  // Removed while it is still held: whoever opened it meanwhile sees that the name is gone and tries again.
  if (!file_.empty()) ::unlink(file_.c_str());
  ::close(fd_);
}

}  // namespace rubato
