#include "engine/base/json.h"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "engine/base/guard.h"
#include "engine/base/text.h"

namespace rubato {
namespace {

using nlohmann::json;

// Where the lexer stands in the text, shared with the iterators that it reads through.
struct Cursor {
  int line = 1, column = 0;
};

// Feeds the parser and counts lines and columns as it goes.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, Cursor* cursor) : at_(at), cursor_(cursor) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    if (*at_ == '\n') {
      ++cursor_->line;
      cursor_->column = 0;
    } else if ((static_cast<unsigned char>(*at_) & 0xC0) != 0x80) {  // count characters, not UTF-8 tails
      ++cursor_->column;
    }
    ++at_;
    return *this;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  Cursor* cursor_;
};

class TreeBuilder final : public nlohmann::json_sax<json> {
 public:
  TreeBuilder(const JsonLimits& limits, const Cursor* cursor, SourceMap* where) : limits_(limits), cursor_(cursor), where_(where) {}

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return short_enough(value) && add(std::move(value)); }
  bool binary(binary_t&) override { return stop("binary values are not JSON"); }

  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (!short_enough(name)) return false;
    if (stack_.back()->contains(name)) return stop(fmt::format("the key '{}' stands twice", clip_utf8(name, 80)));
    key_ = std::move(name);
    key_at_ = {cursor_->line, std::max(1, cursor_->column - static_cast<int>(key_.size()) - 1)};
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& e) override {
    // "[json.exception…] parse error at line 1, column 2: syntax error … - detail"; ours has its own position.
    const std::string_view what = e.what();
    const auto colon = what.find(": ");
    return stop(std::string(colon == std::string_view::npos ? what : what.substr(colon + 2)));
  }

  json root;
  std::string problem;
  Position problem_at;

 private:
  bool stop(std::string why) {
    problem = std::move(why);
    problem_at = {cursor_->line, std::max(1, cursor_->column)};
    return false;
  }
  bool short_enough(const string_t& text) {
    return text.size() <= limits_.max_string || stop(fmt::format("a string is longer than {} bytes", limits_.max_string));
  }
  json* place(json value) {
    if (stack_.empty()) {
      root = std::move(value);
      note("");
      return &root;
    }
    json& parent = *stack_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      note(paths_.back() + '/' + std::to_string(parent.size() - 1));
      return &parent.back();
    }
    std::string pointer = paths_.back() + '/';
    for (const char c : key_) pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    note(pointer, key_at_);
    return &(parent[key_] = std::move(value));
  }
  void note(std::string pointer, Position at = {}) {
    last_ = pointer;
    if (where_ == nullptr) return;
    if (at.line == 0) at = {cursor_->line, std::max(1, cursor_->column)};
    (*where_)[std::move(pointer)] = at;
  }
  bool add(json value) {
    if (++values_ > limits_.max_values) return stop(fmt::format("more than {} values", limits_.max_values));
    place(std::move(value));
    return true;
  }
  bool open(json empty) {
    if (static_cast<int>(stack_.size()) >= limits_.max_depth) return stop(fmt::format("nested deeper than {} levels", limits_.max_depth));
    if (++values_ > limits_.max_values) return stop(fmt::format("more than {} values", limits_.max_values));
    stack_.push_back(place(std::move(empty)));
    paths_.push_back(where_ != nullptr ? last_ : std::string{});
    return true;
  }
  bool close() {
    stack_.pop_back();
    paths_.pop_back();
    return true;
  }

  const JsonLimits& limits_;
  const Cursor* cursor_;
  SourceMap* where_;
  std::vector<json*> stack_;  // open containers; a parent is not changed while its child is open, so pointers hold
  std::vector<std::string> paths_;
  std::string key_, last_;
  Position key_at_;
  std::size_t values_ = 0;
};

}  // namespace

Result<json> parse_json(std::string_view text, std::string_view source, const JsonLimits& limits, ErrorCode code, SourceMap* where) {
  if (text.size() > limits.max_bytes)
    return Error{code, fmt::format("{} has {} bytes; at most {} are allowed", source, text.size(), limits.max_bytes)};
  if (!is_valid_utf8(text)) return Error{code, fmt::format("{} is not valid UTF-8 text", source)};
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Cursor cursor;
  TreeBuilder builder(limits, &cursor, where);
  return guard([&]() -> Result<json> {
    const bool fine = json::sax_parse(CountingIterator(text.data(), &cursor), CountingIterator(text.data() + text.size(), &cursor), &builder);
    if (!fine)
      return Error{code, fmt::format("{}, line {}, column {}: {}", source, builder.problem_at.line, builder.problem_at.column, builder.problem)};
    return std::move(builder.root);
  });
}

}  // namespace rubato
