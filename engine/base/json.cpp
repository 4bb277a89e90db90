#include "engine/base/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "engine/base/guard.h"
#include "engine/base/text.h"

namespace rubato {
namespace {

using nlohmann::json;

// Where the lexer stands in the text, shared with the iterators that it reads through.
class Cursor {
 public:
  explicit Cursor(int first_line) : line_(first_line), token_{first_line, 1} {}
  Position at() const { return {line_, std::max(1, column_)}; }
  // Start of the last string, number, word or opening bracket. The lexer reads one character past a number; that
  // one is a space, a comma or a closing bracket and starts nothing.
  Position token() const { return token_; }

  void read(char c) {
    if (c == '\n') {
      ++line_;
      column_ = 0;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {  // count characters, not UTF-8 tails
      ++column_;
    }
    if (in_string_) {
      in_string_ = c != '"' || escaped_;
      escaped_ = c == '\\' && !escaped_;
      return;
    }
    const bool closing =
        c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',' || c == ':' || c == ']' || c == '}';
    const bool opening = c == '"' || c == '[' || c == '{';
    if (opening || (!closing && !in_word_)) token_ = at();
    in_word_ = !closing && !opening;
    in_string_ = c == '"';
  }

 private:
  int line_, column_ = 0;
  Position token_;
  bool in_string_ = false, escaped_ = false, in_word_ = false;
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
    cursor_->read(*at_);
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
  TreeBuilder(const JsonLimits& limits, const Cursor* cursor, SourceMap* where)
      : limits_(limits), cursor_(cursor), where_(where) {}

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return short_enough(value) && add(std::move(value)); }
  bool binary(binary_t&) override { return stop("binary values are not JSON", cursor_->at()); }

  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (!short_enough(name)) return false;
    if (stack_.back()->contains(name)) {
      if (limits_.duplicates == nullptr)
        return stop(fmt::format("the key '{}' stands twice", clip_utf8(name, 80)), cursor_->token());
      limits_.duplicates->push_back(name);
    }
    key_ = std::move(name);
    key_at_ = cursor_->token();
    return true;
  }
  bool parse_error(std::size_t, const std::string& token, const nlohmann::detail::exception& e) override {
    constexpr int kNumberOverflow = 406;
    if (e.id == kNumberOverflow)
      return stop(fmt::format("the number {} is too large", clip_utf8(token, 40)), cursor_->token());
    // "[json.exception…] parse error at line 1, column 2: syntax error … - detail"; ours has its own position.
    const std::string_view what = e.what();
    const auto colon = what.find(": ");
    const std::string_view why = colon == std::string_view::npos ? what : what.substr(colon + 2);
    return stop(std::string(clip_utf8(why, 300)), cursor_->at());  // it quotes what was read last, however long
  }

  json root;
  std::string problem;
  Position problem_at;

 private:
  bool stop(std::string why, Position at) {
    problem = std::move(why);
    problem_at = at;
    return false;
  }
  bool short_enough(const string_t& text) {
    return text.size() <= limits_.max_string ||
           stop(fmt::format("a string is longer than {} bytes", limits_.max_string), cursor_->token());
  }
  json* place(json value) {
    if (stack_.empty()) {
      root = std::move(value);
      note("", cursor_->token());
      return &root;
    }
    json& parent = *stack_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      if (where_ != nullptr) note(paths_.back() + '/' + std::to_string(parent.size() - 1), cursor_->token());
      return &parent.back();
    }
    if (where_ != nullptr) {
      std::string pointer = paths_.back() + '/';
      for (const char c : key_) pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
      note(std::move(pointer), key_at_);
    }
    return &(parent[key_] = std::move(value));
  }
  void note(std::string pointer, Position at) {
    if (where_ == nullptr) return;
    last_ = pointer;
    (*where_)[std::move(pointer)] = at;
  }
  bool add(json value) {
    if (!count()) return false;
    place(std::move(value));
    return true;
  }
  bool open(json empty) {
    if (static_cast<int>(stack_.size()) >= limits_.max_depth)
      return stop(fmt::format("nested deeper than {} levels", limits_.max_depth), cursor_->token());
    if (!count()) return false;
    stack_.push_back(place(std::move(empty)));
    paths_.push_back(where_ != nullptr ? last_ : std::string{});
    return true;
  }
  bool count() {
    return ++values_ <= limits_.max_values ||
           stop(fmt::format("more than {} values", limits_.max_values), cursor_->token());
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

Result<json> parse_json(std::string_view text, std::string_view source, const JsonLimits& limits, ErrorCode code,
                        SourceMap* where) {
  if (text.size() > limits.max_bytes)
    return Error{code, fmt::format("{} has {} bytes; at most {} are allowed", source, text.size(), limits.max_bytes)};
  if (!is_valid_utf8(text)) return Error{code, fmt::format("{} is not valid UTF-8 text", source)};
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return guard([&]() -> Result<json> {
    Cursor cursor(limits.first_line);
    if (where == nullptr) {  // places are counted only when someone wants to know them
      TreeBuilder builder(limits, &cursor, nullptr);
      if (json::sax_parse(text.begin(), text.end(), &builder)) return std::move(builder.root);
      if (limits.duplicates != nullptr) limits.duplicates->clear();
    }
    TreeBuilder builder(limits, &cursor, where);
    const bool fine =
        json::sax_parse(CountingIterator(text.begin(), &cursor), CountingIterator(text.end(), &cursor), &builder);
    if (!fine)
      return Error{code, fmt::format("{}, line {}, column {}: {}", source, builder.problem_at.line,
                                     builder.problem_at.column, builder.problem)};
    return std::move(builder.root);
  });
}

std::string text_member(const nlohmann::json& value, const char* name) {
  if (!value.is_object()) return {};
  const auto member = value.find(name);
  return member != value.end() && member->is_string() ? member->get<std::string>() : std::string{};
}

}  // namespace rubato
