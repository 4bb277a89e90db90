#include "app/cli/output.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

namespace rubato::cli {
namespace {

bool lost_output = false, broken_pipe = false;

void write_line(std::FILE* stream, std::string line) {
  line += '\n';
  const bool written = std::fwrite(line.data(), 1, line.size(), stream) == line.size() && std::fflush(stream) == 0;
  if (written || stream != stdout) return;
  broken_pipe = lost_output ? broken_pipe : errno == EPIPE;  // what the first failure says
  lost_output = true;
}

// Decodes one UTF-8 character at text[i] and moves i behind it; a broken byte counts as one character.
char32_t next_character(std::string_view text, std::size_t& i) {
  const auto lead = static_cast<unsigned char>(text[i]);
  const std::size_t length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 1;
  if (length == 1 || i + length > text.size()) {
    ++i;
    return lead < 0x80 ? lead : U'\uFFFD';
  }
  char32_t c = lead & (0xFFu >> (length + 1));
  for (std::size_t k = 1; k < length; ++k) c = (c << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3F);
  i += length;
  return c;
}

struct Range {
  char32_t first, last;
};
constexpr bool in(char32_t c, std::initializer_list<Range> ranges) {
  for (const auto& r : ranges)
    if (c >= r.first && c <= r.last) return true;
  return false;
}

// The blocks that matter on a terminal; the locale's wcwidth is not used because the C locale knows none of them.
int columns_of(char32_t c) {
  if (c < 0x300) return 1;
  if (in(c, {{0x300, 0x36F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}})) return 0;
  if (in(c, {{0x1100, 0x115F},
             {0x2E80, 0x303E},
             {0x3041, 0xA4CF},
             {0xA960, 0xA97C},
             {0xAC00, 0xD7A3},
             {0xF900, 0xFAFF},
             {0xFE30, 0xFE6F},
             {0xFF00, 0xFF60},
             {0xFFE0, 0xFFE6},
             {0x1F300, 0x1F64F},
             {0x1F680, 0x1F6FF},
             {0x1F900, 0x1F9FF},
             {0x20000, 0x3FFFD}}))
    return 2;
  return 1;
}

}  // namespace

void Output::result(std::string_view line) { write_line(stdout, std::string(line)); }

void Output::json(const nlohmann::json& value) {
  result(value.dump(2, ' ', /*ensure_ascii=*/false, nlohmann::json::error_handler_t::replace));
}

void Output::json_line(const nlohmann::json& value) {
  result(value.dump(-1, ' ', /*ensure_ascii=*/false, nlohmann::json::error_handler_t::replace));
}

void Output::say(std::string_view line) {
  if (!quiet_) write_line(stderr, printable(line));
}

void Output::warn(std::string_view sentence) { write_line(stderr, printable(fmt::format("warning: {}", sentence))); }

void Output::error(std::string_view sentence) {
  write_line(stderr, printable(fmt::format("rubato-cli: {}", sentence)));
}

Result<> Output::finish() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0 || lost_output)
    return Error{ErrorCode::CannotWrite, "standard output could not take the result (closed, or its disk is full)"};
  return {};
}

bool Output::reader_left() const { return broken_pipe; }

std::string counted(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

void Table::add(std::vector<std::string> row) {
  for (auto& cell : row) cell = printable(cell, Lines::Escape);
  rows_.push_back(std::move(row));
}

std::string Table::text() const {
  std::vector<int> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], display_width(row[c]));
  }
  std::string out;
  for (const auto& row : rows_) {
    if (!out.empty()) out += '\n';
    for (std::size_t c = 0; c < row.size(); ++c) {
      out += row[c];
      if (c + 1 < row.size()) out.append(static_cast<std::size_t>(widths[c] - display_width(row[c]) + 2), ' ');
    }
  }
  return out;
}

int display_width(std::string_view text) {
  int columns = 0;
  for (std::size_t i = 0; i < text.size();) columns += columns_of(next_character(text, i));
  return columns;
}

std::string fit_width(std::string_view text, int columns) {
  if (display_width(text) <= columns) return std::string(text);
  if (columns < 1) return {};
  std::string cut;
  int used = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto start = i;
    const int wide = columns_of(next_character(text, i));
    if (used + wide > columns - 1) break;
    used += wide;
    cut.append(text.substr(start, i - start));
  }
  return cut + "…";
}

int terminal_width(int fd, int fallback) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return fallback;
}

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

}  // namespace rubato::cli
