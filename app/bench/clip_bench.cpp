// A whole clip with a real checkpoint: text, denoising and decoding, without start-up and loading, which is how
// tests/bench/peer_diffusers_cpu.py times diffusers on the same folder.
#include <fmt/format.h>
#include <sys/resource.h>
#include <torch/types.h>

#include <chrono>

#include "app/bench/bench.h"
#include "kernels/device.h"
#include "pipelines/job/video_model.h"
#include "pipelines/text_to_video/request_of.h"
#include "pipelines/text_to_video/wan_pipeline.h"

namespace rubato::bench {
namespace {

struct ClipSeconds {
  double text = 0, denoise = 0, decode = 0;
  double total() const { return text + denoise + decode; }
};

double since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Result<ClipSeconds> render(WanPipeline& pipeline, const VideoRequest& request) {
  ClipSeconds seconds;
  auto start = std::chrono::steady_clock::now();
  RUBATO_TRY(text, pipeline.encode_text(request));
  seconds.text = since(start);

  start = std::chrono::steady_clock::now();
  RUBATO_TRY(latents, pipeline.denoise(request, text, {0, pipeline.initial_latents(request), {}}, {}, {}));
  seconds.denoise = since(start);

  start = std::chrono::steady_clock::now();
  std::vector<at::Tensor> frames;  // held as 8-bit, as a player would need them
  pipeline.decode(latents, {},
                  [&](const at::Tensor& part) { frames.push_back(part.add(1).mul_(127.5).to(at::kCPU, at::kByte)); });
  seconds.decode = since(start);
  return seconds;
}

}  // namespace

Result<> clip(const Options& options) {
  const c10::InferenceMode inference;
  RUBATO_TRY(model, open_video_model(options.model));
  VideoJob job;
  job.prompt = model.card && !model.card->prompts.empty() ? model.card->prompts.front() : "a lighthouse at dusk";
  job.seed = 1;
  RUBATO_TRY(resolved, resolve_video_job(job, model));
  const auto request = request_of(resolved);

  reset_peak_memory(options.device);
  const auto start = std::chrono::steady_clock::now();
  RUBATO_TRY(pipeline, WanPipeline::load(model.folder, {options.device, options.dtype, options.offload}));
  const double load_s = since(start);
  RUBATO_TRY(warm_up, render(*pipeline, request));
  std::vector<double> text, denoise, decode, total;
  for (int i = 0; i < options.repeats; ++i) {
    RUBATO_TRY(seconds, render(*pipeline, request));
    text.push_back(seconds.text);
    denoise.push_back(seconds.denoise);
    decode.push_back(seconds.decode);
    total.push_back(seconds.total());
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto median = [](std::vector<double> all) { return Timing::of(std::move(all)).median_ms; };  // of seconds
  const nlohmann::json report{
      {"machine", machine(options.device)},
      {"model", model.name},
      {"clip", fmt::format("{}x{}, {} frames, {} steps, guidance {}", request.width, request.height, request.frames,
                           request.steps, request.guidance)},
      {"offload", offload_name(options.offload)},
      {"load_s", load_s},
      {"first_run_s", warm_up.total()},
      {"wall_s", {{"text", median(text)}, {"denoise", median(denoise)}, {"decode", median(decode)}}},
      {"total_wall_s", median(total)},
      {"all_total_wall_s", total},
      {"peak_device_mb", static_cast<double>(memory_use(options.device).peak_bytes) / 1e6},
      {"peak_rss_mb", static_cast<double>(usage.ru_maxrss) * 1024 / 1e6}};
  fmt::print("{}\n", report.dump(2));
  return write_report(options, report);
}

}  // namespace rubato::bench
