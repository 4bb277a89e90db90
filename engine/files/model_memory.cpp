#include "engine/files/model_memory.h"

#include <algorithm>

namespace rubato {
namespace {

std::uint64_t to_bytes(std::int64_t values, std::int64_t bytes_per_value) {
  return static_cast<std::uint64_t>(values) * static_cast<std::uint64_t>(bytes_per_value);
}

}  // namespace

std::int64_t WanVaeShape::spatial_ratio() const {
  return patch_size << (static_cast<std::int64_t>(dim_mult.size()) - 1);
}

std::int64_t WanVaeShape::temporal_ratio() const {
  return std::int64_t{1} << std::count(temporal_downsample.begin(), temporal_downsample.end(), true);
}

// Follows Decoder::plan() and the order in which its layers let go of their tensors.
std::uint64_t decode_bytes(const WanVaeShape& shape, const DecodeSize& size) {
  const std::int64_t cell = shape.spatial_ratio();
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
  const std::int64_t top = shape.decoder_base_dim * shape.dim_mult.back();
  histories += kKept * pixels * shape.z_dim;
  block(top, top);
  block(top, top);
  widest = std::max(widest, pixels * frames * top * 6);  // attention: x, its norm, queries, keys, values, result
  std::int64_t in = top;
  for (std::size_t i = shape.dim_mult.size(); i-- > 0;) {
    const std::int64_t out = shape.decoder_base_dim * shape.dim_mult[i];
    for (std::int64_t k = 0; k <= shape.num_res_blocks; ++k) block(k == 0 ? in : out, out);
    if (i == 0) break;
    const bool in_time = shape.temporal_downsample[i - 1];
    const std::int64_t enlarged = shape.is_residual ? out : out / 2;
    if (in_time) histories += kKept * pixels * out;
    const std::int64_t doubled = in_time ? 2 * frames : frames;
    // x and its padded copy, one convolution in time, the four phases, the result.
    widest = std::max(widest,
                      pixels * ((2 * frames + kKept + frames) * out + frames * 4 * enlarged + doubled * 4 * enlarged));
    pixels *= 4;
    frames = doubled;
    in = enlarged;
  }
  const std::int64_t last = shape.decoder_base_dim * shape.dim_mult.front();
  const std::int64_t pixel_channels = 3 * shape.patch_size * shape.patch_size;
  histories += kKept * pixels * last;
  widest = std::max(widest, pixels * ((2 * frames + kKept) * last + 2 * frames * pixel_channels));
  auto bytes = to_bytes(histories + widest, size.bytes_per_value);
  const std::int64_t canvas_value = size.bytes_per_value == 4 ? 4 : 2;
  if (tiled) bytes += to_bytes(size.frames * size.width * size.height * 3, canvas_value);
  return bytes;
}

std::int64_t fast_latents_at_a_time(const WanVaeShape& shape, std::int64_t width, std::int64_t height, bool on_cpu) {
  if (!on_cpu) return 1;
  // The widest activation of one latent frame at full resolution, in values.
  const std::int64_t values = shape.temporal_ratio() * shape.decoder_base_dim * shape.dim_mult.front() * width *
                              height / (shape.patch_size * shape.patch_size);
  constexpr std::int64_t kFits = 1 << 20;
  return std::clamp<std::int64_t>(kFits / std::max<std::int64_t>(values, 1), 1, 16);
}

bool branches_fit_one_batch(const WanShape& shape, std::int64_t tokens, std::int64_t bytes_per_value) {
  constexpr std::int64_t kWidest = 2ll << 30;
  return 2 * tokens * shape.ffn_width * bytes_per_value <= kWidest;
}

// CrossAttention::text_kv(): on the CPU a short text is held as its keys and projected values, where all heads' scores
// of a token fit into the token's width; the prompt's length is not known here, so the longest such text counts.
std::uint64_t text_context_bytes(const WanShape& shape, const DenoiseSize& size) {
  const std::int64_t per_block =
      size.on_cpu ? shape.width * (shape.width + shape.width / shape.heads) : 2 * size.text_tokens * shape.width;
  return to_bytes(size.experts * size.branches * shape.layers * per_block, size.bytes_per_value);
}

// Tensors of one token that are alive at once, in widths D, as Block::operator() holds them:
//   attention      stream and norm 2, queries+keys+values 3, rotated queries and keys 2, result 1, its copy 1 = 9
//                  (and one more where the last keys are attended to on their own: cuDNN)
//   feed-forward   stream and norm 2, attended 1, sum and norm 2, told 1, sum and norm 2, result 1 = 9, and F values
//   leaving        the same 9 and the next sum and norm = 11
std::uint64_t denoise_bytes(const WanShape& shape, const DenoiseSize& size) {
  const auto [pt, ph, pw] = shape.patch;
  const std::int64_t cells = size.latent_frames * size.rows * size.columns;
  const std::int64_t tokens = cells / (pt * ph * pw);
  const std::int64_t at_once = size.batched ? size.branches : 1;
  const std::int64_t per_token = std::max(9 * shape.width + shape.ffn_width, 11 * shape.width);
  const std::uint64_t block = to_bytes(at_once * tokens * per_token, size.bytes_per_value);
  // float32: cosines and sines of half a head each; latents, velocities of the branches, their sum, the next latents
  // and what the multistep sampler remembers.
  constexpr std::int64_t kLatents = 6;
  const std::int64_t head_width = shape.width / shape.heads;
  const std::uint64_t held =
      to_bytes(tokens * head_width + cells * shape.out_channels * (kLatents + size.branches), sizeof(float));
  return block + held + text_context_bytes(shape, size);
}

// SelfAttention and FeedForward of the encoder: the stream, its norm and sum; q, k, v and the result; the gated pair,
// its activation and product; the relative bias of all heads, gathered and laid out.
std::uint64_t encode_text_bytes(const Umt5Shape& shape, std::int64_t tokens, std::int64_t bytes_per_value) {
  const std::int64_t inner = shape.heads * shape.head_width;
  const std::int64_t attention = 4 * shape.width + 5 * inner + 3 * shape.heads * tokens;
  const std::int64_t ffn = 4 * shape.width + 4 * shape.ffn_width;
  return to_bytes(tokens * std::max(attention, ffn) + tokens * shape.width, bytes_per_value);
}

}  // namespace rubato
