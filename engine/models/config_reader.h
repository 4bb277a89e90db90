// ConfigReader: reads a component's config.json key by key and collects everything that is wrong with it.
//
// Values outside their range, of another type, or asking for something Rubato does not do are refused by name;
// keys that nobody asked for are reported with the nearest known name. finish() returns it all as one error.
// A key that is null counts as absent. Keys that start with '_' are the writer's own notes and are skipped.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"

namespace rubato {

class ConfigReader {
 public:
  // `config` must outlive the reader; `source` names it in messages ("transformer/config.json").
  ConfigReader(const nlohmann::json& config, std::string source);

  std::int64_t integer(const char* key, std::int64_t otherwise, std::int64_t least, std::int64_t most);
  double number(const char* key, double otherwise);
  bool flag(const char* key, bool otherwise);
  std::string text(const char* key, std::string otherwise);
  std::optional<std::int64_t> optional_integer(const char* key, std::int64_t least, std::int64_t most);
  std::optional<double> optional_number(const char* key);
  std::vector<std::int64_t> integers(const char* key, std::vector<std::int64_t> otherwise, std::int64_t least,
                                     std::int64_t most);
  std::vector<double> numbers(const char* key, std::vector<double> otherwise);
  std::vector<bool> flags(const char* key, std::vector<bool> otherwise);

  // The text must be one of the choices.
  std::string choice(const char* key, const char* otherwise, std::initializer_list<const char*> choices);
  // Absent, null, or exactly `value`; anything else is refused as not supported.
  void only(const char* key, const nlohmann::json& value);
  // Keys that are known and have no effect here.
  void ignore(std::initializer_list<const char*> keys);
  // For configurations whose writer adds keys of its own (transformers).
  void allow_unknown() { allow_unknown_ = true; }
  void problem(std::string sentence_part) { problems_.push_back(std::move(sentence_part)); }
  bool has(const char* key) const;

  // ModelUnfit with every problem, or nothing.
  Result<> finish() const;

 private:
  const nlohmann::json* find(const char* key);  // null when absent
  void wrong(const char* key, const std::string& wanted);

  const nlohmann::json& config_;
  std::string source_;
  std::vector<std::string> known_, problems_;
  bool allow_unknown_ = false;
};

}  // namespace rubato
