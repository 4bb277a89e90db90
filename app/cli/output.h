// Output: who reads what. Results (paths, tables, JSON) go to standard output for programs and pipes; sentences
// for people go to standard error.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/text.h"

namespace rubato::cli {

// Thread-safe per line: each call writes its text in one piece.
class Output {
 public:
  explicit Output(bool quiet) : quiet_(quiet) {}

  // Standard output, with a line end, flushed.
  void result(std::string_view line);
  void json(const nlohmann::json& value);       // indented
  void json_line(const nlohmann::json& value);  // one line of NDJSON

  // Standard error. say() is silent with --quiet; warnings and errors are not.
  void say(std::string_view line);
  void warn(std::string_view sentence);
  void error(std::string_view sentence);

  bool quiet() const { return quiet_; }
  // CannotWrite when something written to standard output was lost (a full disk, a closed pipe).
  Result<> finish();
  // Whoever read it has seen enough and is gone, as in `… | head`.
  bool reader_left() const;

 private:
  bool quiet_;
};

// "1 frame", "65 frames".
std::string counted(std::uint64_t count, std::string_view noun);

// A table for people: columns padded to their widest cell, two spaces apart, header in the first row.
class Table {
 public:
  explicit Table(std::vector<std::string> header) { rows_.push_back(std::move(header)); }
  void add(std::vector<std::string> row);  // a cell stays on its line, whatever name is in it
  bool empty() const { return rows_.size() < 2; }
  std::string text() const;  // without the last line end

 private:
  std::vector<std::vector<std::string>> rows_;
};

// Terminal columns of UTF-8 text: wide East Asian characters and emoji take two, combining marks none.
int display_width(std::string_view text);
// Cuts text to at most `columns`, with "…" at the end when something was cut.
std::string fit_width(std::string_view text, int columns);
// Columns of the terminal on this file descriptor; `fallback` when it is not a terminal.
int terminal_width(int fd, int fallback);
bool is_terminal(int fd);

}  // namespace rubato::cli
