// Command-line flags and their help.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/base/text.h"
#include "pipelines/job/field_value.h"
#include "pipelines/job/schema.h"

namespace rubato {
namespace {

// A flag as it stands on the command line, split from its value.
struct FlagUse {
  const FieldRef* field = nullptr;
  std::string_view label;                 // as the user wrote it
  std::optional<std::string_view> value;  // behind '=' or, for a letter, directly behind it
  bool negated = false;                   // --no-switch
};

std::optional<FlagUse> recognise(const Fields& fields, std::string_view arg) {
  if (arg.starts_with("--")) {
    const auto equals = arg.find('=');
    FlagUse use{.label = arg.substr(0, equals)};
    if (equals != std::string_view::npos) use.value = arg.substr(equals + 1);
    for (const auto& field : fields) {
      const std::string flag = flag_of(field.name);
      use.negated = std::holds_alternative<Switch>(field.rule) && use.label == "--no-" + flag.substr(2);
      if (use.label != flag && !use.negated) continue;
      use.field = &field;
      return use;
    }
    return std::nullopt;
  }
  if (arg.size() < 2 || arg[0] != '-') return std::nullopt;
  for (const auto& field : fields) {
    if (field.options.letter == 0 || field.options.letter != arg[1]) continue;
    FlagUse use{.field = &field, .label = arg.substr(0, 2)};
    if (arg.size() > 2) use.value = arg.substr(arg[2] == '=' ? 3 : 2);
    return use;
  }
  return std::nullopt;
}

// What the bare flag means; nullopt when it needs a value.
std::optional<std::string_view> implied(const FlagUse& use) {
  if (std::holds_alternative<Switch>(use.field->rule)) return use.negated ? "false" : "true";
  if (const auto* choice = std::get_if<Choice>(&use.field->rule); choice != nullptr && !choice->implied.empty())
    return choice->implied;
  return std::nullopt;
}

Result<> set_policy_from_text(const FieldRef& field, std::string_view text, std::string_view label) {
  PolicyRef& policy = *detail::policy_of(field);
  const auto methods = policy.methods();
  const auto colon = text.find(':');
  const auto method = text.substr(0, colon);
  const auto at = std::find(methods.begin(), methods.end(), method);
  if (at == methods.end()) {
    const std::vector<std::string> names(methods.begin(), methods.end());
    return Error{ErrorCode::Usage, fmt::format("{} has no method '{}'; there is {}{}", label, clip_utf8(method, 60),
                                               detail::one_of(methods), did_you_mean(method, names))};
  }
  policy.choose(static_cast<std::size_t>(at - methods.begin()));
  if (colon == std::string_view::npos) return {};
  const Fields knobs = policy.knobs();
  for (const auto& part : split(text.substr(colon + 1), ',')) {
    const auto equals = part.find('=');
    const auto key = std::string_view(part).substr(0, equals);
    const auto knob = std::find_if(knobs.begin(), knobs.end(), [&](const FieldRef& k) { return k.name == key; });
    if (knob == knobs.end()) {
      std::vector<std::string> names;
      for (const auto& k : knobs) names.emplace_back(k.name);
      return Error{ErrorCode::Usage, fmt::format("{} {} has no knob '{}'{}", label, method, clip_utf8(key, 60),
                                                 did_you_mean(key, names))};
    }
    if (equals == std::string::npos)
      return Error{ErrorCode::Usage, fmt::format("{} {}: '{}' needs a value, {}=…", label, method, key, key)};
    RUBATO_OK(
        set_from_text(*knob, std::string_view(part).substr(equals + 1), fmt::format("{} {}: {}", label, method, key)));
  }
  return {};
}

// ---- Help ----------------------------------------------------------------------------------------------------

std::string_view title(Group group) {
  switch (group) {
    case Group::Common:
      return "Job";
    case Group::Generation:
      return "Generation";
    case Group::Inspection:
      return "Inspection";
  }
  return "";
}

// Columns that UTF-8 text takes on a terminal (our help has no wide characters).
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string left_side(const FieldRef& field) {
  std::string text = field.options.letter != 0 ? fmt::format("  -{}, ", field.options.letter) : "      ";
  text += flag_of(field.name);
  if (std::holds_alternative<Switch>(field.rule) && *std::get<bool*>(field.value))
    text.insert(text.find("--") + 2, "[no-]");
  const auto* choice = std::get_if<Choice>(&field.rule);
  if (choice != nullptr && !choice->implied.empty()) return text + "[=NAME]";
  const auto value = placeholder(field.rule);
  return value.empty() ? text : fmt::format("{} {}", text, value);
}

std::string right_side(const FieldRef& field) {
  std::vector<std::string> notes;
  if (auto rule = describe_rule(field); !rule.empty()) notes.push_back(std::move(rule));
  if (const auto value = describe_default(field); !value.empty()) notes.push_back("default: " + value);
  return notes.empty() ? std::string(field.help) : fmt::format("{} ({})", field.help, join(notes, "; "));
}

// Words in lines of at most `columns`, every line after the first indented.
std::string wrap(std::string_view text, std::size_t indent, std::size_t columns) {
  std::string out;
  std::size_t used = indent;
  for (const auto& word : split(text, ' ')) {
    const bool first = used == indent;
    if (!first && used + 1 + width(word) > columns) {
      out += '\n' + std::string(indent, ' ');
      used = indent;
    } else if (!first) {
      out += ' ';
      ++used;
    }
    out += word;
    used += width(word);
  }
  return out;
}

bool worth_showing(const FieldRef& field) {
  const auto* policy = detail::policy_of(field);
  return policy == nullptr || policy->methods().size() > 1;
}

}  // namespace

std::string flag_of(std::string_view name) {
  std::string flag = "--" + std::string(name);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::vector<std::string> flag_names(const Fields& fields) {
  std::vector<std::string> names;
  for (const auto& field : fields) {
    names.push_back(flag_of(field.name));
    if (std::holds_alternative<Switch>(field.rule)) names.push_back("--no-" + names.back().substr(2));
    if (field.options.letter != 0) names.push_back({'-', field.options.letter});
  }
  return names;
}

Result<> set_from_text(const FieldRef& field, std::string_view text, std::string_view label) {
  if (detail::policy_of(field) != nullptr) return set_policy_from_text(field, text, label);
  if (const auto problem = detail::set_scalar_from_text(field, text); !problem.empty())
    return Error{ErrorCode::Usage, fmt::format("{} {}", label, problem)};
  return {};
}

Result<std::vector<std::string>> take_flags(const Fields& fields, const std::vector<std::string>& args) {
  std::vector<std::string> rest;
  Problems problems;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args[i] == "--") {
      rest.insert(rest.end(), args.begin() + static_cast<std::ptrdiff_t>(i), args.end());
      break;
    }
    auto use = recognise(fields, args[i]);
    if (!use) {
      rest.push_back(args[i]);
      continue;
    }
    if (use->negated && use->value) {
      problems.add("", fmt::format("{} takes no value", use->label));
      continue;
    }
    if (!use->value) use->value = implied(*use);
    if (!use->value) {
      // A prompt may begin with a dash; another flag of the job is a forgotten value.
      if (i + 1 >= args.size() || args[i + 1] == "--" ||
          (args[i + 1].starts_with("--") && recognise(fields, args[i + 1]))) {
        problems.add("", fmt::format("{} needs a value ({})", use->label, placeholder(use->field->rule)));
        continue;
      }
      use->value = args[++i];
    }
    if (const auto set = set_from_text(*use->field, *use->value, use->label); !set.ok())
      problems.add("", set.error().message);
  }
  RUBATO_OK(problems.result("", nullptr, ErrorCode::Usage));
  return rest;
}

