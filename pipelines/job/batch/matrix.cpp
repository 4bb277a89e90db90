#include "pipelines/job/batch/matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/base/text.h"
#include "pipelines/job/batch/job_layer.h"

namespace rubato {
namespace {

using Json = nlohmann::json;

constexpr const char* kPointer = "/matrix";
constexpr const char* kExclude = "exclude";

std::string pointer_of(std::string_view key) { return std::string(kPointer) + '/' + escape_pointer(key); }

// Keys of a job that a matrix cannot set, and why.
std::string forbidden(std::string_view key) {
  if (key == "seeds") return "write seed: [1, 2, 3] in a matrix, not seeds";
  if (key == "id" || key == "after" || key == "priority" || key == "version" || key == "kind")
    return fmt::format("'{}' belongs to a job of its own and cannot stand in the matrix", key);
  return {};
}

}  // namespace

void Matrix::read_axes(const Json& matrix, const SourceMap& where, Problems& problems) {
  for (const auto& [key, values] : matrix.items()) {
    if (key == kExclude) continue;
    const std::string pointer = pointer_of(key);
    const std::string first = key.substr(0, key.find('.'));
    Axis axis{key, key, false, &values};
    if (auto fault = forbidden(first); !fault.empty()) {
      problems.add(pointer, std::move(fault));
      continue;
    }
    if (first == "var" || (!is_job_field(first) && first != "preset")) {
      axis.variable = true;
      axis.name = first == "var" && key.size() > 4 ? key.substr(4) : key;
      if (!is_variable_name(axis.name)) {
        problems.add(pointer, fmt::format("'{}' is neither a key of a job nor the name of a variable{}",
                                          clip_utf8(key, 80), did_you_mean(key, job_keys())));
        continue;
      }
    } else if (auto fault = job_key_fault(key); !fault.empty()) {
      problems.add(pointer, std::move(fault));
      continue;
    }
    if (!values.is_array() || values.empty()) {
      problems.add(pointer, fmt::format("'{}' in the matrix must be a list of values: {}: [a, b]", clip_utf8(key, 80),
                                        clip_utf8(key, 80)));
      continue;
    }
    for (std::size_t i = 0; axis.variable && i < values.size(); ++i)
      if (!variable_text(values[i]))
        problems.add(fmt::format("{}/{}", pointer, i),
                     "the value of a variable must be a number or a text without NUL");
    axes_.push_back(std::move(axis));
  }
  const auto place = [&](const Axis& axis) {
    const auto found = where.find(pointer_of(axis.key));
    return found == where.end() ? std::pair(0, 0) : std::pair(found->second.line, found->second.column);
  };
  std::stable_sort(axes_.begin(), axes_.end(), [&](const Axis& a, const Axis& b) { return place(a) < place(b); });
}

// Each as {key as written in the matrix: value}.
std::vector<Json> Matrix::read_exclusions(const Json& list, Problems& problems) const {
  std::vector<Json> exclusions;
  if (list.is_null()) return exclusions;
  const std::string base = pointer_of(kExclude);
  if (!list.is_array()) {
    problems.add(base, "exclude must be a list of combinations: exclude: [{size: 384x256, look: night}]");
    return exclusions;
  }
  std::vector<std::string> names;
  for (const auto& axis : axes_) names.push_back(axis.key);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string pointer = fmt::format("{}/{}", base, i);
    if (!list[i].is_object() || list[i].empty()) {
      problems.add(pointer, "an exclusion must be an object with keys of the matrix");
      continue;
    }
    Json exclusion = Json::object();
    for (const auto& [key, value] : list[i].items()) {
      const auto axis = std::find_if(axes_.begin(), axes_.end(), [&, &k = key](const Axis& a) {
        return a.key == k || (a.variable && (a.name == k || "var." + a.name == k));
      });
      const std::string at = pointer + '/' + escape_pointer(key);
      if (axis == axes_.end())
        problems.add(at,
                     fmt::format("'{}' is not a key of the matrix{}", clip_utf8(key, 80), did_you_mean(key, names)));
      else if (std::find(axis->values->begin(), axis->values->end(), value) == axis->values->end())
        problems.add(
            at, fmt::format("'{}' does not have this value in the matrix, so nothing is excluded", clip_utf8(key, 80)));
      else
        exclusion[axis->key] = value;
    }
    if (exclusion.size() == list[i].size()) exclusions.push_back(std::move(exclusion));
  }
  return exclusions;
}

