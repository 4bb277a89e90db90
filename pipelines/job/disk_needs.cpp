#include "pipelines/job/disk_needs.h"

#include <filesystem>

#include "pipelines/job/tensor_inputs.h"

namespace rubato {
namespace {

// A state is the latents and what a multistep sampler remembers: three outputs and a sample at most, each as large.
constexpr std::uint64_t kTensorsOfAState = 5;
constexpr std::uint64_t kHeaderBytes = 64 << 10;  // of both files of a state, generously

}  // namespace

std::uint64_t latents_bytes(const VideoJob& job, const VideoModel& model) {
  std::uint64_t bytes = sizeof(float);
  for (const auto extent : latent_shape(job, model)) bytes *= static_cast<std::uint64_t>(extent);
  return bytes;
}

std::uint64_t trace_bytes(const VideoJob& job, const VideoModel& model) {
  return latents_bytes(job, model) * (1 + 2 * static_cast<std::uint64_t>(*job.steps));
}

std::uint64_t saved_state_bytes(std::uint64_t latents) { return kTensorsOfAState * latents + kHeaderBytes; }

std::uint64_t expected_output_bytes(const VideoJob& job, const VideoModel& model) {
  const double pixels = 1.0 * job.size->width * job.size->height * *job.frames;
  const auto format = std::filesystem::path(job.out).extension();
  const bool video = format == ".mp4" || format == ".webm" || format == ".webp";
  // Bytes a pixel of a noisy clip; tensors hold three floats, pictures about three bytes.
  const double each = video ? 0.25 : format == ".gif" ? 1 : format == ".safetensors" ? 12 : 3;
  const auto latents = latents_bytes(job, model);
  auto bytes = static_cast<std::uint64_t>(pixels * each) + (64u << 10) + kHeldStates * saved_state_bytes(latents);
  if (!job.latents_out.empty()) bytes += latents;
  if (!job.trace.empty()) bytes += trace_bytes(job, model);
  return bytes;
}

}  // namespace rubato