std::string flags_help(const Fields& fields, int columns) {
  constexpr std::size_t kWidestLeft = 32;
  std::size_t left = 0;
  for (const auto& field : fields)
    if (worth_showing(field)) left = std::max(left, std::min(kWidestLeft, width(left_side(field)) + 2));
  std::string text;
  for (const Group group : {Group::Generation, Group::Common, Group::Inspection}) {
    std::string lines;
    for (const auto& field : fields) {
      if (field.group != group || !worth_showing(field)) continue;
      const std::string flag = left_side(field);
      const std::size_t used = width(flag);
      lines += flag;
      lines += used + 2 > left ? '\n' + std::string(left, ' ') : std::string(left - used, ' ');
      lines += wrap(right_side(field), left, static_cast<std::size_t>(std::max(columns, 60))) + '\n';
    }
    if (!lines.empty()) text += fmt::format("{}{}:\n{}", text.empty() ? "" : "\n", title(group), lines);
  }
  return text;
}

std::string docs_table(const Fields& fields) {
  const auto cell = [](std::string_view text) {
    std::string out;
    for (const char c : text) out += c == '|' ? "\\|" : std::string(1, c);
    return out;
  };
  std::string text;
  for (const Group group : {Group::Generation, Group::Common, Group::Inspection}) {
    std::string rows;
    for (const auto& field : fields) {
      if (field.group != group) continue;
      const std::string letter = field.options.letter != 0 ? fmt::format(", `-{}`", field.options.letter) : "";
      const std::string rule = describe_rule(field);
      const std::string value = !rule.empty() ? rule : std::string(placeholder(field.rule));
      rows +=
          fmt::format("| `{}` | `{}`{} | {} | {} | {} |\n", field.name, flag_of(field.name), letter,
                      cell(value.empty() ? "true or false" : value), cell(describe_default(field)), cell(field.help));
    }
    if (!rows.empty())
      text += fmt::format("{}### {}\n\n| field | flag | value | default | meaning |\n|---|---|---|---|---|\n{}",
                          text.empty() ? "" : "\n", title(group), rows);
  }
  return text;
}

}  // namespace rubato
