// Strict, bounded YAML, read into JSON: mappings with unique text keys, sequences, and the scalars of the YAML 1.2 core
// schema (so `no` and `on` are texts). Anchors, aliases, tags and a second document are refused.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "engine/base/error.h"
#include "engine/base/json.h"

namespace rubato {

// As parse_json: `source` names the text in messages, `where` receives positions. Never throws.
Result<nlohmann::json> parse_yaml(std::string_view text, std::string_view source, const JsonLimits& limits = {},
                                  ErrorCode code = ErrorCode::Corrupt, SourceMap* where = nullptr);

// An object as a block mapping, one key a line, that parse_yaml reads as the same value; nested objects are indented.
std::string to_yaml(const nlohmann::json& object);

}  // namespace rubato
