#include "pipelines/job/batch/csv.h"

#include <fmt/format.h>

namespace rubato {

Error CsvReader::refuse(Position at, std::string_view what) const {
  return Error{ErrorCode::JobInvalid, fmt::format("{}, line {}, column {}: {}", source_, at.line, at.column, what)};
}

bool CsvReader::at_line_end() const {
  return !at_end() && (text_[at_] == '\n' || text_.substr(at_).starts_with("\r\n"));
}

// Moves over one byte and counts characters and lines.
void CsvReader::step() {
  const char c = text_[at_++];
  if (c == '\n') {
    ++place_.line;
    place_.column = 1;
  } else if (at_end() || (static_cast<unsigned char>(text_[at_]) & 0xC0) != 0x80) {
    ++place_.column;  // the next byte starts a character
  }
}

void CsvReader::skip_line_end() {
  if (!at_end() && text_[at_] == '\r') step();
  if (!at_end()) step();
}

Result<std::vector<CsvCell>> CsvReader::next() {
  while (at_line_end()) skip_line_end();
  std::vector<CsvCell> row;
  while (!at_end()) {
    RUBATO_TRY(cell, read_cell());
    row.push_back(std::move(cell));
    if (at_end()) break;
    if (at_line_end()) {
      skip_line_end();
      break;
    }
    step();  // the comma
    if (at_end()) row.push_back({"", place_, false});
  }
  return row;
}

Result<CsvCell> CsvReader::read_cell() {
  CsvCell cell{{}, place_, !at_end() && text_[at_] == '"'};
  RUBATO_OK(cell.quoted ? read_quoted(cell) : read_plain(cell));
  if (cell.text.size() > max_cell_) return refuse(cell.at, fmt::format("the cell is longer than {} bytes", max_cell_));
  return cell;
}

Result<> CsvReader::read_quoted(CsvCell& cell) {
  step();
  while (true) {
    if (at_end()) return refuse(cell.at, "the quote that begins here is never closed");
    const char c = text_[at_];
    step();
    if (c != '"') {
      cell.text += c;
      continue;
    }
    if (at_end() || text_[at_] != '"') break;
    cell.text += '"';
    step();
  }
  if (at_end() || at_line_end() || text_[at_] == ',') return {};
  return refuse(place_, "text behind a closing quote; write a quote inside a cell twice (\"\")");
}

Result<> CsvReader::read_plain(CsvCell& cell) {
  for (; !at_end() && !at_line_end() && text_[at_] != ','; step()) {
    const char c = text_[at_];
    if (c == '"')
      return refuse(place_,
                    "a quote inside a cell that does not begin with one; put the cell in quotes and write the "
                    "quote twice (\"\")");
    if (c == '\r') return refuse(place_, "a lone carriage return; lines end with LF or CRLF");
    cell.text += c;
  }
  return {};
}

std::string csv_cell(std::string_view text) {
  const bool quotes =
      text.find_first_of(",\"\r\n") != std::string_view::npos || text.starts_with(' ') || text.ends_with(' ');
  if (!quotes) return std::string(text);
  std::string cell = "\"";
  for (const char c : text) cell.append(c == '"' ? 2 : 1, c);
  return cell += '"';
}

}  // namespace rubato
