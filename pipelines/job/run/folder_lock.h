// FolderLock: one process at a time does something in a folder that many processes, users and hosts share.
//
// It is an flock on a file there, which the kernel gives back when its holder ends, however it ends. A holder that is
// stopped keeps it: therefore the file says who took it last, so that whoever waits can name that process. The file
// stays; what its mode is the umask decides, so that a group can share the folder.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "engine/base/error.h"
#include "pipelines/job/channel.h"

namespace rubato {

class FolderLock {
 public:
  // Waits for others, `patience` at most: then the lock is empty. CannotWrite, with a sentence that says whose file it
  // is when it is another user's.
  static Result<FolderLock> take(const std::filesystem::path& file, std::chrono::milliseconds patience);
  // Who took it last: "render-3, process 4711"; "another process" when the file does not say.
  static std::string holder(const std::filesystem::path& file);
  // What tells its last taking from all others; "" when the file does not say.
  static std::string last_taking(const std::filesystem::path& file);

  FolderLock() = default;
  explicit operator bool() const { return static_cast<bool>(fd_); }

 private:
  explicit FolderLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

// What a failed open of a file in a shared folder means: write_error(), or that another user's file is closed to us.
Error shared_file_error(const std::filesystem::path& file, int errno_code);

}  // namespace rubato
