// What an output says about how it was made (interfaces.md "Metadata in every output"), and small helpers around it.
#pragma once

#include <ATen/core/Tensor.h>

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/base/progress.h"
#include "pipelines/job/video_model.h"

namespace rubato {

// Wall time by phase, to now.
nlohmann::json seconds_of(const ProgressMeter& meter);

// What is written into an output: job as resolved, versions, model and hash, device, libraries, seconds by phase but
// for "mux", the writing itself, and a one-line comment for players. Without frames_sha256, which the output knows.
nlohmann::json metadata_of(const VideoJob& job, const VideoModel& model, const std::string& content_hash,
                           at::Device device, const ProgressMeter& meter);

// A cheap stand-in for the content hash, for keys that live on one machine: paths, sizes and times of the weight files.
std::string model_stamp(const PipelineFolder& folder);

// Latents [1, C, F, h, w] through the card's linear map: [F, h, w, 3] 8-bit on the CPU; undefined when the map does not
// fit.
at::Tensor preview_rgb(const ModelCard::Preview& map, const at::Tensor& latents);

}  // namespace rubato
