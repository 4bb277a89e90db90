// How much of the disk a job takes. What the worker makes sure of before it renders and what a run or the queue asks
// for before it starts the job are the same numbers: a run that asks for less would start jobs that cannot but fail.
#pragma once

#include <cstdint>

#include "pipelines/job/video_job.h"
#include "pipelines/job/video_model.h"

namespace rubato {

// Bytes; all for resolved jobs.

// The latents in float32, as `latents_out` takes them.
std::uint64_t latents_bytes(const VideoJob& job, const VideoModel& model);
// The tensors of `trace`: the latents at first, and of every step the latents and the velocity.
std::uint64_t trace_bytes(const VideoJob& job, const VideoModel& model);
// A state of the denoising in the partial work, of latents that take `latents`.
std::uint64_t saved_state_bytes(std::uint64_t latents);
// The worker holds room for so many states: a save writes the new one beside the old one.
inline constexpr int kHeldStates = 2;

// What a job's files may take, its partial work included: the output is an estimate from size, length and format,
// rather too much than too little.
std::uint64_t expected_output_bytes(const VideoJob& job, const VideoModel& model);

}  // namespace rubato
