#include "pipelines/job/field_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "engine/base/check.h"
#include "engine/base/text.h"

namespace rubato::detail {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxPathBytes = 4096;

std::vector<std::string> strings(const std::vector<std::string_view>& names) { return {names.begin(), names.end()}; }

// Puts a value of the right type into the member behind a field.
template <typename T>
void assign(const FieldRef& field, T value) {
  const bool fits = std::visit(
      [&](const auto& target) {
        using Target = std::decay_t<decltype(target)>;
        if constexpr (std::is_same_v<Target, T*> || std::is_same_v<Target, std::optional<T>*>) {
          *target = std::move(value);
          return true;
        }
        return false;
      },
      field.value);
  RUBATO_CHECK(fits, "field ", std::string(field.name), " has another type than its rule says");
}

// How a value that is wrong is shown in a message.
std::string shown(const json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  const std::string text =
      value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, json::error_handler_t::replace);
  std::string clipped(clip_utf8(text, 60));
  if (clipped.size() < text.size()) clipped += "…";
  return value.is_string() ? '\'' + clipped + '\'' : clipped;
}

template <typename Number>
std::string outside(const json& value, const std::string& range, Number nearest) {
  return fmt::format("is {}; it must be {} (nearest: {})", shown(value), range, nearest);
}

// JSON has one kind of number; 16.0 is a whole one.
std::optional<double> whole(const json& value) {
  if (!value.is_number()) return std::nullopt;
  const double number = value.get<double>();
  return std::isfinite(number) && std::trunc(number) == number ? std::optional(number) : std::nullopt;
}

std::string set_text(const FieldRef& field, const json& value, std::size_t max_bytes) {
  if (!value.is_string()) return fmt::format("is {}; it must be text, in quotes", shown(value));
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() > max_bytes) return fmt::format("has {} bytes; at most {} are allowed", text.size(), max_bytes);
  if (text.find('\0') != std::string::npos) return "contains a NUL character";
  if (!is_valid_utf8(text)) return "is not valid UTF-8 text";
  assign(field, text);
  return {};
}

// A name that we make must be one that can be shown, typed and listed again.
std::string set_path(const FieldRef& field, const json& value, const PathText& rule) {
  if (rule.role == PathRole::Output && value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (is_valid_utf8(text) && !is_printable_name(text)) {
      std::string clean = printable(text, Lines::Escape);
      return fmt::format("is '{}'; a file name may not hold control characters", clip_utf8(clean, 200));
    }
  }
  return set_text(field, value, kMaxPathBytes);
}

std::string set_id(const FieldRef& field, const json& value) {
  if (const auto problem = set_text(field, value, 64); !problem.empty()) return problem;
  const auto fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  const auto& text = value.get_ref<const std::string&>();
  if (!std::all_of(text.begin(), text.end(), fine))
    return fmt::format("is {}; it may hold only letters, digits, '.', '_' and '-'", shown(value));
  return {};
}

std::string set_choice(const FieldRef& field, const json& value, const Choice& rule) {
  if (!value.is_string() ||
      std::find(rule.names.begin(), rule.names.end(), value.get_ref<const std::string&>()) == rule.names.end()) {
    const std::string hint = value.is_string() ? did_you_mean(value.get<std::string>(), strings(rule.names)) : "";
    return fmt::format("is {}; it must be {}{}", shown(value), one_of(rule.names), hint);
  }
  assign(field, value.get<std::string>());
  return {};
}

