// What is made of a job's fields: the reader, the writer, command-line flags and their help, the JSON Schema, the
// documentation table, and random jobs for property tests. All of it works on fields_of(job), so a field that is added
// to a job's visit() appears everywhere.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/json.h"
#include "pipelines/job/field.h"

namespace rubato {

inline constexpr int kJobVersion = 1;

// Everything that is wrong with a job, found in one go.
class Problems {
 public:
  // pointer: JSON pointer of the value ("/rate/keep").
  void add(std::string pointer, std::string message) { list_.push_back({std::move(pointer), std::move(message)}); }
  bool empty() const { return list_.empty(); }
  std::size_t size() const { return list_.size(); }
  // One line a problem, "job.yaml, line 3, column 5: …", in the order of the text, each once, the first few of many.
  Result<> result(std::string_view source, const SourceMap* where, ErrorCode code = ErrorCode::JobInvalid) const;

 private:
  struct Problem {
    std::string pointer, message;
  };
  std::vector<Problem> list_;
};

// ---- Files ---------------------------------------------------------------------------------------------------
// Sets fields from the members of object; what is absent or null stays as it is. Unknown keys, wrong types and values
// out of range are problems. `version` and `kind` are checked when kind is not empty. `pointer` is the object's own.
void read_fields(const Fields& fields, std::string_view kind, const nlohmann::json& object, Problems& problems,
                 const std::string& pointer = {});

enum class Write { All, Identity };
// Keys sorted; unset optionals and empty texts left out. {"version":1,"kind":kind} first when kind is not empty.
nlohmann::json write_fields(const Fields& fields, std::string_view kind, Write which = Write::All);

// Copies each optional that is set in `from` and unset in `to`; both are the fields of jobs of one type.
void fill_unset_fields(const Fields& to, const Fields& from);

// Makes relative input paths start at `folder`.
void anchor_inputs(const Fields& fields, const std::string& folder);

// ---- Command line --------------------------------------------------------------------------------------------
// "negative_prompt" -> "--negative-prompt"
std::string flag_of(std::string_view name);
// Every flag of the fields, "-p" included: for completions and for "did you mean".
std::vector<std::string> flag_names(const Fields& fields);
// Takes --name VALUE, --name=VALUE, -p VALUE, --switch, --no-switch out of args and sets the fields; the last of two
// wins. Returns the rest in order. All bad values are named at once (ErrorCode::Usage).
Result<std::vector<std::string>> take_flags(const Fields& fields, const std::vector<std::string>& args);
// Sets one field from text, as a flag or a table cell gives it. The error names the field by `label`.
Result<> set_from_text(const FieldRef& field, std::string_view text, std::string_view label);
// For a program with its own table of flags. What stands for the value in help: "N", "WxH", "FILE"; "" for a switch.
std::string_view placeholder(const Rule& rule);
// What may stand there: "1 to 4097", "never or always"; "" when anything may.
std::string describe_rule(const FieldRef& field);
// What a default job has, for people: "auto", "the model's"; "" when there is nothing to say.
std::string describe_default(const FieldRef& field);
// Grouped, aligned, wrapped at `columns`, with ranges and defaults. `fields` are those of a default job. A policy that
// has only its neutral method is left out.
std::string flags_help(const Fields& fields, int columns = 100);

// ---- Documentation -------------------------------------------------------------------------------------------
// JSON Schema, draft 2020-12. `fields` are those of a default job; methods of policies are tried out on it.
nlohmann::json json_schema(const Fields& fields, std::string_view kind);
// Markdown: field, flag, value, default, meaning; one table a group.
std::string docs_table(const Fields& fields);

// ---- Property tests ------------------------------------------------------------------------------------------
// Sets every field to a random valid value; optionals stay unset half of the time.
void fill_random(const Fields& fields, std::mt19937_64& random);

}  // namespace rubato
