#include "engine/models/wan_vae/memory.h"

#include <algorithm>

#include "engine/models/wan_vae/decoder.h"

namespace rubato {

std::uint64_t decode_bytes(const WanVaeConfig& config, const DecodeSize& size) {
  const std::int64_t cell = config.spatial_ratio();
  const bool tiled = size.tile > 0 && (size.tile < size.width || size.tile < size.height);
  const std::int64_t width = tiled ? std::min(size.tile, size.width) : size.width;
  const std::int64_t height = tiled ? std::min(size.tile, size.height) : size.height;
  std::int64_t pixels = ((width + cell - 1) / cell) * ((height + cell - 1) / cell);  // of the level at hand
  std::int64_t frames = size.latents_at_a_time;
  constexpr std::int64_t kKept = 2;  // frames in a history

  std::int64_t histories = 0, widest = 0;  // in values
  // A residual block: its input, the padded input of its second convolution and what goes in or comes out.
  const auto block = [&](std::int64_t in, std::int64_t out) {
    histories += kKept * pixels * (in + out);
    const std::int64_t first = frames * (in + out) + (frames + kKept) * in;
    const std::int64_t second = frames * (in == out ? in : in + out) + frames * out + (frames + kKept) * out;
    widest = std::max(widest, pixels * std::max(first, second));
  };
  const auto levels = wan_vae::Decoder::plan(config);
  const std::int64_t top = levels.front().in;
  histories += kKept * pixels * config.z_dim;
  block(top, top);
  block(top, top);
  widest = std::max(widest, pixels * frames * top * 6);  // attention: x, its norm, queries, keys, values, result
  for (const auto& level : levels) {
    for (std::int64_t i = 0; i < level.resnets; ++i) block(i == 0 ? level.in : level.out, level.out);
    if (!level.enlarges) continue;
    if (level.in_time == wan_vae::InTime::Yes) histories += kKept * pixels * level.out;
    const std::int64_t doubled = level.in_time == wan_vae::InTime::Yes ? 2 * frames : frames;
    // x and its padded copy, one convolution in time, the four phases, the result.
    widest = std::max(widest, pixels * ((2 * frames + kKept + frames) * level.out + frames * 4 * level.enlarged +
                                        doubled * 4 * level.enlarged));
    pixels *= 4;
    frames = doubled;
  }
  const std::int64_t last = levels.back().out;
  histories += kKept * pixels * last;
  widest = std::max(widest, pixels * ((2 * frames + kKept) * last + 2 * frames * config.pixel_channels()));
  auto bytes = static_cast<std::uint64_t>((histories + widest) * size.bytes_per_value);
  const std::int64_t canvas_value = size.bytes_per_value == 4 ? 4 : 2;
  if (tiled) bytes += static_cast<std::uint64_t>(size.frames * size.width * size.height * 3 * canvas_value);
  return bytes;
}

std::int64_t fast_latents_at_a_time(const WanVaeConfig& config, std::int64_t width, std::int64_t height, bool on_cpu) {
  if (!on_cpu) return 1;
  // The widest activation of one latent frame at full resolution, in values.
  const std::int64_t values = config.temporal_ratio() * config.decoder_base_dim * config.dim_mult.front() * width *
                              height / (config.patch_size * config.patch_size);
  constexpr std::int64_t kFits = 1 << 20;
  return std::clamp<std::int64_t>(kFits / std::max<std::int64_t>(values, 1), 1, 16);
}

}  // namespace rubato