bool is_device(std::string_view text) {
  if (text == "auto" || text == "cpu" || text == "cuda") return true;
  if (!text.starts_with("cuda:")) return false;
  text.remove_prefix(5);
  return !text.empty() && text.size() <= 3 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string set_device(const FieldRef& field, const json& value) {
  if (!value.is_string() || !is_device(value.get_ref<const std::string&>()))
    return fmt::format("is {}; it must be auto, cpu, cuda or cuda:N, as in cuda:0", shown(value));
  assign(field, value.get<std::string>());
  return {};
}

std::string set_size(const FieldRef& field, const json& value, const SizeSpec& rule) {
  const auto wrong = [&] { return fmt::format("is {}; it must be WIDTHxHEIGHT, like 832x480", shown(value)); };
  if (!value.is_string()) return wrong();
  const std::string_view text = value.get_ref<const std::string&>();
  const auto cross = text.find_first_of("xX");
  if (cross == std::string_view::npos) return wrong();
  Size size;
  const auto side = [](std::string_view digits, int& out) {
    const char* const begin = digits.data();
    const char* const end = begin + digits.size();
    const auto [stop, fault] = std::from_chars(begin, end, out);
    if (fault == std::errc::result_out_of_range && stop == end) out = digits.front() == '-' ? -1 : 1'000'000'000;
    return stop == end && fault != std::errc::invalid_argument;
  };
  if (!side(text.substr(0, cross), size.width) || !side(text.substr(cross + 1), size.height)) return wrong();
  const Size nearest{std::clamp(size.width, rule.min, rule.max), std::clamp(size.height, rule.min, rule.max)};
  if (nearest != size)
    return outside(value, fmt::format("{} to {} pixels a side", rule.min, rule.max),
                   fmt::format("{}x{}", nearest.width, nearest.height));
  assign(field, size);
  return {};
}

std::string set_seed(const FieldRef& field, const json& value) {
  if (value.is_number_unsigned()) {
    assign(field, value.get<std::uint64_t>());
    return {};
  }
  const auto number = whole(value);
  if (number && *number >= 0 && *number <= 9007199254740992.0) {  // above 2^53 a float no longer says which seed
    assign(field, static_cast<std::uint64_t>(*number));
    return {};
  }
  const bool several = value.is_string() && value.get_ref<const std::string&>().find("..") != std::string::npos;
  return fmt::format("is {}; it must be a whole number from 0 to 18446744073709551615{}", shown(value),
                     several                 ? "; for several seeds a job file takes 'seeds'"
                     : number && *number < 0 ? " (nearest: 0)"
                                             : "");
}

std::string set_bytes(const FieldRef& field, const json& value) {
  const auto number = whole(value);
  const auto bytes = value.is_string()        ? parse_bytes(value.get_ref<const std::string&>())
                     : number && *number >= 0 ? parse_bytes(fmt::format("{:.0f}", *number))
                                              : std::nullopt;
  if (!bytes) return fmt::format("is {}; it must be an amount of memory, like 1.5GiB or 800MB", shown(value));
  assign(field, *bytes);
  return {};
}

std::string set_int(const FieldRef& field, const json& value, const IntRange& rule) {
  const auto number = whole(value);
  if (!number) return fmt::format("is {}; it must be a whole number, {} to {}", shown(value), rule.min, rule.max);
  const auto lo = static_cast<double>(rule.min), hi = static_cast<double>(rule.max);
  if (*number < lo || *number > hi)
    return outside(value, fmt::format("{} to {}", rule.min, rule.max), *number < lo ? rule.min : rule.max);
  assign(field, static_cast<int>(*number));
  return {};
}

std::string set_real(const FieldRef& field, const json& value, const RealRange& rule) {
  if (!value.is_number() || !std::isfinite(value.get<double>()))
    return fmt::format("is {}; it must be a number, {} to {}", shown(value), rule.min, rule.max);
  const double number = value.get<double>();
  if (number < rule.min || number > rule.max)
    return outside(value, fmt::format("{} to {}", rule.min, rule.max), std::clamp(number, rule.min, rule.max));
  assign(field, number);
  return {};
}

std::string set_switch(const FieldRef& field, const json& value) {
  if (!value.is_boolean()) return fmt::format("is {}; it must be true or false", shown(value));
  assign(field, value.get<bool>());
  return {};
}

// Reads all of text as a number; what is none stays text, and the rule says so.
template <typename Number>
json number_or_text(std::string_view text) {
  Number number{};
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault == std::errc{} && stop == text.data() + text.size()) return number;
  return std::string(text);
}

}  // namespace

std::string set_scalar(const FieldRef& field, const json& value) {
  return std::visit(Overloaded{
                        [&](const Text& rule) { return set_text(field, value, rule.max_bytes); },
                        [&](const IdText&) { return set_id(field, value); },
                        [&](const PathText& rule) { return set_path(field, value, rule); },
                        [&](const ModelText&) { return set_text(field, value, kMaxPathBytes); },
                        [&](const IntRange& rule) { return set_int(field, value, rule); },
                        [&](const RealRange& rule) { return set_real(field, value, rule); },
                        [&](const Choice& rule) { return set_choice(field, value, rule); },
                        [&](const SizeSpec& rule) { return set_size(field, value, rule); },
                        [&](const SeedSpec&) { return set_seed(field, value); },
                        [&](const BytesSpec&) { return set_bytes(field, value); },
                        [&](const DeviceText&) { return set_device(field, value); },
                        [&](const Switch&) { return set_switch(field, value); },
                        [&](const Method&) -> std::string {
                          RUBATO_CHECK(false, "a policy is not a scalar");
                          return {};
                        },
                    },
                    field.rule);
}

