// schema: the published JSON Schemas, for editors and checkers.
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/events_schema.h"
#include "app/cli/output.h"
#include "pipelines/job/batch/job_file_schema.h"
#include "pipelines/job/schema.h"
#include "pipelines/job/video_job.h"

namespace rubato::cli {
namespace {

nlohmann::json job_schema() {
  VideoJob defaults;
  return json_schema(fields_of(defaults), VideoJob::kKind);
}

Result<> run(const Context& context) {
  const auto& what = context.args.positionals()[0];
  if (what == "events")
    context.out.json(nlohmann::json::parse(kEventsSchema));
  else
    context.out.json(what == "jobs" ? job_file_schema() : job_schema());
  return {};
}

}  // namespace

const Command kSchema{
    .path = "schema",
    .summary = "Print the JSON Schema of a job, of job files, or of the events of --progress=json",
    .text = "",
    .positionals = {{.name = "WHAT", .help = "Whose schema", .choices = {"job", "jobs", "events"}}},
    .examples = {{"rubato-cli schema jobs > jobs.schema.json", "For an editor that completes and checks job files"}},
    .run = run,
};

}  // namespace rubato::cli
