// One writer for the data in a state folder: an advisory lock on a file that says who holds it.
//
// The lock is the kernel's (flock), so it ends with the process that holds it, however that ends; what the file says
// is for people: it names the holder in the sentence of a refusal.
#pragma once

#include <filesystem>
#include <string>

#include "engine/base/error.h"
#include "pipelines/job/host_identity.h"

namespace rubato {

struct LockHolder {
  HostIdentity process;
  std::string program;  // "rubato-cli"
  std::string since;    // "2026-11-24 11:40:12 UTC"
};

class InstanceLock {
 public:
  // Where the lock of a data file is: "queue.sqlite.lock".
  static std::filesystem::path beside(const std::filesystem::path& data) { return data.string() + ".lock"; }
  // `file` is made if it is missing and removed on leaving. Locked: the sentence says who holds it. CannotWrite: the
  // folder is read-only.
  static Result<InstanceLock> take(const std::filesystem::path& file, const std::string& program);
  // Who holds the lock, or held it when it was killed; CannotRead if there is no such file or nothing sensible in it.
  static Result<LockHolder> holder(const std::filesystem::path& file);

  // Nobody holds it; false also where that cannot be told. Changes nothing, but who takes the lock in the same instant
  // may be refused once.
  static bool is_free(const std::filesystem::path& file);

  InstanceLock(InstanceLock&& other) noexcept;
  InstanceLock& operator=(InstanceLock&&) = delete;
  ~InstanceLock();

 private:
  InstanceLock(int fd, std::filesystem::path file);
  int fd_ = -1;
  std::filesystem::path file_;  // empty: not ours to remove
};

}  // namespace rubato
