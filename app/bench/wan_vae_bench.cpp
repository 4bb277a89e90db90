// Decoding a clip by a Wan 2.1 VAE with random weights: streamed, as a render does it, to frames on the device.
#include <fmt/format.h>
#include <torch/types.h>

#include "app/bench/bench.h"
#include "app/bench/random_weights.h"
#include "engine/models/wan_vae/decoder.h"
#include "engine/models/wan_vae/encoder.h"
#include "engine/models/wan_vae/vae.h"
#include "kernels/device.h"

namespace rubato::bench {

Result<> wan_vae(const Options& options) {
  const at::InferenceMode inference;
  const WanVaeConfig config;  // Wan 2.1
  RandomWeights weights(options.device, options.dtype);
  wan_vae::Encoder encoder(config);
  wan_vae::Decoder decoder(config);
  wan_vae::Pointwise quant(2 * config.z_dim, 2 * config.z_dim), post_quant(config.z_dim, config.z_dim);
  weights.add(encoder, "encoder.");
  weights.add(decoder, "decoder.");
  weights.add(quant, "quant_conv.");
  weights.add(post_quant, "post_quant_conv.");
  RUBATO_TRY(vae, AutoencoderKLWan::load(config, weights.take(), options.device, options.dtype));

  const std::int64_t latent_frames = (options.frames - 1) / 4 + 1;
  const at::Tensor latents = at::randn({1, config.z_dim, latent_frames, options.height / 8, options.width / 8},
                                       at::TensorOptions(options.device).dtype(at::kFloat));
  std::int64_t frames = 0;
  bool finite = true;
  const auto decode = [&](const AutoencoderKLWan::Sink& sink) { vae->decode(latents, sink); };
  decode([&](const at::Tensor& part) {
    frames += part.size(2);
    finite = finite && part.isfinite().all().item<bool>();
  });
  if (frames != options.frames)
    return Error{ErrorCode::Usage, fmt::format("--frames must be 4k+1, not {}", options.frames)};
  if (!finite) return Error{ErrorCode::Numerics, "the frames are not finite"};
  reset_peak_memory(options.device);
  const Timing timing = time_runs(options.device, options.repeats, [&] { decode([](const at::Tensor&) {}); });
  const auto peak = memory_use(options.device).peak_bytes;

  const nlohmann::json report{{"bench", "wan-vae"},
                              {"shape",
                               {{"frames", frames},
                                {"width", options.width},
                                {"height", options.height},
                                {"dtype", c10::toString(options.dtype)},
                                {"weights", "random"}}},
                              {"decode", timing.json()},
                              {"peak_bytes", peak},
                              {"machine", machine(options.device)}};
  fmt::print("decode of {} frames {}x{}: {:.1f} ms ({:.1f} to {:.1f}), peak memory {:.2f} GB\n{}\n", frames,
             options.width, options.height, timing.median_ms, timing.min_ms, timing.max_ms,
             static_cast<double>(peak) * 1e-9, report["machine"].dump());
  return write_report(options, report);
}

}  // namespace rubato::bench
