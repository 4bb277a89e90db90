// Tensors that a job is given instead of making them itself (--latents-in, --image of a safetensors file): held to what
// the job needs by the file's header alone, before a model is loaded.
#pragma once

#include <array>
#include <cstdint>

#include "engine/base/error.h"
#include "pipelines/job/video_job.h"
#include "pipelines/job/video_model.h"

namespace rubato {

// [1, C, latent F, h, w] of a resolved job.
std::array<std::int64_t, 5> latent_shape(const VideoJob& job, const VideoModel& model);

// Of a resolved job. CannotRead when a file is not there or no safetensors file, or lacks the tensor (names those it
// has); Corrupt when the tensor has another shape than the job needs, or no floating-point numbers.
Result<> check_tensor_inputs(const VideoJob& job, const VideoModel& model);

}  // namespace rubato
