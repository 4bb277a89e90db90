#include "tests/unit/job/schema_validator.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <regex>
#include <set>

namespace rubato::test {
namespace {

using nlohmann::json;

bool has_type(const json& value, const json& types) {
  if (types.is_array())
    return std::any_of(types.begin(), types.end(), [&](const json& type) { return has_type(value, type); });
  const std::string type = types;
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "number") return value.is_number();
  if (type == "integer") return value.is_number() && std::trunc(value.get<double>()) == value.get<double>();
  return false;
}

std::string check(const json& root, const json& schema, const json& value, const std::string& at) {
  const std::set<std::string> known{"$schema",     "$id",
                                    "$defs",       "title",
                                    "description", "default",
                                    "$ref",        "type",
                                    "const",       "enum",
                                    "oneOf",       "properties",
                                    "required",    "additionalProperties",
                                    "items",       "minimum",
                                    "maximum",     "maxLength",
                                    "pattern",     "minItems",
                                    "maxItems",    "patternProperties"};
  for (const auto& [keyword, rule] : schema.items())
    if (!known.contains(keyword)) return at + ": the schema uses '" + keyword + "'";
  if (schema.contains("$ref")) {
    const std::string ref = schema["$ref"];
    return check(root, root.at(json::json_pointer(ref.substr(1))), value, at);
  }
  if (schema.contains("type") && !has_type(value, schema["type"]))
    return at + ": " + value.dump() + " is no " + schema["type"].dump();
  if (schema.contains("const") && schema["const"] != value)
    return at + ": " + value.dump() + " is not " + schema["const"].dump();
  if (schema.contains("enum") && std::find(schema["enum"].begin(), schema["enum"].end(), value) == schema["enum"].end())
    return at + ": " + value.dump() + " is not in the list";
  if (schema.contains("minimum") && value.is_number() && value.get<double>() < schema["minimum"].get<double>())
    return at + ": too small";
  if (schema.contains("maximum") && value.is_number() && value.get<double>() > schema["maximum"].get<double>())
    return at + ": too large";
  if (schema.contains("maxLength") && value.is_string() &&
      value.get<std::string>().size() > schema["maxLength"].get<std::size_t>())
    return at + ": too long";
  if (schema.contains("pattern") && value.is_string() &&
      !std::regex_search(value.get<std::string>(), std::regex(schema["pattern"].get<std::string>())))
    return at + ": " + value.dump() + " does not match " + schema["pattern"].dump();
  if (schema.contains("oneOf")) {
    int fitting = 0;
    std::string faults;
    for (const auto& alternative : schema["oneOf"]) {
      const auto fault = check(root, alternative, value, at);
      if (fault.empty())
        ++fitting;
      else
        faults += "\n  " + fault;
    }
    if (fitting != 1) return at + ": " + std::to_string(fitting) + " alternatives fit" + faults;
  }
  if (value.is_object()) {
    for (const auto& name : schema.value("required", json::array()))
      if (!value.contains(name.get<std::string>())) return at + ": '" + name.get<std::string>() + "' is missing";
    const json properties = schema.value("properties", json::object());
    const json patterns = schema.value("patternProperties", json::object());
    for (const auto& [key, member] : value.items()) {
      if (properties.contains(key)) {
        if (auto fault = check(root, properties[key], member, at + '/' + key); !fault.empty()) return fault;
        continue;
      }
      bool matched = false;
      for (const auto& [pattern, rule] : patterns.items()) {
        if (!std::regex_search(key, std::regex(pattern))) continue;
        matched = true;
        if (auto fault = check(root, rule, member, at + '/' + key); !fault.empty()) return fault;
      }
      if (matched || !schema.contains("additionalProperties")) continue;
      const json& others = schema["additionalProperties"];
      if (others == false) return at + ": '" + key + "' is not allowed";
      if (others.is_object())
        if (auto fault = check(root, others, member, at + '/' + key); !fault.empty()) return fault;
    }
  }
  if (value.is_array() &&
      (value.size() < schema.value("minItems", std::size_t{0}) || value.size() > schema.value("maxItems", SIZE_MAX)))
    return at + ": has " + std::to_string(value.size()) + " items";
  if (value.is_array() && schema.contains("items"))
    for (std::size_t i = 0; i < value.size(); ++i)
      if (auto fault = check(root, schema["items"], value[i], at + '/' + std::to_string(i)); !fault.empty())
        return fault;
  return {};
}

}  // namespace

std::string schema_fault(const json& schema, const json& value) { return check(schema, schema, value, ""); }

}  // namespace rubato::test
