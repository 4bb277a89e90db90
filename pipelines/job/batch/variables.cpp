#include "pipelines/job/batch/variables.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "engine/base/text.h"

namespace rubato {
namespace {

constexpr std::string_view kOpen = "{var.";

Error refuse(std::string message) { return Error{ErrorCode::JobInvalid, std::move(message)}; }

Error unknown(std::string_view name, const Variables& variables) {
  std::vector<std::string> names;
  for (const auto& [known, value] : variables) names.push_back("var." + known);
  return refuse(fmt::format("uses {{var.{}}}, but the job has no such variable{}", name,
                            did_you_mean(fmt::format("var.{}", name), names)));
}

}  // namespace

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto other = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= 64 && letter(name.front()) && std::all_of(name.begin(), name.end(), other);
}

Result<std::string> substitute_variables(std::string_view text, const Variables& variables) {
  std::string out;
  std::size_t at = 0;
  for (std::size_t open; (open = text.find(kOpen, at)) != std::string_view::npos;) {
    const auto begin = open + kOpen.size();
    const auto close = text.find('}', begin);
    const auto name = close == std::string_view::npos ? std::string_view{} : text.substr(begin, close - begin);
    if (!is_variable_name(name)) return refuse("has '{var.' without a variable's name and '}' behind it");
    const auto found = variables.find(std::string(name));
    if (found == variables.end()) return unknown(name, variables);
    out.append(text.substr(at, open - at)).append(found->second);
    at = close + 1;
  }
  out.append(text.substr(at));
  if (at > 0 && out.find(kOpen) != std::string::npos)
    return refuse("would hold '{var.' after its variables were put in; take the braces out of their values");
  return out;
}

}  // namespace rubato
