// A job as the pipeline's request.
#pragma once

#include "pipelines/job/video_job.h"
#include "pipelines/text_to_video/wan_pipeline.h"

namespace rubato {

// Of a resolved job (resolve_video_job) whose seed was drawn.
VideoRequest request_of(const VideoJob& job);

}  // namespace rubato
