// Preflight: what can be said about a job before an engine is started.
#pragma once

#include <filesystem>
#include <string>

#include "engine/base/error.h"
#include "engine/files/model_scan.h"
#include "pipelines/job/video_job.h"
#include "pipelines/job/video_model.h"

namespace rubato {

// The extension is one that can be written (names the nearest), the outputs are not in the way of `overwrite`, of each
// other or of an input, their folders are writable, and the inputs can be read.
// `report` is the command's own output, empty for none.
Result<> check_files(const VideoJob& job, const std::filesystem::path& report = {});

// The extension alone; a folder name that ends in / takes frames.
Result<> check_extension(const std::filesystem::path& out);

// `out` as it is when free, else with the first free "-2", "-3", … before its extension: --overwrite=rename.
std::filesystem::path free_name(const std::filesystem::path& out);

struct Ready {
  VideoJob job;  // every field filled, model = its folder
  VideoModel model;
};
// Finds the model (the practice model when none is named), fills open fields, and checks the geometry, that the
// output's name can take as many pictures, the headers of tensors that the job is given, and what can be known of the
// machine (capacity.h).
Result<Ready> resolve(VideoJob job, const ModelFolders& where);

}  // namespace rubato
