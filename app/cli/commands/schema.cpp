// schema: the JSON Schema of job files, for editors and checkers.
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/output.h"
#include "pipelines/job/schema.h"
#include "pipelines/job/video_job.h"

namespace rubato::cli {
namespace {

Result<> run(const Context& context) {
  VideoJob defaults;
  context.out.json(json_schema(fields_of(defaults), VideoJob::kKind));
  return {};
}

}  // namespace

const Command kSchema{
    .path = "schema",
    .summary = "Print the JSON Schema of job files",
    .text = "",
    .positionals = {{.name = "WHAT", .help = "Whose schema", .choices = {"job"}}},
    .examples = {{"rubato-cli schema job > job.schema.json", "For an editor that completes and checks job files"}},
    .run = run,
};

}  // namespace rubato::cli
