#include "pipelines/job/queue/migrations.h"

#include <fmt/format.h>

namespace rubato {
namespace fs = std::filesystem;

fs::path free_sibling(const fs::path& file, std::string_view suffix) {
  std::error_code ignored;
  fs::path name = fmt::format("{}.{}", file.string(), suffix);
  for (int n = 2; fs::exists(fs::symlink_status(name, ignored)); ++n)
    name = fmt::format("{}.{}-{}", file.string(), suffix, n);
  return name;
}

Result<std::int64_t> version_of(const sqlite::Database& database, const Schema& schema) {
  // Tables first: another process may be making them, and whoever sees them sees the numbers of the same commit.
  RUBATO_TRY(tables, database.integer("SELECT count(*) FROM sqlite_schema"));
  if (tables == 0) return std::int64_t{0};
  RUBATO_TRY(version, database.integer("PRAGMA user_version"));
  RUBATO_TRY(application, database.integer("PRAGMA application_id"));
  if (application != schema.application_id || version.value_or(0) < 1)
    return Error{ErrorCode::CannotRead, fmt::format("{} is a database of another program, not a {} of Rubato",
                                                    database.file().string(), schema.what)};
  return *version;
}

Result<fs::path> migrate(const sqlite::Database& database, const Schema& schema) {
  RUBATO_TRY(before, version_of(database, schema));
  fs::path copy;
  if (before > 0 && before < schema.version()) {
    copy = free_sibling(database.file(), fmt::format("version-{}", before));
    RUBATO_OK(database.run("VACUUM INTO ?1", copy.string()));
  }
  for (auto step = before; step < schema.version(); ++step) {
    RUBATO_TRY(change, sqlite::Transaction::begin(database));
    RUBATO_TRY(now, version_of(database, schema));
    if (now > step) continue;  // another process was faster
    RUBATO_OK(database.run(std::string(schema.steps[static_cast<std::size_t>(step)])));
    RUBATO_OK(
        database.run(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", schema.application_id, step + 1)));
    RUBATO_OK(change.commit());
  }
  return copy;
}

}  // namespace rubato
