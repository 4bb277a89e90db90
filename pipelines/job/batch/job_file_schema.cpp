#include "pipelines/job/batch/job_file_schema.h"

#include <nlohmann/json.hpp>
#include <string>

#include "pipelines/job/batch/job_file.h"
#include "pipelines/job/schema.h"
#include "pipelines/job/video_job.h"

namespace rubato {
namespace {

using Json = nlohmann::json;

Json text(const char* description) { return {{"type", "string"}, {"description", description}}; }

Json list_of(Json items) { return {{"type", "array"}, {"minItems", 1}, {"items", std::move(items)}}; }

Json reference(const char* name) { return {{"$ref", std::string("#/$defs/") + name}}; }

Json seeds() {
  const Json one = {{"type", "integer"}, {"minimum", 0}};
  const Json range = {{"type", "string"},
                      {"pattern", "^ *[0-9]+ *(\\.\\. *[0-9]+ *)?(, *[0-9]+ *(\\.\\. *[0-9]+ *)?)*$"}};
  return {{"description", "One job for each seed: 1..8, \"1..8, 40\" or a list"},
          {"oneOf", Json::array({one, range, list_of({{"oneOf", Json::array({one, range})}})})}};
}

Json variable() { return {{"type", Json::array({"string", "number", "boolean"})}}; }

// Keys that change the meaning of "rate" and the like from outside, as tables write them: rate.method, rate.keep.
Json dotted(const Json& fields) {
  Json members = Json::object();
  for (const auto& [name, schema] : fields.items()) {
    if (!schema.contains("oneOf")) continue;
    for (const auto& method : schema["oneOf"]) {
      if (!method.contains("properties")) continue;  // a value of either of two types, and no policy
      for (const auto& [knob, rule] : method["properties"].items())
        if (knob == "method")
          members[name + ".method"]["enum"].push_back(rule["const"]);
        else
          members[name + '.' + knob] = rule;
    }
  }
  return members;
}

Json object_of(Json members, const char* description) {
  return {{"type", "object"},
          {"description", description},
          {"properties", std::move(members)},
          {"patternProperties", {{"^var\\.[A-Za-z_][A-Za-z0-9_-]*$", variable()}}},
          {"additionalProperties", false}};
}

// In a matrix every key has a list of what it would have in a job; a key that is none of a job's is a variable.
Json matrix_of(const Json& fields) {
  Json members = Json::object();
  for (const auto& [name, schema] : fields.items())
    if (name != "id" && name != "version" && name != "kind") members[name] = list_of(schema);
  members["preset"] = list_of({{"type", "string"}});
  members["exclude"] = {
      {"type", "array"}, {"description", "Combinations that are left out"}, {"items", {{"type", "object"}}}};
  return {{"type", "object"},
          {"description", "Every job is made once for every combination of these values"},
          {"properties", std::move(members)},
          {"additionalProperties", list_of(variable())}};
}

}  // namespace

Json job_file_schema() {
  VideoJob job;
  Json fields = json_schema(fields_of(job), VideoJob::kKind)["properties"];
  fields.update(dotted(fields));
  fields["out"]["description"] = "Name of the file, below the output folder: {date}/{job}-{seed}-{prompt:40}.mp4";

  Json own = fields;
  own["seeds"] = seeds();
  own["priority"] = {{"type", "number"},
                     {"minimum", -1e6},
                     {"maximum", 1e6},
                     {"default", 0},
                     {"description", "The higher runs earlier"}};
  own["var"] = {{"type", "object"},
                {"description", "Values of {var.NAME} in texts and names"},
                {"additionalProperties", variable()}};
  Json preset = own;
  for (const char* key : {"id", "version"}) preset.erase(key);
  own["preset"] = text("The preset that this job starts from");
  Json defaults = own;
  for (const char* key : {"id", "version"}) defaults.erase(key);
  own["after"] = {
      {"description", "Jobs that must be done before this one; the id of one that became several means all"},
      {"oneOf", Json::array({{{"type", "string"}}, {{"type", "array"}, {"items", {{"type", "string"}}}}})}};

  const Json frame = {
      {"type", "object"},
      {"required", {"jobs"}},
      {"additionalProperties", false},
      {"properties",
       {{"version", {{"const", kJobVersion}}},
        {"defaults", reference("defaults")},
        {"presets", {{"type", "object"}, {"additionalProperties", reference("preset")}}},
        {"matrix", reference("matrix")},
        {"jobs", {{"type", "array"}, {"maxItems", BatchLimits{}.max_jobs}, {"items", reference("job")}}}}}};
  return {
      {"$schema", "https://json-schema.org/draft/2020-12/schema"},
      {"title", "Rubato job file: many jobs, a list of them, or one"},
      {"oneOf", Json::array({reference("frame"), list_of(reference("job")), reference("job")})},
      {"$defs",
       {{"frame", frame},
        {"job", object_of(std::move(own), "One job, or several by its seeds and the matrix")},
        {"defaults", object_of(std::move(defaults), "What every job has that does not say otherwise")},
        {"preset", object_of(std::move(preset), "What a job has that names this preset and does not say otherwise")},
        {"matrix", matrix_of(fields)}}}};
}

}  // namespace rubato
