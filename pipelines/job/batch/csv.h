// Tables as RFC 4180 has them: commas, quotes around cells that need them, a quote inside doubled. Lines end with LF or
// CRLF; a quoted cell may hold both. Nothing is guessed: what is not such a table is refused with its line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/json.h"

namespace rubato {

struct CsvCell {
  std::string text;
  Position at;          // where it begins
  bool quoted = false;  // tells an empty text from nothing
};

// Borrows the text.
class CsvReader {
 public:
  // `source` names the text in messages.
  CsvReader(std::string_view text, std::string source, std::size_t max_cell)
      : text_(text), source_(std::move(source)), max_cell_(max_cell) {}

  // The next row; empty at the end of the text. Lines without anything on them are passed over. JobInvalid with line
  // and column.
  Result<std::vector<CsvCell>> next();

 private:
  Result<CsvCell> read_cell();
  Result<> read_quoted(CsvCell& cell);
  Result<> read_plain(CsvCell& cell);
  bool at_end() const { return at_ == text_.size(); }
  bool at_line_end() const;
  void step();
  void skip_line_end();
  Error refuse(Position at, std::string_view what) const;

  std::string_view text_;
  std::string source_;
  std::size_t max_cell_;
  std::size_t at_ = 0;
  Position place_{1, 1};
};

// The cell as it stands in a table, in quotes where it needs them.
std::string csv_cell(std::string_view text);

}  // namespace rubato
