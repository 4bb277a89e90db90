#include "pipelines/job/batch/failed_csv.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_set>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "pipelines/job/batch/csv.h"
#include "pipelines/job/batch/name_template.h"
#include "pipelines/job/schema.h"

namespace rubato {
namespace {

using Json = nlohmann::json;
using Row = std::map<std::string, std::string>;  // cells by column; a column that is absent is unset

// {"rate": {"keep": 1}} -> rate.keep
void flatten(const std::string& key, const Json& value, Row& row) {
  if (value.is_object()) {
    for (const auto& [name, member] : value.items()) flatten(key.empty() ? name : key + '.' + name, member, row);
  } else {
    row[key] = value.is_string() ? value.get<std::string>() : value.dump();
  }
}

void make_inputs_absolute(VideoJob& job) { anchor_inputs(fields_of(job), std::filesystem::current_path().string()); }

Row row_of(const FailedJob& failed, const std::unordered_set<std::string>& ids) {
  const BatchJob& batch = *failed.job;
  VideoJob job = batch.job;
  make_inputs_absolute(job);
  if (!failed.out.empty()) job.out = literal_name(failed.out);
  Row row;
  flatten("", write_fields(fields_of(job), VideoJob::kKind), row);
  for (const auto& [name, value] : batch.variables) row["var." + name] = value;
  if (batch.priority != 0) row["priority"] = Json(batch.priority).dump();
  std::vector<std::string> after;
  for (const auto& id : batch.after)
    if (ids.count(id) != 0) after.push_back(id);
  if (!after.empty()) row["after"] = join(after, " ");
  row[kReasonColumn] = failed.reason;
  return row;
}

// What every job has without saying so.
Row default_row() {
  Row row;
  VideoJob job;
  flatten("", write_fields(fields_of(job), VideoJob::kKind), row);
  return row;
}

// The columns that say something about at least one job, in the order of a job's fields.
void add_telling_columns(const std::vector<Row>& rows, std::vector<std::string>& columns) {
  const Row usual = default_row();
  std::set<std::string> telling;
  for (const auto& row : rows)
    for (const auto& [key, cell] : row)
      if (const auto found = usual.find(key); found == usual.end() || found->second != cell) telling.insert(key);
  const auto add = [&](const std::string& key) {
    if (telling.erase(key) != 0) columns.push_back(key);
  };
  add("id");
  VideoJob order;
  for (const auto& field : fields_of(order)) {
    const std::string name(field.name);
    add(name);
    const std::set<std::string> all = telling;
    for (const auto& key : all)
      if (key.starts_with(name + '.')) add(key);
  }
  for (const std::set<std::string> all = telling; const auto& key : all)
    if (key != kReasonColumn) add(key);  // variables, priority, after
}

std::vector<std::string> columns_of(const std::vector<Row>& rows, const std::vector<std::string>& source) {
  std::vector<std::string> columns;
  const auto add = [&](const std::string& name) {
    if (std::find(columns.begin(), columns.end(), name) == columns.end()) columns.push_back(name);
  };
  // What a list of seeds said is in each row; a table has no presets.
  for (const auto& name : source)
    if (name != "preset" && name != kReasonColumn) add(name == "seeds" ? "seed" : name);
  if (source.empty()) add_telling_columns(rows, columns);
  for (const char* needed : {"id", "seed", "out"}) add(needed);
  columns.emplace_back(kReasonColumn);
  return columns;
}

// The rows that an earlier table keeps, fit to stand with others.
std::vector<Row> kept_rows(const FailedTable& kept, const std::unordered_set<std::string>& taken) {
  std::map<std::string, std::string> ids;  // as they were → as they are now
  auto used = taken;
  for (const auto& row : kept.rows) {
    const auto& id = row.at("id");
    auto free = id;
    for (int n = 2; !used.insert(free).second; ++n) free = id + '-' + std::to_string(n);
    ids[id] = free;
  }
  auto rows = kept.rows;
  for (auto& row : rows) {
    row["id"] = ids[row["id"]];
    const auto after = row.find("after");
    if (after == row.end()) continue;
    std::vector<std::string> left;
    for (const auto& id : split(after->second, ' '))
      if (const auto found = ids.find(id); found != ids.end()) left.push_back(found->second);
    if (left.empty())
      row.erase(after);
    else
      after->second = join(left, " ");
  }
  return rows;
}

constexpr std::size_t kMaxCell = 1u << 20;

}  // namespace

std::optional<FailedTable> read_failed_csv(std::string_view text) {
  CsvReader reader(text, "failed.csv", kMaxCell);
  FailedTable table;
  const auto header = reader.next();
  if (!header || header->empty()) return std::nullopt;
  for (const auto& cell : *header) table.columns.push_back(cell.text);
  for (const char* needed : {"id", "seed", "out", kReasonColumn})
    if (std::find(table.columns.begin(), table.columns.end(), needed) == table.columns.end()) return std::nullopt;
  while (true) {
    const auto cells = reader.next();
    if (!cells || (!cells->empty() && cells->size() != table.columns.size())) return std::nullopt;
    if (cells->empty()) return table;
    auto& row = table.rows.emplace_back();
    for (std::size_t i = 0; i < cells->size(); ++i)
      if (const auto& cell = (*cells)[i]; !cell.text.empty() || cell.quoted) row[table.columns[i]] = cell.text;
    if (!row.contains("id") || !row.contains("out")) return std::nullopt;
  }
}

std::string failed_csv(std::span<const FailedJob> failed, const std::vector<std::string>& columns,
                       const FailedTable& kept) {
  std::unordered_set<std::string> ids;
  for (const auto& one : failed) {
    RUBATO_CHECK(one.job != nullptr);
    ids.insert(one.job->job.id);
  }
  std::vector<Row> rows;
  for (const auto& one : failed) rows.push_back(row_of(one, ids));
  auto names = failed.empty() ? std::vector<std::string>() : columns_of(rows, columns);
  for (auto& row : kept_rows(kept, ids)) rows.push_back(std::move(row));
  for (const auto& name : kept.columns)
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  std::erase(names, kReasonColumn);
  names.emplace_back(kReasonColumn);
  std::vector<std::string> cells;
  for (const auto& name : names) cells.push_back(csv_cell(name));
  std::string text = join(cells, ",") + '\n';
  for (const auto& row : rows) {
    cells.clear();
    for (const auto& name : names) {
      const auto cell = row.find(name);
      // Set, but to an empty text: in quotes, which the reader tells from nothing.
      const bool empty = cell != row.end() && cell->second.empty() && name != kReasonColumn;
      cells.push_back(cell == row.end() ? "" : empty ? "\"\"" : csv_cell(cell->second));
    }
    text += join(cells, ",") + '\n';
  }
  return text;
}

}  // namespace rubato
