// Runs one video job: inputs to tensors, the pipeline, outputs to files, partial work, report.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/files/model_scan.h"
#include "pipelines/job/protocol.h"
#include "pipelines/job/video_job.h"
#include "pipelines/runner/job_events.h"
#include "pipelines/text_to_video/wan_pipeline.h"

namespace rubato {

struct JobResult {
  std::vector<protocol::Output> outputs;
  nlohmann::json report;
};

// How a job ended badly: the error, and what of the work is still there ("" = nothing).
struct JobFailure {
  Error error;
  std::string kept;
};

// Keeps the last model loaded, so that a second job with it starts at once.
class LoadedModel {
 public:
  // The pipeline of a folder, loaded or reused. `reused` says which.
  Result<WanPipeline*> get(const PipelineFolder& folder, const WanPipeline::LoadOptions& options, JobEvents& events,
                           ProgressMeter& meter, std::stop_token stop);
  // Gives the memory back (after running out of it).
  void drop();
  // The same, unless it is loaded in this way; true when nothing is loaded any more.
  bool drop_unless(const WanPipeline::LoadOptions& options);

 private:
  std::unique_ptr<WanPipeline> pipeline_;
  std::string key_;
  WanPipeline::LoadOptions options_;
};

class VideoRunner {
 public:
  explicit VideoRunner(ModelFolders models) : models_(std::move(models)) {}

  // Blocks until the job is done, failed or stopped. Nothing is thrown.
  std::variant<JobResult, JobFailure> run(const VideoJob& job, JobEvents& events, std::stop_token stop,
                                            const protocol::RunHints& hints = {});

 private:
  ModelFolders models_;
  LoadedModel model_;
};

}  // namespace rubato
