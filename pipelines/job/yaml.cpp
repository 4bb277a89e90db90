#include "pipelines/job/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <charconv>
#include <cmath>
#include <istream>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <streambuf>
#include <vector>

#include "engine/base/guard.h"
#include "engine/base/text.h"

namespace rubato {
namespace {

using nlohmann::json;

// Leaves the parser from within an event; carries what is wrong and where.
struct Refusal : std::runtime_error {
  Refusal(const std::string& what, Position where) : std::runtime_error(what), at(where) {}
  Position at;
};

Position position(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

bool all_digits(std::string_view text, bool (*digit)(char)) {
  if (text.empty()) return false;
  for (const char c : text)
    if (!digit(c)) return false;
  return true;
}
bool is_decimal(char c) { return c >= '0' && c <= '9'; }
bool is_octal(char c) { return c >= '0' && c <= '7'; }
bool is_hex(char c) { return is_decimal(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

template <typename Int>
std::optional<Int> parse_int(std::string_view digits, int base) {
  Int value{};
  const auto [stop, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (fault != std::errc{} || stop != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool is_core_float(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const auto exponent = text.find_first_of("eE");
  if (exponent != std::string_view::npos) {
    auto digits = text.substr(exponent + 1);
    if (digits.starts_with('-') || digits.starts_with('+')) digits.remove_prefix(1);
    if (!all_digits(digits, is_decimal)) return false;
    text = text.substr(0, exponent);
  }
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) return all_digits(text, is_decimal);
  const auto before = text.substr(0, dot), after = text.substr(dot + 1);
  if (before.empty()) return all_digits(after, is_decimal);
  return all_digits(before, is_decimal) && (after.empty() || all_digits(after, is_decimal));
}

// A plain scalar by the core schema of YAML 1.2.
json plain_scalar(const std::string& text, Position at) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;

  std::string_view digits = text;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  const bool plain = digits.size() == text.size();
  const int base = plain && digits.starts_with("0o") ? 8 : plain && digits.starts_with("0x") ? 16 : 10;
  if (base != 10) digits.remove_prefix(2);
  if (all_digits(digits, base == 8 ? is_octal : base == 16 ? is_hex : is_decimal)) {
    if (const auto value = parse_int<std::uint64_t>(digits, base); value && !negative) return *value;
    if (negative)
      if (const auto value = parse_int<std::int64_t>(text, 10)) return *value;
    if (base != 10) throw Refusal(fmt::format("the number {} is too large", clip_utf8(text, 40)), at);
  }
  if (base == 10 && is_core_float(text)) {
    std::string_view number = text;
    if (number.starts_with('+')) number.remove_prefix(1);
    double value = 0;
    const auto [stop, fault] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (fault == std::errc::result_out_of_range)
      throw Refusal(fmt::format("the number {} is too large or too small", clip_utf8(text, 40)), at);
    if (fault == std::errc{} && std::isfinite(value)) return value;
  }
  if (digits == ".inf" || digits == ".Inf" || digits == ".INF" || text == ".nan" || text == ".NaN" || text == ".NAN")
    throw Refusal(fmt::format("{} is not a number that a job can use", text), at);
  return text;
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(const JsonLimits& limits, SourceMap* where) : limits_(limits), where_(where) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refusal("aliases (*name) are not allowed", position(mark));
  }
  void OnAnchor(const YAML::Mark& mark, const std::string&) override {
    throw Refusal("anchors (&name) are not allowed", position(mark));
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { add(nullptr, position(mark)); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string& value) override {
    const Position at = position(mark);
    const bool plain = tag == "?" || tag.empty();
    if (!plain && tag != "!") refuse_tag(tag, at);  // "!" is what a quoted scalar gets
    if (value.size() > limits_.max_string)
      throw Refusal(fmt::format("a string is longer than {} bytes", limits_.max_string), at);
    if (value.find('\0') != std::string::npos) throw Refusal("a string contains a NUL character", at);
    if (!is_valid_utf8(value)) throw Refusal("a string is not valid UTF-8 text", at);
    last_quoted = plain ? std::nullopt : std::optional(at);
    if (key_wanted()) {
      take_key(value, at);
    } else {
      add(plain ? plain_scalar(value, at) : json(value), at);
    }
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(json::array(), tag, position(mark));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(json::object(), tag, position(mark));
  }
  void OnMapEnd() override { close(); }

  json root;
  std::optional<Position> last_quoted;  // where the last scalar begins, if it stands in quotes

 private:
  struct Level {
    json* container;
    std::string pointer;
    bool has_key = false;
    std::string key;
    Position key_at;
  };

  [[noreturn]] static void refuse_tag(const std::string& tag, Position at) {
    throw Refusal(fmt::format("tags ({}) are not allowed", clip_utf8(tag, 60)), at);
  }
  bool key_wanted() const {
    return !levels_.empty() && levels_.back().container->is_object() && !levels_.back().has_key;
  }
  void take_key(const std::string& name, Position at) {
    Level& level = levels_.back();
    if (level.container->contains(name))
      throw Refusal(fmt::format("the key '{}' stands twice", clip_utf8(name, 80)), at);
    level.has_key = true;
    level.key = name;
    level.key_at = at;
  }
  // Where the next value goes, noted in the source map.
  json* place(json value, Position at) {
    if (++values_ > limits_.max_values) throw Refusal(fmt::format("more than {} values", limits_.max_values), at);
    if (key_wanted()) throw Refusal("a key must be a text on one line; is a bracket left open?", at);
    if (levels_.empty()) {
      root = std::move(value);
      note("", at);
      return &root;
    }
    Level& level = levels_.back();
    if (level.container->is_array()) {
      level.container->push_back(std::move(value));
      note(level.pointer + '/' + std::to_string(level.container->size() - 1), at);
      return &level.container->back();
    }
    std::string pointer = level.pointer + '/';
    for (const char c : level.key) pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    note(std::move(pointer), level.key_at);
    level.has_key = false;
    return &((*level.container)[level.key] = std::move(value));
  }
  void note(std::string pointer, Position at) {
    last_ = std::move(pointer);
    if (where_ != nullptr) (*where_)[last_] = at;
  }
  void add(json value, Position at) { place(std::move(value), at); }
  void open(json empty, const std::string& tag, Position at) {
    if (!tag.empty() && tag != "?") refuse_tag(tag, at);
    if (static_cast<int>(levels_.size()) >= limits_.max_depth)
      throw Refusal(fmt::format("nested deeper than {} levels", limits_.max_depth), at);
    json* container = place(std::move(empty), at);
    levels_.push_back({container, last_, false, {}, {}});
  }
  void close() { levels_.pop_back(); }

  const JsonLimits& limits_;
  SourceMap* where_;
  std::vector<Level> levels_;  // open containers; a parent is not changed while its child is open, so pointers hold
  std::string last_;
  std::size_t values_ = 0;
};

// From the first character of a line on.
std::string_view from_line(std::string_view text, int number) {
  for (; number > 1; --number) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text;
}

std::string_view line_at(std::string_view text, int number) {
  text = from_line(text, number);
  return text.substr(0, text.find('\n'));
}

// Whether the quote that opens at the beginning of `text` is closed. The library takes the end of the file for one.
bool closed_quote(std::string_view text) {
  if (text.empty()) return true;
  const char quote = text.front();
  if (quote != '"' && quote != '\'') return true;
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\') {
      ++at;
    } else if (text[at] == quote) {
      if (quote == '"' || at + 1 == text.size() || text[at + 1] != quote) return true;
      ++at;  // '' is one quote within the text
    }
  }
  return false;
}

// What the library says, in words that say what to look for on that line.
std::string in_words(const std::string& fault, std::string_view line) {
  if (line.substr(0, line.find_first_not_of(" \t")).find('\t') != std::string_view::npos)
    return "the line begins with a tab; YAML takes spaces alone there";
  if (fault == "illegal map value")
    return "a ':' stands where no value can follow; look for a wrong indentation here or on the line before, or put a "
           "text that holds ': ' into quotes";
  if (fault == "illegal block entry" || fault == "illegal map key")
    return "this does not continue what stands above it; look for a wrong indentation here or on the line before";
  if (fault.find("end of sequence") != std::string::npos || fault.find("end of map") != std::string::npos)
    return "a list or an object does not end here; look for a wrong indentation, or a missing comma, bracket or quote, "
           "here or above";
  return fmt::format("{}; look for a wrong indentation, a tab, or a missing quote or bracket here or above", fault);
}

// Reads from memory without a copy.
class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // a get area is never written to
    setg(begin, begin, begin + text.size());
  }
};

}  // namespace

Result<json> parse_yaml(std::string_view text, std::string_view source, const JsonLimits& limits, ErrorCode code,
                        SourceMap* where) {
  if (text.size() > limits.max_bytes)
    return Error{code, fmt::format("{} has {} bytes; at most {} are allowed", source, text.size(), limits.max_bytes)};
  // NUL bytes would make the library take the text for UTF-16.
  if (!is_valid_utf8(text) || text.find('\0') != std::string_view::npos)
    return Error{code, fmt::format("{} is not valid UTF-8 text", source)};
  const auto refuse = [&](const std::string& what, Position at) {
    return Error{code, at.line > 0 ? fmt::format("{}, line {}, column {}: {}", source, at.line, at.column, what)
                                   : fmt::format("{}: {}", source, what)};
  };
  return guard([&]() -> Result<json> {
    try {
      ViewBuffer buffer(text);
      std::istream stream(&buffer);
      YAML::Parser parser(stream);
      TreeBuilder builder(limits, where);
      if (!parser.HandleNextDocument(builder)) return refuse("the file is empty", {});
      if (const auto at = builder.last_quoted) {
        const auto rest = from_line(text, at->line);
        if (const auto begin = static_cast<std::size_t>(at->column - 1);
            begin < rest.size() && !closed_quote(rest.substr(begin)))
          return refuse("the quote that opens here is never closed", *at);
      }
      json tree = std::move(builder.root);
      TreeBuilder second(limits, nullptr);
      if (parser.HandleNextDocument(second)) return refuse("only one document is allowed in a file", {});
      return tree;
    } catch (const Refusal& refusal) {
      return refuse(refusal.what(), refusal.at);
    } catch (const YAML::Exception& e) {
      const auto at = e.mark.is_null() ? Position{} : position(e.mark);
      return refuse(in_words(e.msg, line_at(text, at.line)), at);
    }
  });
}

namespace {

void write_block(const json& object, std::size_t indent, std::string& out) {
  for (const auto& [key, value] : object.items()) {
    out.append(indent, ' ');
    if (value.is_object() && !value.empty()) {
      out += key + ":\n";
      write_block(value, indent + 2, out);
    } else {
      // JSON texts and numbers are YAML scalars.
      out += fmt::format("{}: {}\n", key, value.dump(-1, ' ', false, json::error_handler_t::replace));
    }
  }
}

}  // namespace

std::string to_yaml(const json& object) {
  std::string out;
  write_block(object, 0, out);
  return out;
}

}  // namespace rubato
