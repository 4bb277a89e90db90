#include "pipelines/job/run/folder_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <thread>

#include "engine/base/files.h"
#include "engine/base/ids.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "pipelines/job/host_identity.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kMaxHolderBytes = 4096;
constexpr std::chrono::milliseconds kTryAgain{5};

// For people only: on a full disk the lock is as good without it.
void say_who(int fd) {
  auto holder = to_json(HostIdentity::of_this_process());
  holder["taking"] = new_ulid();
  const auto text = holder.dump() + "\n";
  if (const auto written = ::pwrite(fd, text.data(), text.size(), 0); written >= 0) (void)!::ftruncate(fd, written);
}

nlohmann::json said_in(const fs::path& file) {
  const auto text = read_file(file, kMaxHolderBytes);
  const auto object = text ? parse_json(*text, "holder") : Result<nlohmann::json>(nlohmann::json());
  return object ? *object : nlohmann::json();
}

}  // namespace

Error shared_file_error(const fs::path& file, int errno_code) {
  struct stat info{};
  const bool closed = errno_code == EACCES || errno_code == EPERM;
  if (!closed || ::stat(file.c_str(), &info) != 0 || info.st_uid == ::geteuid()) return write_error(file, errno_code);
  return {ErrorCode::CannotWrite,
          fmt::format("{} belongs to user {} and may not be written by user {}: let the users of this folder share a "
                      "group that may write ('chmod -R g+w {}', and 'umask 002' before a run), or choose another --out",
                      file.string(), info.st_uid, ::geteuid(), file.parent_path().string())};
}

Result<FolderLock> FolderLock::take(const fs::path& file, std::chrono::milliseconds patience) {
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666));
  if (!fd) return shared_file_error(file, errno);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return write_error(file, errno);
    if (std::chrono::steady_clock::now() >= deadline) return FolderLock();
    std::this_thread::sleep_for(kTryAgain);
  }
  say_who(fd.get());
  return FolderLock(std::move(fd));
}

std::string FolderLock::holder(const fs::path& file) {
  const auto holder = identity_from_json(said_in(file));
  if (!holder) return "another process";
  return fmt::format("{}, process {}", printable(clip_utf8(holder->host, 100)), holder->pid);
}

std::string FolderLock::last_taking(const fs::path& file) { return text_member(said_in(file), "taking"); }

}  // namespace rubato
