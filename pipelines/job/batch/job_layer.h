// What a part of a job file says about a job: the defaults, a preset, or the job itself.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/json.h"
#include "pipelines/job/batch/seeds.h"
#include "pipelines/job/batch/variables.h"
#include "pipelines/job/schema.h"
#include "pipelines/job/video_job.h"

namespace rubato {

enum class LayerRole { Defaults, Preset, Job };

struct JobLayer {
  std::string pointer;  // of the object it was read from
  nlohmann::json fields =
      nlohmann::json::object();  // of the job struct, not yet checked; dotted keys are nested, no nulls
  std::optional<SeedList> seeds;
  std::optional<std::vector<std::string>> after;
  std::optional<double> priority;
  std::optional<std::string> preset;
  Variables variables;

  bool sets_seed() const { return seeds.has_value() || fields.contains("seed"); }
};

// Sorts the keys of an object; unknown ones and wrong values of those that are not fields are problems. `where` gets
// places for what dotted keys stand for.
JobLayer read_layer(const nlohmann::json& object, const std::string& pointer, LayerRole role, SourceMap& where,
                    Problems& problems);

// Sets the fields in `job`. A policy without a method changes knobs of the method that the job has.
void apply_fields(VideoJob& job, const nlohmann::json& fields, const std::string& pointer, Problems& problems);

// {"rate.keep": 1} -> {"rate": {"keep": 1}}
nlohmann::json nest_dotted_keys(const nlohmann::json& object, const std::string& pointer, SourceMap& where,
                                Problems& problems);

// Whether `name` is a field of the job struct that a file may set.
bool is_job_field(std::string_view name);
// Every key that a job may have, dotted ones of policies included.
const std::vector<std::string>& job_keys();
// "" or why `key`, dotted or not, cannot be a key of a job: "unknown key 'promt'; did you mean 'prompt'?"
std::string job_key_fault(std::string_view key);
// The text of a scalar as the value of a variable; nullopt for what is none, and for a text with NUL in it.
std::optional<std::string> variable_text(const nlohmann::json& value);

// "a~b/c" as a member of a JSON pointer.
std::string escape_pointer(std::string_view key);

}  // namespace rubato
