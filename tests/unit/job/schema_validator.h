// A checker for the part of JSON Schema that our schemas use, so that tests can hold real output against them.
// An unknown keyword is a failure: the schema would say something that nobody checks.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace rubato::test {

// "" or what does not fit, with its JSON pointer.
std::string schema_fault(const nlohmann::json& schema, const nlohmann::json& value);

}  // namespace rubato::test
