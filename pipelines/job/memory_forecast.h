// What a job will take of the device's and the host's memory, and how it can be made to fit: before anything is loaded.
//
// Read from configurations and weight headers alone. Bytes of weights are exact; those of activations follow the code
// (engine/files/model_memory.h); what libraries take for themselves is an allowance (see the .cpp).
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "pipelines/job/memory_plan.h"
#include "pipelines/job/video_job.h"
#include "pipelines/job/video_model.h"

namespace rubato {

// What there is. A missing value means that it is not known, and then nothing is said to be too little.
struct MemoryAvailable {
  std::string device = "cpu";  // "cpu" or "cuda:N"
  std::optional<std::uint64_t> device_bytes, host_bytes;
};

// Of this machine, for a job's `device` ("auto": the first GPU that the driver shows, else the CPU), less what the job
// leaves to others (`reserve`) and at most its `max_ram`.
MemoryAvailable memory_available(const VideoJob& job);

enum class Fit { Fits, FitsWithOffload, DoesNotFit };
constexpr std::string_view fit_name(Fit fit) {
  return fit == Fit::Fits ? "fits" : fit == Fit::FitsWithOffload ? "fits_with_offload" : "does_not_fit";
}

struct MemoryForecast {
  struct Part {
    std::string name;                                  // "text_encoder", "transformer", "transformer_2", "vae"
    std::uint64_t stored_bytes = 0, loaded_bytes = 0;  // on disk, and in the dtype that the job computes in
    std::uint64_t block_bytes = 0;                     // of those, in its largest block; 0 = it has none
    std::uint64_t blocks_bytes = 0;                    // in all blocks
  };
  std::vector<Part> parts;
  std::uint64_t text_bytes = 0, denoise_bytes = 0, decode_bytes = 0;  // of each stage besides the weights, as planned
  MemoryPlan plan;                                                    // the first that fits, else the smallest
  // Peaks under the plan; on the CPU device_bytes is 0 and all is the host's.
  std::uint64_t device_bytes = 0, host_bytes = 0;
  std::uint64_t resident_bytes = 0;  // peak of the device (of the host on the CPU) with everything resident
  Fit fit = Fit::Fits;
  std::string sentence;  // for people: what it takes, and what would make it fit
};

nlohmann::json to_json(const MemoryForecast& forecast);

// What was read of models' weight headers, for many forecasts in a row. Not for longer: files may change.
using KnownWeights = std::map<std::string, std::vector<MemoryForecast::Part>>;

// job: resolved (every field filled). Errors are those of files that cannot be read.
Result<MemoryForecast> forecast_memory(const VideoModel& model, const VideoJob& job, const MemoryAvailable& available,
                                       KnownWeights* known = nullptr);

}  // namespace rubato
