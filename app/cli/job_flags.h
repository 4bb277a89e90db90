// The flags of a job, made from the one schema: a field that is added to a job's visit() is a flag here, in the help,
// in the man page and in the completions.
#pragma once

#include <vector>

#include "app/cli/options.h"
#include "pipelines/job/field.h"

namespace rubato::cli {

// `fields` are those of a default job. A policy that has only its neutral method is left out.
std::vector<Option> options_of(const Fields& fields);

// Sets the fields that the command line names; flags win over what the job holds already. All bad values are named
// at once.
Result<> apply_options(const Fields& fields, const Arguments& args);

}  // namespace rubato::cli
