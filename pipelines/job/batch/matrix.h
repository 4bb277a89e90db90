// `matrix:` of a job file: every job is made once for every combination of the values of its keys.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/json.h"
#include "pipelines/job/batch/variables.h"
#include "pipelines/job/schema.h"

namespace rubato {

class Matrix {
 public:
  struct Combination {
    nlohmann::json fields = nlohmann::json::object();  // as JobLayer::fields
    std::optional<std::string> preset;
    Variables variables;
  };

  // No matrix: one combination that sets nothing.
  Matrix() : combinations_(1) {}

  // Keys that are fields of a job, or `preset`, set them; others are variables. The first key of the file changes
  // slowest. Combinations are made only when there are at most `most` of them before exclusion.
  static Matrix read(const nlohmann::json& matrix, SourceMap& where, std::size_t most, Problems& problems);

  const std::vector<Combination>& combinations() const { return combinations_; }
  // Whether every combination sets this field (by its first name: "rate"), the preset, or this variable.
  bool sets_field(const std::string& name) const;
  bool sets_variable(const std::string& name) const;

  // Variables whose names look like a mistyped field; {"stesp", "; did you mean 'steps'?"}. To be refused when nothing
  // uses them.
  struct Suspect {
    std::string variable, pointer, hint;
  };
  std::vector<Suspect> suspects() const;

 private:
  struct Axis {
    std::string key;   // as written
    std::string name;  // of the variable, or the key
    bool variable = false;
    const nlohmann::json* values = nullptr;  // used while reading only
  };
  void read_axes(const nlohmann::json& matrix, const SourceMap& where, Problems& problems);
  std::vector<nlohmann::json> read_exclusions(const nlohmann::json& list, Problems& problems) const;
  void combine(const std::vector<nlohmann::json>& exclusions, SourceMap& where, Problems& problems);
  Combination combination(const std::vector<std::size_t>& picks, SourceMap& where, Problems& problems) const;

  std::vector<Axis> axes_;
  std::vector<Combination> combinations_;
};

}  // namespace rubato
