// The files that a run leaves beside its results: report.html, and failed.csv where jobs are not done.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "pipelines/job/batch/job_file.h"
#include "pipelines/job/run/run_session.h"

namespace rubato::cli {

// Both speak of all that was rendered into the folder, also from other job files or under another filter: the report
// lists what is recorded as done there, and a job that an earlier run owes stays in failed.csv until a run that has the
// job brings it to an end. A failed.csv without rows is removed. `advice`: what the plan warned of, by the jobs' ids.
Result<> write_run_files(const RunOptions& options, const BatchFile& file, const RunPlan& plan, const RunResult& result,
                         std::chrono::system_clock::time_point started, const std::string& job_file,
                         const std::map<std::string, std::vector<std::string>>& advice = {});

}  // namespace rubato::cli
