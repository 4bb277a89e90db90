// The JSON Schema of a job file (YAML and JSON; a table's header and a JSONL line are those of one job).
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace rubato {

// Draft 2020-12. Built of the fields of a job, so that it knows every key the reader knows.
nlohmann::json job_file_schema();

}  // namespace rubato
