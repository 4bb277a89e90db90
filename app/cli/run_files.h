// The files that a run leaves beside its results: report.html, and failed.csv where jobs are not done.
#pragma once

#include <chrono>
#include <string>

#include "engine/base/error.h"
#include "pipelines/job/batch/job_file.h"
#include "pipelines/job/run/run_session.h"

namespace rubato::cli {

// Both replace those of earlier runs; a failed.csv that no longer holds anything is removed.
Result<> write_run_files(const RunOptions& options, const BatchFile& file, const RunPlan& plan, const RunResult& result,
                         std::chrono::system_clock::time_point started, const std::string& job_file);

}  // namespace rubato::cli
