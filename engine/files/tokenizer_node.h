// TokenizerNode: one value of a tokenizer file and where it stands, for messages that name the place. Its readers throw
// ErrorException with ModelUnfit; the file readers guard() themselves.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/guard.h"
#include "engine/files/tokenizer_spec.h"

namespace rubato {

[[noreturn]] inline void refuse_tokenizer(const std::string& source, const std::string& why) {
  throw ErrorException({ErrorCode::ModelUnfit, source + ": " + why});
}

class TokenizerNode {
 public:
  TokenizerNode(const nlohmann::json& value, std::string where, const std::string& source)
      : value_(value), where_(std::move(where)), source_(source) {}

  const nlohmann::json& raw() const { return value_; }
  [[noreturn]] void refuse(const std::string& why) const {
    refuse_tokenizer(source_, where_.empty() ? why : where_ + " " + why);
  }

  bool has(const char* key) const { return value_.is_object() && value_.contains(key) && !value_[key].is_null(); }
  TokenizerNode at(const char* key) const {
    if (!has(key)) refuse(fmt::format("has no '{}'", key));
    return {value_[key], path(key), source_};
  }
  std::vector<TokenizerNode> items(const char* key) const {
    const TokenizerNode list = at(key);
    if (!list.value_.is_array()) list.refuse("must be a list");
    std::vector<TokenizerNode> nodes;
    nodes.reserve(list.value_.size());
    for (std::size_t i = 0; i < list.value_.size(); ++i)
      nodes.emplace_back(list.value_[i], fmt::format("{}[{}]", list.where_, i), source_);
    return nodes;
  }
  std::string text(const char* key) const {
    const TokenizerNode node = at(key);
    if (!node.value_.is_string()) node.refuse("must be a string");
    return node.value_.get<std::string>();
  }
  std::string type() const { return has("type") ? text("type") : ""; }
  bool flag(const char* key, bool otherwise) const {
    if (!has(key)) return otherwise;
    const TokenizerNode node = at(key);
    if (!node.value_.is_boolean()) node.refuse("must be true or false");
    return node.value_.get<bool>();
  }
  std::int32_t id(const char* key) const {
    const TokenizerNode node = at(key);
    return node.as_id();
  }
  std::int32_t as_id() const {
    if (!value_.is_number_integer() || value_ < 0 || value_ > std::numeric_limits<std::int32_t>::max())
      refuse("must be an id, a whole number that is not negative");
    return value_.get<std::int32_t>();
  }
  [[noreturn]] void refuse_type(std::string_view what, std::string_view known) const {
    refuse(fmt::format("is a {} of type '{}', which Rubato does not know; it knows {}", what, type(), known));
  }

 private:
  std::string path(const char* key) const { return where_.empty() ? key : where_ + "." + key; }
  const nlohmann::json& value_;
  std::string where_;
  const std::string& source_;
};

// An entry of `added_tokens` or `added_tokens_decoder`.
AddedToken read_added_token(const TokenizerNode& node);

}  // namespace rubato
