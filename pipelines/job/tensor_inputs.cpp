#include "pipelines/job/tensor_inputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/base/text.h"
#include "engine/files/safetensors.h"

namespace rubato {
namespace {

bool is_floating(DType dtype) {
  return dtype == DType::F64 || dtype == DType::F32 || dtype == DType::F16 || dtype == DType::BF16;
}

struct Wanted {
  const char* flag;
  const char* tensor;
  std::vector<std::int64_t> shape;
};

Result<> check(const std::string& path, const Wanted& wanted, const std::string& of_what) {
  const auto header = read_safetensors_header(path);
  if (!header) return Error{ErrorCode::CannotRead, fmt::format("{}: {}", wanted.flag, header.error().message)};
  const auto found = header->tensors.find(wanted.tensor);
  if (found == header->tensors.end()) {
    std::vector<std::string> names;
    for (const auto& [name, info] : header->tensors) names.push_back(name);
    return Error{ErrorCode::CannotRead, fmt::format("{} {} holds no tensor '{}'; it has {}", wanted.flag, path,
                                                    wanted.tensor, names.empty() ? "none" : list_names(names))};
  }
  const auto& given = found->second;
  if (given.shape == wanted.shape && is_floating(given.dtype)) return {};
  return Error{
      ErrorCode::Corrupt,
      fmt::format("{} {}: the tensor '{}' is {} of shape [{}], but {} needs floating-point numbers of shape [{}]",
                  wanted.flag, path, wanted.tensor, dtype_name(given.dtype), fmt::join(given.shape, ", "), of_what,
                  fmt::join(wanted.shape, ", "))};
}

}  // namespace

std::array<std::int64_t, 5> latent_shape(const VideoJob& job, const VideoModel& model) {
  return {1, model.latent_channels, (*job.frames - 1) / model.temporal_ratio + 1,
          job.size->height / model.spatial_ratio, job.size->width / model.spatial_ratio};
}

Result<> check_tensor_inputs(const VideoJob& job, const VideoModel& model) {
  if (!job.latents_in.empty()) {
    const auto shape = latent_shape(job, model);
    RUBATO_OK(check(job.latents_in, {"--latents-in", "latents", {shape.begin(), shape.end()}},
                    fmt::format("a clip of {} frame{} of {}x{} with {}", *job.frames, *job.frames == 1 ? "" : "s",
                                job.size->width, job.size->height, model.name)));
  }
  if (std::filesystem::path(job.image).extension() == ".safetensors")
    RUBATO_OK(check(job.image, {"--image", "image", {job.size->height, job.size->width, 3}},
                    fmt::format("a clip of {}x{}", job.size->width, job.size->height)));
  return {};
}

}  // namespace rubato
