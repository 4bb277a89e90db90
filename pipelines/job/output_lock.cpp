#include "pipelines/job/output_lock.h"

#include <fmt/format.h>

#include "engine/base/files.h"
#include "pipelines/job/kept_work.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

constexpr int kMostTries = 50;

Error rendered_by_another(const fs::path& output, const fs::path& file) {
  std::string who = "another program";
  if (const auto holder = InstanceLock::holder(file)) {
    const bool here = holder->process.host == HostIdentity::of_this_process().host;
    who = fmt::format("another {} (pid {}{})", holder->program.empty() ? "program" : holder->program,
                      holder->process.pid, here ? "" : " on " + holder->process.host);
  }
  return {ErrorCode::Locked, fmt::format("{} is rendering {}; wait for it or choose another -o", who, output.string())};
}

}  // namespace

Result<OutputLock> OutputLock::take(const fs::path& output, const std::string& program) {
  const auto folder = partial_folder_of(output), file = folder / "lock";
  for (int tries = 1;; ++tries) {
    std::error_code failed;
    fs::create_directory(folder, failed);
    auto lock = failed ? Result<InstanceLock>(write_error(folder, failed.value())) : InstanceLock::take(file, program);
    if (lock) return OutputLock(std::move(*lock), folder);
    if (lock.error().code == ErrorCode::Locked) return rendered_by_another(output, file);
    // Whoever held it before may just have removed the folder.
    if (tries == kMostTries) return lock.error();
  }
}

OutputLock::~OutputLock() {
  if (!lock_) return;  // moved away
  lock_.reset();
  // Only if it is empty; who came meanwhile has a lock of its own in it, or makes the folder again.
  std::error_code ignored;
  fs::remove(folder_, ignored);
}

}  // namespace rubato
