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

std::string first_line(const fs::path& file) {
  const auto text = read_file(file, 4096);
  return text ? std::string(trim(text->substr(0, text->find('\n')))) : std::string{};
}

// Field 22 of /proc/PID/stat; the name in field 2 may hold spaces and brackets.
std::uint64_t start_time_of(int pid) {
  const auto text = read_file(fmt::format("/proc/{}/stat", pid), 4096);
  if (!text) return 0;
  const auto after_name = text->rfind(')');
  if (after_name == std::string::npos) return 0;
  const auto fields = split(std::string_view(*text).substr(after_name + 1), ' ');  // "", state, ppid, …
  return fields.size() > 20 ? std::strtoull(fields[20].c_str(), nullptr, 10) : 0;
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

LockHolder this_process(const std::string& program) {
  const int pid = ::getpid();
  return {.pid = pid,
          .program = program,
          .host = host_name(),
          .boot_id = first_line("/proc/sys/kernel/random/boot_id"),
          .start_time = start_time_of(pid),
          .since = fmt::format("{:%Y-%m-%d %H:%M:%S} UTC",
                               fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())))};
}

Result<> write_holder(int fd, const fs::path& file, const LockHolder& holder) {
  const auto text =
      nlohmann::json{{"pid", holder.pid},         {"program", holder.program},       {"host", holder.host},
                     {"boot_id", holder.boot_id}, {"start_time", holder.start_time}, {"since", holder.since}}
          .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
      "\n";
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
      return Error{ErrorCode::Locked,
                   other ? fmt::format("{} is in use by {} (process {}{}, since {})", file.string(), other->program,
                                       other->pid, other->host == host_name() ? "" : " on " + other->host, other->since)
                         : fmt::format("{} is in use by another program", file.string())};
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
  const auto word = [&](const char* name) {
    const auto it = json.find(name);
    // Only what can stand in a sentence.
    return it != json.end() && it->is_string() ? std::string(clip_utf8(it->get<std::string>(), 100)) : std::string{};
  };
  const auto number = [&](const char* name) {
    const auto it = json.find(name);
    return it != json.end() && it->is_number_unsigned() ? it->get<std::uint64_t>() : 0;
  };
  if (!json.is_object() || number("pid") == 0)
    return Error{ErrorCode::CannotRead, fmt::format("{} does not say who holds it", file.string())};
  return LockHolder{.pid = static_cast<int>(number("pid")),
                    .program = word("program"),
                    .host = word("host"),
                    .boot_id = word("boot_id"),
                    .start_time = number("start_time"),
                    .since = word("since")};
}

bool is_alive(const LockHolder& holder) {
  return holder.boot_id == first_line("/proc/sys/kernel/random/boot_id") && holder.start_time != 0 &&
         start_time_of(holder.pid) == holder.start_time;
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
