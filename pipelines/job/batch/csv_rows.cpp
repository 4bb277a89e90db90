#include "pipelines/job/batch/csv_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "engine/base/text.h"
#include "pipelines/job/batch/csv.h"
#include "pipelines/job/batch/failed_csv.h"
#include "pipelines/job/batch/job_layer.h"
#include "pipelines/job/field_value.h"

namespace rubato {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostColumns = 1000;

struct Column {
  std::string key;
  bool used = true;  // false: the reason of an earlier run, or a column that is refused
};

std::vector<Column> read_header(const std::vector<CsvCell>& header, SourceMap& where, Problems& problems) {
  std::vector<Column> columns;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < header.size(); ++i) {
    Column column{std::string(trim(header[i].text))};
    const std::string pointer = fmt::format("#header/{}", i);  // no pointer of a job begins like this
    where[pointer] = header[i].at;
    if (column.key.empty()) {
      problems.add(pointer, fmt::format("column {} has no name; name it or delete it", i + 1));
      column.used = false;
    } else if (!seen.insert(column.key).second) {
      problems.add(pointer, fmt::format("the column '{}' stands twice", clip_utf8(column.key, 80)));
      column.used = false;
    } else if (column.key == kReasonColumn) {
      column.used = false;
    } else if (auto fault = job_key_fault(column.key); !fault.empty()) {
      problems.add(pointer, std::move(fault));
      column.used = false;
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

// Reads cells by the rules of the fields that they are for.
class CellReader {
 public:
  CellReader() : fields_(fields_of(job_)) {}

  // Before a row is read: the methods that it chooses for its policies.
  void choose_methods(const std::vector<Column>& columns, const std::vector<CsvCell>& row) {
    for (const auto& field : fields_) {
      PolicyRef* policy = detail::policy_of(field);
      if (policy == nullptr || policy->methods().size() < 2) continue;
      const std::string key = std::string(field.name) + ".method";
      for (std::size_t i = 0; i < columns.size(); ++i) {
        if (columns[i].key != key) continue;
        const auto methods = policy->methods();
        const auto at = std::find(methods.begin(), methods.end(), row[i].text);
        if (at != methods.end()) policy->choose(static_cast<std::size_t>(at - methods.begin()));
      }
    }
  }

  Json value(const std::string& key, const CsvCell& cell) const {
    const FieldRef* field = find(fields_, key.substr(0, key.find('.')));
    const auto dot = key.find('.');
    if (key == "priority") return detail::scalar_from_text(RealRange{}, cell.text);
    if (key == "version") return detail::scalar_from_text(IntRange{}, cell.text);
    if (field == nullptr) return cell.text;
    if (dot == std::string::npos) return detail::scalar_from_text(field->rule, cell.text);
    PolicyRef* policy = detail::policy_of(*field);
    if (policy == nullptr) return cell.text;
    const Fields knobs = policy->knobs();
    const FieldRef* knob = find(knobs, key.substr(dot + 1));
    return knob == nullptr ? Json(cell.text) : detail::scalar_from_text(knob->rule, cell.text);
  }

  // Whether an empty text is another thing than none.
  bool keeps_empty_text(const std::string& key) const {
    const FieldRef* field = find(fields_, key);
    return field != nullptr && std::holds_alternative<Text>(field->rule) && detail::is_optional(*field);
  }

 private:
  static const FieldRef* find(const Fields& fields, std::string_view name) {
    const auto at = std::find_if(fields.begin(), fields.end(), [&](const FieldRef& f) { return f.name == name; });
    return at == fields.end() ? nullptr : &*at;
  }

  VideoJob job_;
  Fields fields_;
};

Error not_a_table(std::string_view name, const std::vector<CsvCell>& header) {
  for (const char other : {';', '\t'})
    if (header.size() == 1 && header[0].text.find(other) != std::string::npos)
      return {ErrorCode::JobInvalid,
              fmt::format("{}, line {}: the cells are separated by {}; save the table with commas", name,
                          header[0].at.line, other == ';' ? "semicolons" : "tabs")};
  return {ErrorCode::JobInvalid,
          fmt::format("{} has {} columns; at most {} are allowed", name, header.size(), kMostColumns)};
}

}  // namespace

bool looks_like_header(std::string_view line) {
  const auto cells = split(line, ',');
  return cells.size() > 1 &&
         std::any_of(cells.begin(), cells.end(), [](const auto& cell) { return job_key_fault(trim(cell)).empty(); });
}

Result<> read_csv_rows(std::string_view text, std::string_view name, const BatchLimits& limits, BatchDocument& document,
                       Problems& problems) {
  CsvReader reader(text, std::string(name), limits.max_string);
  RUBATO_TRY(header, reader.next());
  const bool other = header.size() == 1 && header[0].text.find_first_of(";\t") != std::string::npos;
  if (other || header.size() > kMostColumns) return not_a_table(name, header);
  const auto columns = read_header(header, document.where, problems);
  for (const auto& column : columns)
    if (column.used) document.columns.push_back(column.key);
  const bool all_quoted = header[0].quoted;

  document.root = Json::array();
  CellReader cells;
  std::size_t bad_rows = 0;
  while (true) {
    RUBATO_TRY(row, reader.next());
    if (row.empty()) break;
    if (std::all_of(row.begin(), row.end(), [](const CsvCell& cell) { return cell.text.empty(); })) continue;
    if (document.root.size() + bad_rows == limits.max_jobs) return too_many_jobs(name, limits);
    if (row.size() != columns.size()) {
      const std::string pointer = fmt::format("#row/{}", bad_rows++);
      document.where[pointer] = row[0].at;
      problems.add(pointer,
                   fmt::format("the row has {} cells, but the header has {}; a text with commas must be in quotes",
                               row.size(), columns.size()));
      continue;
    }
    cells.choose_methods(columns, row);
    const std::string pointer = fmt::format("/{}", document.root.size());
    document.where[pointer] = row[0].at;
    Json job = Json::object();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string& key = columns[i].key;
      const bool empty = row[i].text.empty() && !(row[i].quoted && !all_quoted && cells.keeps_empty_text(key));
      if (!columns[i].used || empty) continue;
      document.where[pointer + '/' + key] = row[i].at;
      job[key] = cells.value(key, row[i]);
    }
    document.root.push_back(std::move(job));
  }
  return {};
}

}  // namespace rubato
