// What a file says about itself: the metadata of Rubato's outputs, read through rubato-media (this program parses no
// media), or from the header of a safetensors file.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "engine/base/error.h"
#include "engine/files/model_scan.h"
#include "engine/files/safetensors.h"
#include "pipelines/job/video_job.h"

namespace rubato {

struct FileFacts {
  std::filesystem::path clip;                // the file, or the folder or pattern of frames that it is one of
  nlohmann::json metadata;                   // Rubato's, null when the file carries none
  std::string source;                        // "container", "sidecar", "header"
  nlohmann::json media;                      // rubato-media's probe, null for tensors
  std::optional<SafetensorsHeader> tensors;  // of a safetensors file
  std::string no_metadata;                   // why there is none, a sentence
};

// `file` may also be a folder of frames or a pattern such as shot_####.png. CannotRead or Corrupt when it is neither
// readable media nor safetensors.
Result<FileFacts> look_at(const std::filesystem::path& file);

// The job recorded in metadata, ready for `gen --job`: without id and overwrite, and with a model that can be found
// here: by the recorded name, else as the known model with the recorded content hash, as far as hashes are cached.
// A recorded folder (older versions) is taken while it is there. What is not found stays as recorded.
// `source` names the file in messages.
Result<VideoJob> recorded_job(const nlohmann::json& metadata, const std::string& source, const ModelFolders& where);

}  // namespace rubato