Matrix::Combination Matrix::combination(const std::vector<std::size_t>& picks, SourceMap& where,
                                        Problems& problems) const {
  Combination made;
  Json fields = Json::object();
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    const Json& value = (*axes_[i].values)[picks[i]];
    if (axes_[i].variable) {
      made.variables[axes_[i].name] = variable_text(value).value_or("");
    } else if (axes_[i].key == "preset") {
      if (value.is_string())
        made.preset = value.get<std::string>();
      else
        problems.add(pointer_of("preset"), "preset in the matrix must be a list of names of presets");
    } else if (!value.is_null()) {
      fields[axes_[i].key] = value;
    }
  }
  made.fields = nest_dotted_keys(fields, kPointer, where, problems);
  return made;
}

void Matrix::combine(const std::vector<Json>& exclusions, SourceMap& where, Problems& problems) {
  combinations_.clear();
  std::vector<std::size_t> picks(axes_.size(), 0);
  const auto excluded = [&](const Json& exclusion) {
    for (std::size_t i = 0; i < axes_.size(); ++i)
      if (const auto value = exclusion.find(axes_[i].key);
          value != exclusion.end() && *value != (*axes_[i].values)[picks[i]])
        return false;
    return true;
  };
  while (true) {
    if (std::none_of(exclusions.begin(), exclusions.end(), excluded))
      combinations_.push_back(combination(picks, where, problems));
    std::size_t axis = axes_.size();
    while (axis > 0 && ++picks[axis - 1] == axes_[axis - 1].values->size()) picks[--axis] = 0;
    if (axis == 0) break;
  }
  if (combinations_.empty()) problems.add(pointer_of(kExclude), "every combination of the matrix is excluded");
}

Matrix Matrix::read(const Json& matrix, SourceMap& where, std::size_t most, Problems& problems) {
  Matrix made;
  if (matrix.is_null()) return made;
  if (!matrix.is_object()) {
    problems.add(kPointer, "the matrix must be an object with keys and lists of values");
    return made;
  }
  made.read_axes(matrix, where, problems);
  std::size_t count = 1;
  for (const auto& axis : made.axes_) {
    count = axis.values->size() > most / count ? most + 1 : count * axis.values->size();
    if (count > most) break;
  }
  const auto exclude = matrix.find(kExclude);
  const auto exclusions = made.read_exclusions(exclude == matrix.end() ? Json() : *exclude, problems);
  if (count > most)
    problems.add(kPointer, fmt::format("the matrix has more than {} combinations; divide the file into several", most));
  else if (!made.axes_.empty())
    made.combine(exclusions, where, problems);
  return made;
}

bool Matrix::sets_field(const std::string& name) const {
  return std::any_of(axes_.begin(), axes_.end(), [&](const Axis& axis) {
    return !axis.variable && axis.key.substr(0, axis.key.find('.')) == name;
  });
}

bool Matrix::sets_variable(const std::string& name) const {
  return std::any_of(axes_.begin(), axes_.end(), [&](const Axis& axis) { return axis.variable && axis.name == name; });
}

std::vector<Matrix::Suspect> Matrix::suspects() const {
  std::vector<Suspect> found;
  for (const auto& axis : axes_) {
    if (!axis.variable || axis.key.starts_with("var.")) continue;
    if (auto hint = did_you_mean(axis.key, job_keys()); !hint.empty())
      found.push_back({axis.name, pointer_of(axis.key), std::move(hint)});
  }
  return found;
}

}  // namespace rubato
