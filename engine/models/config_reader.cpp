#include "engine/models/config_reader.h"

#include <algorithm>
#include <cmath>

#include "engine/base/text.h"

namespace rubato {
namespace {

// JSON of a value, short enough for a message.
std::string shown(const nlohmann::json& value) {
  constexpr std::size_t kMost = 80;
  const std::string text = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return text.size() <= kMost ? text : std::string(clip_utf8(text, kMost)) + "…";
}

}  // namespace

ConfigReader::ConfigReader(const nlohmann::json& config, std::string source)
    : config_(config), source_(std::move(source)) {
  if (!config_.is_object()) problems_.push_back("it is not a JSON object");
}

const nlohmann::json* ConfigReader::find(const char* key) {
  known_.emplace_back(key);
  if (!config_.is_object()) return nullptr;
  const auto at = config_.find(key);
  return at == config_.end() || at->is_null() ? nullptr : &*at;
}

bool ConfigReader::has(const char* key) const {
  return config_.is_object() && config_.contains(key) && !config_.at(key).is_null();
}

void ConfigReader::wrong(const char* key, const std::string& wanted) {
  problems_.push_back(std::string(key) + " is " + shown(config_.at(key)) + ", but must be " + wanted);
}

std::optional<std::int64_t> ConfigReader::optional_integer(const char* key, std::int64_t least, std::int64_t most) {
  const auto* value = find(key);
  if (value == nullptr) return std::nullopt;
  const bool fits = value->is_number_integer() && *value >= least && *value <= most;
  if (!fits) wrong(key, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return fits ? std::optional(value->get<std::int64_t>()) : std::nullopt;
}

std::int64_t ConfigReader::integer(const char* key, std::int64_t otherwise, std::int64_t least, std::int64_t most) {
  return optional_integer(key, least, most).value_or(otherwise);
}

std::optional<double> ConfigReader::optional_number(const char* key) {
  const auto* value = find(key);
  if (value == nullptr) return std::nullopt;
  const bool fits = value->is_number() && std::isfinite(value->get<double>());
  if (!fits) wrong(key, "a number");
  return fits ? std::optional(value->get<double>()) : std::nullopt;
}

double ConfigReader::number(const char* key, double otherwise) { return optional_number(key).value_or(otherwise); }

bool ConfigReader::flag(const char* key, bool otherwise) {
  const auto* value = find(key);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) wrong(key, "true or false");
  return value->is_boolean() ? value->get<bool>() : otherwise;
}

std::string ConfigReader::text(const char* key, std::string otherwise) {
  const auto* value = find(key);
  if (value == nullptr) return otherwise;
  if (!value->is_string()) wrong(key, "a text");
  return value->is_string() ? value->get<std::string>() : otherwise;
}

std::vector<std::int64_t> ConfigReader::integers(const char* key, std::vector<std::int64_t> otherwise,
                                                 std::int64_t least, std::int64_t most) {
  const auto* value = find(key);
  if (value == nullptr) return otherwise;
  const auto in_range = [&](const auto& v) { return v.is_number_integer() && v >= least && v <= most; };
  if (!value->is_array() || !std::ranges::all_of(*value, in_range)) {
    wrong(key, "a list of whole numbers from " + std::to_string(least) + " to " + std::to_string(most));
    return otherwise;
  }
  return value->get<std::vector<std::int64_t>>();
}

std::vector<double> ConfigReader::numbers(const char* key, std::vector<double> otherwise) {
  const auto* value = find(key);
  if (value == nullptr) return otherwise;
  if (!value->is_array() || !std::ranges::all_of(*value, [](const auto& v) { return v.is_number(); })) {
    wrong(key, "a list of numbers");
    return otherwise;
  }
  return value->get<std::vector<double>>();
}

std::vector<bool> ConfigReader::flags(const char* key, std::vector<bool> otherwise) {
  const auto* value = find(key);
  if (value == nullptr) return otherwise;
  if (!value->is_array() || !std::ranges::all_of(*value, [](const auto& v) { return v.is_boolean(); })) {
    wrong(key, "a list of true and false");
    return otherwise;
  }
  return value->get<std::vector<bool>>();
}

std::string ConfigReader::choice(const char* key, const char* otherwise, std::initializer_list<const char*> choices) {
  const std::string value = text(key, otherwise);
  if (std::ranges::find(choices, value) != choices.end()) return value;
  const std::vector<std::string> names(choices.begin(), choices.end());
  wrong(key, "one of " + join(names, ", "));
  return otherwise;
}

void ConfigReader::only(const char* key, const nlohmann::json& value) {
  const auto* found = find(key);
  if (found != nullptr && *found != value) {
    problems_.push_back(std::string(key) + " " + shown(*found) + " is not supported");
  }
}

void ConfigReader::ignore(std::initializer_list<const char*> keys) {
  known_.insert(known_.end(), keys.begin(), keys.end());
}

Result<> ConfigReader::finish() const {
  auto problems = problems_;
  if (config_.is_object() && !allow_unknown_) {
    for (const auto& [key, value] : config_.items()) {
      if (key.starts_with('_') || std::ranges::find(known_, key) != known_.end()) continue;
      problems.push_back("unknown key '" + key + "'" + did_you_mean(key, known_));
    }
  }
  if (problems.empty()) return {};
  return Error{ErrorCode::ModelUnfit, source_ + " cannot be used: " + join(problems, "; ") + "."};
}

}  // namespace rubato
