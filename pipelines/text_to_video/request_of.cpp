#include "pipelines/text_to_video/request_of.h"

#include "engine/base/check.h"

namespace rubato {

VideoRequest request_of(const VideoJob& job) {
  RUBATO_CHECK(job.size && job.frames && job.steps && job.guidance && job.max_sequence_length && job.seed,
               "a job with open fields");
  VideoRequest request;
  request.prompt = job.prompt;
  request.negative_prompt = job.negative_prompt.value_or("");
  request.width = job.size->width;
  request.height = job.size->height;
  request.frames = *job.frames;
  request.steps = *job.steps;
  request.guidance = *job.guidance;
  request.guidance_2 = job.guidance_2.value_or(*job.guidance);
  request.max_sequence_length = *job.max_sequence_length;
  request.seed = *job.seed;
  return request;
}

}  // namespace rubato
