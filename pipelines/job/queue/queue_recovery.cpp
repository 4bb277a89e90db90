// What can still be read of a damaged queue: each table row by row, forwards up to the damage and backwards down to it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "pipelines/job/queue/queue_file.h"

namespace rubato {
namespace {

using sqlite::Database;

struct Column {
  std::string name, type;  // TEXT, REAL or INTEGER
};

Result<std::vector<Column>> columns_of(const Database& database, const std::string& table) {
  RUBATO_TRY(info, database.prepare("SELECT name, type FROM pragma_table_info(?1)"));
  info.bind(table);
  std::vector<Column> columns;
  while (true) {
    RUBATO_TRY(row, info.step());
    if (!row) return columns;
    columns.push_back({info.text(0), info.text(1)});
  }
}

// Copies the rows of one table that can be read in one direction. Rows that the new file refuses (twice there, a state
// that does not exist, of a job that was lost) are left out.
Result<> copy_rows(const Database& from, const Database& to, const std::string& table, const std::string& order) {
  RUBATO_TRY(wanted, columns_of(to, table));
  const auto found = columns_of(from, table);
  if (!found) return {};
  std::vector<Column> columns;  // in both files
  for (const auto& column : wanted)
    if (std::any_of(found->begin(), found->end(), [&](const Column& other) { return other.name == column.name; }))
      columns.push_back(column);
  if (columns.empty()) return {};
  std::vector<std::string> names, marks;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    names.push_back(columns[i].name);
    marks.push_back(fmt::format("?{}", i + 1));
  }
  auto select = from.prepare(fmt::format("SELECT {} FROM {} ORDER BY {}", fmt::join(names, ", "), table, order));
  if (!select) return {};
  RUBATO_TRY(insert, to.prepare(fmt::format("INSERT OR IGNORE INTO {} ({}) VALUES ({})", table, fmt::join(names, ", "),
                                            fmt::join(marks, ", "))));
  while (true) {
    const auto row = select->step();
    if (!row || !*row) return {};  // the end, or the damage
    insert.bind();
    for (std::size_t i = 0; i < columns.size(); ++i)
      insert.copy_column(static_cast<int>(i) + 1, *select, static_cast<int>(i));
    // A foreign key is checked at the end of the statement; its refusal concerns this row alone.
    const auto stored = insert.run();
    if (!stored && stored.error().code != ErrorCode::Internal) return stored.error();
  }
}

}  // namespace

Result<std::int64_t> recover_queue(const std::filesystem::path& damaged, const Database& database) {
  auto old = Database::open(damaged, sqlite::Mode::Read);
  if (!old) return std::int64_t{0};
  RUBATO_TRY(change, sqlite::Transaction::begin(database));
  for (const auto& [table, key] : {std::pair<std::string, std::string>{"jobs", "rowid"},
                                   {"meta", "name"},
                                   {"dependencies", "job"},
                                   {"events", "job"},
                                   {"outputs", "job"},
                                   {"checkpoints", "job"},
                                   {"timings", "job"}}) {
    RUBATO_OK(copy_rows(*old, database, table, key));
    RUBATO_OK(copy_rows(*old, database, table, key + " DESC"));
  }
  // What it waited for is lost, so it would wait for ever.
  RUBATO_OK(
      database.run("UPDATE jobs SET state = 'suspended', reason = 'what it waited for was lost with the damaged queue' "
                   "WHERE state = 'blocked' AND id NOT IN (SELECT job FROM dependencies)"));
  RUBATO_TRY(jobs, database.integer("SELECT count(*) FROM jobs"));
  RUBATO_OK(change.commit());
  return jobs.value_or(0);
}

}  // namespace rubato
