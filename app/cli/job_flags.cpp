#include "app/cli/job_flags.h"

#include <fmt/format.h>

#include <cctype>

#include "engine/base/text.h"
#include "pipelines/job/field_value.h"
#include "pipelines/job/schema.h"

namespace rubato::cli {
namespace {

std::string heading(Group group) {
  switch (group) {
    case Group::Generation:
      return "What to make";
    case Group::Common:
      return "Model, device and output";
    case Group::Inspection:
      return "Inspection";
  }
  return "Options";
}

std::string plain_name(std::string_view field) { return flag_of(field).substr(2); }

Offer offer_of(const Rule& rule) {
  if (std::holds_alternative<PathText>(rule)) return Offer::Files;
  return std::holds_alternative<ModelText>(rule) ? Offer::Models : Offer::Nothing;
}

}  // namespace

std::vector<Option> options_of(const Fields& fields) {
  std::vector<Option> options;
  for (const auto& field : fields) {
    if (const auto* policy = detail::policy_of(field); policy != nullptr && policy->methods().size() < 2) continue;
    Option option{.name = plain_name(field.name),
                  .letter = field.options.letter,
                  .value = std::string(placeholder(field.rule)),
                  .help = std::string(field.help),
                  .group = heading(field.group),
                  .offer = offer_of(field.rule),
                  .range = describe_rule(field),
                  .initial = describe_default(field)};
    if (const auto* choice = std::get_if<Choice>(&field.rule)) {
      option.choices.assign(choice->names.begin(), choice->names.end());
      option.implied = choice->implied;
    }
    // A switch that is on already can only be switched off.
    if (const auto* on = std::get_if<bool*>(&field.value)) {
      option.negatable = true;
      option.negative_only = **on;
      if (**on)
        option.help =
            fmt::format("Do not {}{}", static_cast<char>(std::tolower(static_cast<unsigned char>(option.help[0]))),
                        option.help.substr(1));
    }
    options.push_back(std::move(option));
  }
  return options;
}

Result<> apply_options(const Fields& fields, const Arguments& args) {
  std::string problems;
  for (const auto& field : fields) {
    const auto name = plain_name(field.name);
    std::optional<std::string> text = args.value(name);
    if (!text) continue;
    const auto done = set_from_text(field, *text, "--" + name);
    if (!done) problems += (problems.empty() ? "" : "\n") + done.error().message;
  }
  if (!problems.empty()) return Error{ErrorCode::Usage, problems};
  return {};
}

}  // namespace rubato::cli
