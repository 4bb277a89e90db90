// Strict, bounded JSON: one reader for model configurations, job files and protocol frames.
//
// Refuses duplicate keys, more than max_depth levels, strings over max_string bytes, invalid UTF-8 and
// text over max_bytes, with line and column. Never throws.
#pragma once

#include <cstddef>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"

namespace rubato {

struct JsonLimits {
  std::size_t max_bytes = 16u << 20;
  int max_depth = 16;
  std::size_t max_string = 64u << 10;
  std::size_t max_values = 4'000'000;
  // If given, keys that stand twice in one object are listed here, the last value is kept, and reading goes on.
  std::vector<std::string>* duplicates = nullptr;
  // Number of the text's first line, for a text that was cut out of a file.
  int first_line = 1;
};

struct Position {
  int line = 0, column = 0;  // 1-based; 0 = unknown
};

// Where each value stands in its file, by JSON pointer ("/jobs/3/frames"); for objects' members the
// position of the key. Filled by the JSON and the YAML reader alike.
using SourceMap = std::map<std::string, Position>;

// Parses text; `source` names it in messages ("jobs.json"). `code` is the error code for a malformed text.
// `where`, if given, receives positions.
Result<nlohmann::json> parse_json(std::string_view text, std::string_view source, const JsonLimits& limits = {},
                                  ErrorCode code = ErrorCode::Corrupt, SourceMap* where = nullptr);

// A member that is text; "" where there is none, or `value` is no object.
std::string text_member(const nlohmann::json& value, const char* name);

}  // namespace rubato
