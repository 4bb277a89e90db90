// The plan of a run: every job of a job file resolved, named, keyed and looked for among what is done; or all the
// reasons why it cannot be started.
#pragma once

#include <ctime>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/files/model_scan.h"
#include "pipelines/job/batch/job_file.h"
#include "pipelines/job/run/left_work.h"
#include "pipelines/job/run/publication.h"
#include "pipelines/job/run/run_job.h"
#include "pipelines/job/video_model.h"

namespace rubato {

enum class RunOverwrite {
  Never,      // a file in the way that this job did not make is a reason not to start
  Always,     // it is replaced
  IfChanged,  // replaced if a job of this folder made it, unless that job is the same; else a reason not to start
  Rename,     // the new file takes a free name
};
Replace replace_of(RunOverwrite overwrite);

struct PlanOptions {
  std::filesystem::path out;       // the run's output folder; need not exist yet
  std::filesystem::path job_file;  // where the jobs are from, absolute; "" = not a file
  std::string name;                // template for jobs without `out`
  RunOverwrite overwrite = RunOverwrite::Never;
  ModelFolders models;
  std::string practice_model = "practice-video";  // where a job names none
  std::tm when{};                                 // for {date} and {time}
  std::string jobs_filter;                        // a glob that ids or names must match; "" = all
  bool fresh = false;                             // what is done counts for nothing
  // More that a job must pass (inputs readable, format known); by whoever knows the machine.
  std::function<Result<>(const VideoJob& job, const VideoModel& model)> check;
  // Fills the forecast in; may be empty.
  std::function<void(RunJob& job, const VideoModel& model)> forecast;
};

struct Refusal {
  std::string id, source;
  Error error;
};

struct RunPlan {
  std::vector<RunJob> jobs;  // in the file's order
  std::vector<Refusal> refusals;
  std::size_t done = 0;                   // selected jobs that are done already
  std::vector<bool> is_done, is_refused;  // by job
  std::vector<LeftWork> left_work;        // of jobs that the file does not hold any more
};

// Never fails as a whole: what is wrong with single jobs is in `refusals`. Jobs that cannot be resolved are not among
// `jobs`, unless a filter leaves them out anyway: then nothing is wrong with the run.
RunPlan plan_run(std::vector<BatchJob> jobs, const PlanOptions& options);

// The jobs that a run starts, `limit` at most (0 = all), in its order: the highest priority first, each after those
// that it waits for. What waits for a job that is not done and not to be started is not among them.
std::vector<std::size_t> jobs_to_start(const RunPlan& plan, std::size_t limit);
// "done", "refused", "queued", or "blocked" while a job that it waits for is not done.
std::string_view planned_state(const RunPlan& plan, std::size_t job);

// The error for a plan with refusals: the code of the first, all of them in the message (at most ten, then how many
// more).
Error refusal_error(const RunPlan& plan);

// The seed of a job that leaves it open: made from what the job is (without the places of model and inputs), so that
// going on, another host, or another order of the file gives the same; `occurrence` counts equal jobs of a file.
std::uint64_t derived_seed(const VideoJob& job, int occurrence);

}  // namespace rubato