json scalar_from_text(const Rule& rule, std::string_view text) {
  return std::visit(Overloaded{
                        [&](const IntRange&) {
                          const json number = number_or_text<std::int64_t>(text);
                          return number.is_number() ? number : number_or_text<double>(text);
                        },
                        [&](const RealRange&) { return number_or_text<double>(text); },
                        [&](const SeedSpec&) {
                          const json number = number_or_text<std::uint64_t>(text);
                          return number.is_number() ? number : number_or_text<std::int64_t>(text);
                        },
                        [&](const Switch&) -> json {
                          if (text == "true" || text == "yes" || text == "on" || text == "1") return true;
                          if (text == "false" || text == "no" || text == "off" || text == "0") return false;
                          return std::string(text);
                        },
                        [&](const auto&) -> json { return std::string(text); },
                    },
                    rule);
}

std::string set_scalar_from_text(const FieldRef& field, std::string_view text) {
  return set_scalar(field, scalar_from_text(field.rule, text));
}

json value_of(const FieldRef& field) {
  const auto plain = Overloaded{
      [](const Size& size) -> json { return fmt::format("{}x{}", size.width, size.height); },
      [](const auto& value) -> json { return value; },
  };
  return std::visit(Overloaded{
                        [](const std::shared_ptr<PolicyRef>& policy) -> json {
                          json object = {{"method", policy->methods()[policy->chosen()]}};
                          for (const auto& knob : policy->knobs())
                            if (auto value = value_of(knob); !value.is_null())
                              object[std::string(knob.name)] = std::move(value);
                          return object;
                        },
                        [](const std::string* text) -> json { return text->empty() ? json(nullptr) : json(*text); },
                        [&](const auto* target) -> json {
                          if constexpr (requires { target->has_value(); }) {
                            return target->has_value() ? plain(**target) : json(nullptr);
                          } else {
                            return plain(*target);
                          }
                        },
                    },
                    field.value);
}

bool is_optional(const FieldRef& field) {
  return std::visit([](const auto& target) { return requires { target->has_value(); }; }, field.value);
}

PolicyRef* policy_of(const FieldRef& field) {
  const auto* policy = std::get_if<std::shared_ptr<PolicyRef>>(&field.value);
  return policy != nullptr ? policy->get() : nullptr;
}

std::string one_of(const std::vector<std::string_view>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i)
    text.append(i == 0 ? "" : i + 1 == names.size() ? " or " : ", ").append(names[i]);
  return text;
}

}  // namespace rubato::detail

namespace rubato {

std::string describe_rule(const FieldRef& field) {
  return std::visit(detail::Overloaded{
                        [](const IntRange& rule) { return fmt::format("{} to {}", rule.min, rule.max); },
                        [](const RealRange& rule) { return fmt::format("{} to {}", rule.min, rule.max); },
                        [](const Choice& rule) { return detail::one_of(rule.names); },
                        [](const SizeSpec& rule) { return fmt::format("{} to {} a side", rule.min, rule.max); },
                        [](const SeedSpec&) { return std::string("0 or more"); },
                        [](const BytesSpec&) { return std::string("like 1.5GiB or 800MB"); },
                        [](const DeviceText&) { return std::string("auto, cpu, cuda or cuda:N"); },
                        [&](const Method&) { return detail::one_of(detail::policy_of(field)->methods()); },
                        [](const auto&) { return std::string(); },
                    },
                    field.rule);
}

std::string_view placeholder(const Rule& rule) {
  using View = std::string_view;
  return std::visit(detail::Overloaded{
                        [](const Text&) -> View { return "TEXT"; },
                        [](const IdText&) -> View { return "ID"; },
                        [](const IntRange&) -> View { return "N"; },
                        [](const RealRange&) -> View { return "X"; },
                        [](const Choice&) -> View { return "NAME"; },
                        [](const PathText&) -> View { return "FILE"; },
                        [](const ModelText&) -> View { return "MODEL"; },
                        [](const SizeSpec&) -> View { return "WxH"; },
                        [](const SeedSpec&) -> View { return "N"; },
                        [](const BytesSpec&) -> View { return "BYTES"; },
                        [](const DeviceText&) -> View { return "DEVICE"; },
                        [](const Switch&) -> View { return ""; },
                        [](const Method&) -> View { return "METHOD[:KEY=VALUE,…]"; },
                    },
                    rule);
}

std::string describe_default(const FieldRef& field) {
  if (!field.options.unset.empty()) return std::string(field.options.unset);
  if (const auto* policy = detail::policy_of(field)) return std::string(policy->methods()[policy->chosen()]);
  if (std::holds_alternative<Switch>(field.rule)) return *std::get<bool*>(field.value) ? "on" : "off";
  const nlohmann::json value = detail::value_of(field);
  if (value.is_null()) return detail::is_optional(field) ? "the model's" : "";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace rubato
