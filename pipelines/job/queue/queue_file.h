// Opening a queue file: the lock, the integrity check, migrations, and what to do with a damaged or newer file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/job/queue/instance_lock.h"
#include "pipelines/job/queue/queue_store.h"
#include "pipelines/job/queue/sqlite.h"

namespace rubato {

struct QueueFile {
  std::optional<InstanceLock> lock;  // of a writer; released after the database is closed
  sqlite::Database database;
  bool read_only = false;
  bool newer = false;              // read-only because a newer Rubato made it
  std::vector<std::string> notes;  // sentences for a person
};

Result<QueueFile> open_queue_file(const std::filesystem::path& file, QueueMode mode, const std::string& program);

// Copies what can still be read of the queue in `damaged` into the new, empty `database`. Gives the number of jobs.
Result<std::int64_t> recover_queue(const std::filesystem::path& damaged, const sqlite::Database& database);

}  // namespace rubato
