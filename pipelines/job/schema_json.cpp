// The reader, the writer and the JSON Schema.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "pipelines/job/field_value.h"
#include "pipelines/job/schema.h"

namespace rubato {
namespace {

using nlohmann::json;

constexpr std::size_t kMostProblems = 20;

std::string pointer_to(const std::string& parent, std::string_view key) {
  std::string pointer = parent + '/';
  for (const char c : key) pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return pointer;
}

const FieldRef* find(const Fields& fields, std::string_view name) {
  const auto at = std::find_if(fields.begin(), fields.end(), [&](const FieldRef& field) { return field.name == name; });
  return at == fields.end() ? nullptr : &*at;
}

void read_members(const Fields& fields, const json& object, const std::string& parent,
                  const std::vector<std::string_view>& reserved, Problems& problems);

void read_policy(const FieldRef& field, const json& value, const std::string& pointer, Problems& problems) {
  PolicyRef& policy = *detail::policy_of(field);
  const auto methods = policy.methods();
  if (!value.is_object() || !value.contains("method") || !value["method"].is_string()) {
    problems.add(pointer, fmt::format("{} must be an object with a method, like {{\"method\": \"{}\"}}", field.name,
                                      methods.front()));
    return;
  }
  const auto& method = value["method"].get_ref<const std::string&>();
  const auto at = std::find(methods.begin(), methods.end(), method);
  if (at == methods.end()) {
    const std::vector<std::string> names(methods.begin(), methods.end());
    problems.add(pointer + "/method",
                 fmt::format("{} has no method '{}'; there is {}{}", field.name, clip_utf8(method, 60),
                             detail::one_of(methods), did_you_mean(method, names)));
    return;
  }
  policy.choose(static_cast<std::size_t>(at - methods.begin()));
  read_members(policy.knobs(), value, pointer, {"method"}, problems);
}

void read_members(const Fields& fields, const json& object, const std::string& parent,
                  const std::vector<std::string_view>& reserved, Problems& problems) {
  std::vector<std::string> known(reserved.begin(), reserved.end());
  for (const auto& field : fields) known.emplace_back(field.name);
  for (const auto& [key, value] : object.items()) {
    if (std::find(reserved.begin(), reserved.end(), key) != reserved.end()) continue;
    const std::string pointer = pointer_to(parent, key);
    const FieldRef* field = find(fields, key);
    if (field == nullptr) {
      problems.add(pointer, fmt::format("unknown key '{}'{}", clip_utf8(key, 80), did_you_mean(key, known)));
    } else if (value.is_null()) {
      continue;
    } else if (detail::policy_of(*field) != nullptr) {
      read_policy(*field, value, pointer, problems);
    } else if (const auto problem = detail::set_scalar(*field, value); !problem.empty()) {
      problems.add(pointer, fmt::format("{} {}", key, problem));
    }
  }
}

json rule_schema(const FieldRef& field) {
  using detail::Overloaded;
  const auto text = [](std::size_t max) { return json{{"type", "string"}, {"maxLength", max}}; };
  return std::visit(
      Overloaded{
          [&](const Text& rule) { return text(rule.max_bytes); },
          [](const IdText&) { return json{{"type", "string"}, {"pattern", "^[A-Za-z0-9._-]{0,64}$"}}; },
          [](const IntRange& rule) { return json{{"type", "integer"}, {"minimum", rule.min}, {"maximum", rule.max}}; },
          [](const RealRange& rule) { return json{{"type", "number"}, {"minimum", rule.min}, {"maximum", rule.max}}; },
          [](const Choice& rule) { return json{{"enum", rule.names}}; },
          [&](const PathText&) { return text(4096); },
          [&](const ModelText&) { return text(4096); },
          [](const SizeSpec&) { return json{{"type", "string"}, {"pattern", "^[0-9]+[xX][0-9]+$"}}; },
          [](const SeedSpec&) { return json{{"type", "integer"}, {"minimum", 0}, {"maximum", UINT64_MAX}}; },
          [](const BytesSpec&) {
            return json{{"oneOf",
                         {{{"type", "integer"}, {"minimum", 0}},
                          {{"type", "string"}, {"pattern", "^ *[0-9]+([.][0-9]+)? *([kKmMgGtT][iI]?)?[bB]? *$"}}}}};
          },
          [](const DeviceText&) { return json{{"type", "string"}, {"pattern", "^(auto|cpu|cuda(:[0-9]{1,3})?)$"}}; },
          [](const Switch&) { return json{{"type", "boolean"}}; },
          [](const Method&) { return json::object(); },
      },
      field.rule);
}

json properties(const Fields& fields);

json object_schema(json members, json required) {
  json schema = {{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(members)}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

json policy_schema(PolicyRef& policy) {
  json alternatives = json::array();
  const auto methods = policy.methods();
  for (std::size_t i = 0; i < methods.size(); ++i) {
    policy.choose(i);
    json members = properties(policy.knobs());
    members["method"] = {{"const", methods[i]}};
    alternatives.push_back(object_schema(std::move(members), {"method"}));
  }
  policy.choose(0);
  return {{"oneOf", std::move(alternatives)}};
}

json properties(const Fields& fields) {
  json members = json::object();
  for (const auto& field : fields) {
    PolicyRef* policy = detail::policy_of(field);
    json schema = policy != nullptr ? policy_schema(*policy) : rule_schema(field);
    schema["description"] = field.help;
    if (json value = detail::value_of(field); !value.is_null()) schema["default"] = std::move(value);
    members[std::string(field.name)] = std::move(schema);
  }
  return members;
}

// Copies an optional; other fields are left alone.
void copy_if_unset(const FieldRef& to, const FieldRef& from) {
  std::visit(
      [&](const auto& target) {
        using Target = std::decay_t<decltype(target)>;
        if constexpr (requires { target->has_value(); }) {
          const auto* source = std::get_if<Target>(&from.value);
          RUBATO_CHECK(source != nullptr, "fields of two types of job");
          if (!target->has_value()) *target = **source;
        }
      },
      to.value);
}

}  // namespace

Result<> Problems::result(std::string_view source, const SourceMap* where, ErrorCode code) const {
  if (list_.empty()) return {};
  struct Line {
    Position at;
    std::string text;
  };
  std::vector<Line> lines;
  std::unordered_set<std::string> seen;  // what is wrong in a part that many jobs share is said once
  for (const auto& [pointer, message] : list_) {
    Position at;
    if (where != nullptr)
      if (const auto found = where->find(pointer); found != where->end()) at = found->second;
    std::string place(source);
    if (at.line > 0) place += fmt::format("{}line {}, column {}", place.empty() ? "" : ", ", at.line, at.column);
    std::string text = place.empty() ? message : fmt::format("{}: {}", place, message);
    if (seen.insert(text).second) lines.push_back({at, std::move(text)});
  }
  std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
    return std::pair(a.at.line, a.at.column) < std::pair(b.at.line, b.at.column);
  });
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < std::min(lines.size(), kMostProblems); ++i) texts.push_back(std::move(lines[i].text));
  if (lines.size() > kMostProblems) texts.push_back(fmt::format("and {} more problems", lines.size() - kMostProblems));
  return Error{code, join(texts, "\n")};
}

