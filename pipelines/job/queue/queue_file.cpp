#include "pipelines/job/queue/queue_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "pipelines/job/queue/migrations.h"
#include "pipelines/job/queue/queue_schema.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

using sqlite::Database;
using sqlite::Mode;

// Corrupt with the first complaint of SQLite's own check. It reads every page but not every index entry.
Result<> check_integrity(const Database& database) {
  RUBATO_TRY(answer, database.text("PRAGMA quick_check(1)"));
  const auto verdict = answer.value_or("the check gives no answer");
  if (verdict == "ok") return {};
  return Error{ErrorCode::Corrupt, fmt::format("{} is damaged: {}", database.file().string(), verdict)};
}

struct Opened {
  Database database;
  std::int64_t version = 0;
};

Result<Opened> open_checked(const fs::path& file, Mode mode) {
  RUBATO_TRY(database, Database::open(file, mode));
  RUBATO_OK(check_integrity(database));
  RUBATO_TRY(version, version_of(database, queue_schema()));
  return Opened{std::move(database), version};
}

bool newer(std::int64_t version) { return version > queue_schema().version(); }

std::string newer_note(const fs::path& file, std::int64_t version) {
  return fmt::format("{} was written by a newer version of Rubato (format {}, this one knows {}): it is only read",
                     file.string(), version, queue_schema().version());
}

// The file with what SQLite keeps beside it, under a free name. Gives that name.
Result<fs::path> set_aside(const fs::path& file) {
  const auto aside = free_sibling(file, "damaged");
  for (const char* part : {"", "-wal", "-shm"}) {
    const fs::path from = file.string() + part;
    std::error_code failed;
    if (!fs::exists(fs::symlink_status(from, failed))) continue;
    fs::rename(from, aside.string() + part, failed);
    if (failed)
      return Error{ErrorCode::CannotWrite,
                   fmt::format("{} is damaged and cannot be set aside: {}", file.string(), failed.message())};
  }
  return aside;
}

Result<QueueFile> start_over(const fs::path& file, std::optional<InstanceLock> lock) {
  RUBATO_TRY(aside, set_aside(file));
  RUBATO_TRY(database, Database::open(file, Mode::Write));
  RUBATO_OK(migrate(database, queue_schema()));
  const auto saved = recover_queue(aside, database);
  auto note = fmt::format("{} was damaged; it was moved to {}", file.string(), aside.string());
  if (saved && *saved > 0)
    note += fmt::format(" and {} job{} could be read from it", *saved, *saved == 1 ? "" : "s");
  else
    note += " and nothing could be read from it";
  return QueueFile{.lock = std::move(lock), .database = std::move(database), .notes = {std::move(note)}};
}

Result<QueueFile> open_to_read(const fs::path& file) {
  RUBATO_TRY(opened, open_checked(file, Mode::Read));
  if (opened.version == 0)
    return Error{ErrorCode::CannotRead, fmt::format("{} is empty: no queue was kept there yet", file.string())};
  QueueFile result{
      .lock = {}, .database = std::move(opened.database), .read_only = true, .newer = newer(opened.version)};
  if (result.newer) result.notes.push_back(newer_note(file, opened.version));
  return result;
}

// Before the writing connection touches anything: a newer file or another program's is left exactly as it is.
Result<bool> is_newer(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return false;
  const auto database = Database::open(file, Mode::Read);
  if (!database) return false;  // the writer will say what is wrong
  const auto version = version_of(*database, queue_schema());
  if (!version && version.error().code == ErrorCode::CannotRead) return version.error();
  return version && newer(*version);
}

}  // namespace

Result<QueueFile> open_queue_file(const fs::path& file, QueueMode mode, const std::string& program) {
  if (mode == QueueMode::Read) return open_to_read(file);
  if (file.has_parent_path()) {
    std::error_code failed;
    fs::create_directories(file.parent_path(), failed);
    if (failed)
      return Error{ErrorCode::CannotWrite,
                   fmt::format("cannot make the folder {}: {}", file.parent_path().string(), failed.message())};
  }
  RUBATO_TRY(taken, InstanceLock::take(InstanceLock::beside(file), program));
  std::optional<InstanceLock> lock(std::move(taken));
  RUBATO_TRY(too_new, is_newer(file));
  if (too_new) return open_to_read(file);

  auto opened = open_checked(file, Mode::Write);
  if (!opened && opened.error().code == ErrorCode::Corrupt) return start_over(file, std::move(lock));
  if (!opened) return opened.error();
  RUBATO_TRY(copy, migrate(opened->database, queue_schema()));
  QueueFile result{.lock = std::move(lock), .database = std::move(opened->database)};
  if (!copy.empty())
    result.notes.push_back(fmt::format("{} was brought to format {}; the former file is kept as {}", file.string(),
                                       queue_schema().version(), copy.string()));
  return result;
}

}  // namespace rubato
