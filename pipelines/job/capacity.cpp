#include "pipelines/job/capacity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "engine/base/text.h"
#include "pipelines/job/machine.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kHeldInAttention = 4;  // tokens, queries, keys, values
constexpr int kSurelyFits = 16;                // pixels; a side is never advised below it

// Bytes for one token at one place, all of kHeldInAttention.
Result<std::uint64_t> bytes_per_token(const VideoModel& model) {
  RUBATO_TRY(config, model.folder.config("transformer"));
  const auto at = [&](const char* key, std::uint64_t otherwise) {
    const auto found = config.find(key);
    return found != config.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : otherwise;
  };
  // Bounded, so that a made-up configuration cannot overflow; the engine refuses it by name.
  const auto width = std::min<std::uint64_t>(at("num_attention_heads", 40) * at("attention_head_dim", 128), 1u << 20);
  return kHeldInAttention * width * sizeof(float);
}

std::uint64_t tokens(const Size& size, int frames, const VideoModel& model) {
  const auto latent_frames = static_cast<std::uint64_t>((frames - 1) / model.temporal_ratio + 1);
  return latent_frames * static_cast<std::uint64_t>(size.width / model.width_multiple) *
         static_cast<std::uint64_t>(size.height / model.height_multiple);
}

}  // namespace

std::optional<int> gpu_count(const fs::path& dev, const char* visible) {
  std::error_code failed;
  if (fs::exists(dev / "dxg", failed)) return std::nullopt;
  int count = 0;
  for (fs::directory_iterator entry(dev, failed), end; !failed && entry != end; entry.increment(failed)) {
    const auto name = entry->path().filename().string();
    count += name.size() > 6 && name.starts_with("nvidia") && name.find_first_not_of("0123456789", 6) == name.npos;
  }
  if (visible == nullptr) return count;
  if (trim(visible).empty() || trim(visible).starts_with('-')) return 0;
  return std::min(count, static_cast<int>(split(visible, ',').size()));
}

Result<> check_device(const std::string& device, std::optional<int> gpus) {
  if (!device.starts_with("cuda") || !gpus) return {};
  if (*gpus == 0)
    return Error{
        ErrorCode::NoDevice,
        fmt::format("there is no device {}: this machine shows no NVIDIA GPU; the CPU is there, as 'cpu'", device)};
  const int index = device == "cuda" ? 0 : std::atoi(device.c_str() + 5);
  if (index < *gpus) return {};
  return Error{ErrorCode::NoDevice,
               fmt::format("there is no device {}; this machine has {} GPU{}, the nearest is cuda:{}", device, *gpus,
                           *gpus == 1 ? "" : "s", *gpus - 1)};
}

Result<std::uint64_t> least_memory(const VideoJob& job, const VideoModel& model) {
  RUBATO_TRY(each, bytes_per_token(model));
  return tokens(*job.size, *job.frames, model) * each;
}

Result<> check_memory(const VideoJob& job, const VideoModel& model, std::uint64_t limit) {
  RUBATO_TRY(needed, least_memory(job, model));
  if (needed <= limit) return {};
  std::vector<std::string> advice;
  // Both advices are the most that passes this check.
  const double share = std::sqrt(static_cast<double>(limit) / static_cast<double>(needed));
  const auto shrink = [&](int side, int multiple) { return static_cast<int>(side * share) / multiple * multiple; };
  const Size smaller{shrink(job.size->width, model.width_multiple), shrink(job.size->height, model.height_multiple)};
  if (smaller.width >= kSurelyFits && smaller.height >= kSurelyFits)
    advice.push_back(fmt::format("{}x{}", smaller.width, smaller.height));
  RUBATO_TRY(each, bytes_per_token(model));
  if (const auto latent_frames = limit / (tokens(*job.size, 1, model) * each); latent_frames > 0)
    advice.push_back(
        latent_frames == 1
            ? "1 frame"
            : fmt::format("{} frames", (latent_frames - 1) * static_cast<unsigned>(model.temporal_ratio) + 1));
  return Error{ErrorCode::OutOfMemory,
               fmt::format("{} frame{} of {}x{} with {} need{} more than {} of memory, but this machine has {}; {}",
                           *job.frames, *job.frames == 1 ? "" : "s", job.size->width, job.size->height, model.name,
                           *job.frames == 1 ? "s" : "", human_bytes(needed), human_bytes(limit),
                           advice.empty() ? std::string("use a smaller model or a GPU")
                                          : fmt::format("at most {} could fit", join(advice, " or ")))};
}

Result<> check_capacity(const VideoJob& job, const VideoModel& model) {
  const auto gpus = gpu_count("/dev", std::getenv("CUDA_VISIBLE_DEVICES"));
  RUBATO_OK(check_device(job.device, gpus));
  const bool on_cpu = job.device == "cpu" || (job.device == "auto" && gpus == 0);
  if (!on_cpu) return {};
  const auto machine = memory();
  const auto limit = std::min(machine.total, machine.control_group.value_or(machine.total));
  return limit == 0 ? Result<>() : check_memory(job, model, limit);
}

}  // namespace rubato