void read_fields(const Fields& fields, std::string_view kind, const json& object, Problems& problems,
                 const std::string& pointer) {
  if (!object.is_object()) {
    problems.add(pointer, "a job must be an object with keys and values");
    return;
  }
  if (kind.empty()) {
    read_members(fields, object, pointer, {}, problems);
    return;
  }
  if (const auto version = object.find("version"); version != object.end() && *version != kJobVersion)
    problems.add(pointer + "/version",
                 fmt::format("the version is {}; this Rubato reads version {}",
                             version->dump(-1, ' ', false, json::error_handler_t::replace), kJobVersion));
  if (const auto given = object.find("kind"); given != object.end() && *given != json(kind))
    problems.add(pointer + "/kind", fmt::format("the kind is {}; here it must be '{}'",
                                                given->dump(-1, ' ', false, json::error_handler_t::replace), kind));
  read_members(fields, object, pointer, {"version", "kind"}, problems);
}

json write_fields(const Fields& fields, std::string_view kind, Write which) {
  json object = json::object();
  if (!kind.empty()) object = {{"version", kJobVersion}, {"kind", kind}};
  for (const auto& field : fields) {
    if (which == Write::Identity && !field.options.identity) continue;
    if (json value = detail::value_of(field); !value.is_null()) object[std::string(field.name)] = std::move(value);
  }
  return object;
}

void fill_unset_fields(const Fields& to, const Fields& from) {
  RUBATO_CHECK(to.size() == from.size(), "fields of two types of job");
  for (std::size_t i = 0; i < to.size(); ++i) copy_if_unset(to[i], from[i]);
}

void anchor_inputs(const Fields& fields, const std::string& folder) {
  for (const auto& field : fields) {
    if (auto* policy = detail::policy_of(field)) {
      anchor_inputs(policy->knobs(), folder);
      continue;
    }
    auto* const* text = std::get_if<std::string*>(&field.value);
    if (text == nullptr || (*text)->empty()) continue;
    const auto* path = std::get_if<PathText>(&field.rule);
    const bool input = path != nullptr && path->role == PathRole::Input;
    const bool model =
        std::holds_alternative<ModelText>(field.rule) && ((*text)->starts_with("./") || (*text)->starts_with("../"));
    if ((input || model) && std::filesystem::path(**text).is_relative())
      **text = (std::filesystem::path(folder) / **text).lexically_normal().string();
  }
}

json json_schema(const Fields& fields, std::string_view kind) {
  json members = properties(fields);
  members["version"] = {{"const", kJobVersion}};
  members["kind"] = {{"const", kind}};
  json schema = object_schema(std::move(members), json::array());
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = fmt::format("Rubato job of kind '{}'", kind);
  return schema;
}

}  // namespace rubato
