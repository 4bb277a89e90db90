// OutputLock: one process renders an output at a time.
//
// Its partial folder (OUT.rubato-partial/) holds the file `lock`, which the renderer keeps locked as long as it works.
// The lock is the kernel's, so it ends with its process, however that ends; a file that is left says nothing. Whatever
// the output is called (./clip.mp4, a link to its folder), the folder and so the lock is the same.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "engine/base/error.h"
#include "pipelines/job/queue/instance_lock.h"

namespace rubato {

class OutputLock {
 public:
  // Makes the partial folder if it is missing. `output`: the job's `out`; `program`: who asks ("rubato-cli"). Locked:
  // the sentence says who renders it. CannotWrite: the folder cannot be made or written.
  static Result<OutputLock> take(const std::filesystem::path& output, const std::string& program);

  OutputLock(OutputLock&& other) noexcept : lock_(std::move(other.lock_)), folder_(std::move(other.folder_)) {
    other.lock_.reset();
  }
  OutputLock& operator=(OutputLock&&) = delete;
  ~OutputLock();  // gives it back; a folder that is empty then goes

 private:
  OutputLock(InstanceLock lock, std::filesystem::path folder) : lock_(std::move(lock)), folder_(std::move(folder)) {}
  std::optional<InstanceLock> lock_;
  std::filesystem::path folder_;
};

}  // namespace rubato
