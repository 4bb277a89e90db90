// Capacity: what a job asks of the machine, as far as that can be known without an engine: that the device is there,
// and that the job is not hopeless for the main memory. The engine has the last word on both.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/error.h"
#include "pipelines/job/video_job.h"
#include "pipelines/job/video_model.h"

namespace rubato {

// How many GPUs a job could name: NVIDIA's device files, less what CUDA_VISIBLE_DEVICES (nullptr = unset) hides.
// Nothing where that cannot be told (WSL has no such files).
std::optional<int> gpu_count(const std::filesystem::path& dev, const char* visible);

// NoDevice for a GPU that is not among `gpus` (gpu_count); names the nearest that is there.
Result<> check_device(const std::string& device, std::optional<int> gpus);

// Bytes that any way to render a resolved job must hold at once, float32 on a CPU: in self-attention the tokens, their
// queries, keys and values. The true need is larger; weights are left out, since they are mapped.
Result<std::uint64_t> least_memory(const VideoJob& job, const VideoModel& model);

// OutOfMemory when a job on the CPU needs at least more than `limit` bytes: names the size and the length that might
// fit.
Result<> check_memory(const VideoJob& job, const VideoModel& model, std::uint64_t limit);

// All of it for a resolved job on this machine.
Result<> check_capacity(const VideoJob& job, const VideoModel& model);

}  // namespace rubato
