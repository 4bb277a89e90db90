// Values of single fields: from JSON, from text, and as text. Shared by the parts of schema.h.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "pipelines/job/schema.h"

namespace rubato::detail {

using rubato::describe_default;
using rubato::describe_rule;
using rubato::placeholder;

// Sets a field that is not a policy. Returns "" or what is wrong, to stand behind the field's name:
// "is 5000; it must be 1 to 4097 (nearest: 4097)".
std::string set_scalar(const FieldRef& field, const nlohmann::json& value);
// What a text says under a rule: a number where one is wanted, true or false for a switch. What is none stays text.
nlohmann::json scalar_from_text(const Rule& rule, std::string_view text);
// set_scalar of it.
std::string set_scalar_from_text(const FieldRef& field, std::string_view text);
// The value as JSON; null when it is unset. Policies are objects.
nlohmann::json value_of(const FieldRef& field);

bool is_optional(const FieldRef& field);
PolicyRef* policy_of(const FieldRef& field);  // nullptr when it is none

// "a, b or c"
std::string one_of(const std::vector<std::string_view>& names);

template <typename... Fns>
struct Overloaded : Fns... {
  using Fns::operator()...;
};
template <typename... Fns>
Overloaded(Fns...) -> Overloaded<Fns...>;

}  // namespace rubato::detail
