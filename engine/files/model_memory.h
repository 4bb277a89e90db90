// How much memory the parts of a video model take, from their configurations alone: for the engine, which cuts its
// work to what is free, and for programs that plan without it.
//
// Bytes are those of tensors at the widest moment, besides the weights; what a library takes for itself comes on top.
// Each formula follows the code it names and is held to libtorch's allocator by tests/unit/engine.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace rubato {

// ---- Wan's video autoencoder (engine/models/wan_vae) -----------------------------------------------------------
struct WanVaeShape {
  std::int64_t decoder_base_dim = 96, z_dim = 16, num_res_blocks = 2, patch_size = 1;
  std::vector<std::int64_t> dim_mult{1, 2, 4, 4};            // channels of each level, times the base
  std::vector<bool> temporal_downsample{false, true, true};  // encoder order
  bool is_residual = false;

  std::int64_t spatial_ratio() const;   // pixels per latent cell along one side
  std::int64_t temporal_ratio() const;  // frames per latent frame after the first
};

struct DecodeSize {
  std::int64_t width = 0, height = 0;  // pixels of the clip
  std::int64_t frames = 1;
  std::int64_t tile = 0;  // pixels; 0 = whole frames
  std::int64_t latents_at_a_time = 1;
  std::int64_t bytes_per_value = 4;  // of the dtype that the VAE computes in
};

// The histories of all convolutions plus the widest moment of the pass, for one sample.
std::uint64_t decode_bytes(const WanVaeShape& shape, const DecodeSize& size);

// The largest number of latent frames in one pass that is still fast: few enough that the activations stay near the
// processor's caches, many enough that small frames fill its threads. Measured on the CPU; 1 elsewhere.
std::int64_t fast_latents_at_a_time(const WanVaeShape& shape, std::int64_t width, std::int64_t height, bool on_cpu);

// Sides of the square tiles, in pixels, that a decode may be cut into; 0 = whole frames. First choice first.
inline constexpr std::array<std::int64_t, 6> kDecodeTiles{0, 1024, 768, 512, 384, 256};

// ---- Wan's transformer (engine/models/wan) ----------------------------------------------------------------------
struct WanShape {
  std::int64_t width = 5120, heads = 40, ffn_width = 13824, layers = 40;
  std::int64_t in_channels = 16, out_channels = 16, text_width = 4096;
  std::array<std::int64_t, 3> patch{1, 2, 2};  // latent frames, rows, columns in one token
};

struct DenoiseSize {
  std::int64_t latent_frames = 1, rows = 0, columns = 0;  // of the latent
  std::int64_t text_tokens = 512;
  std::int64_t branches = 2;  // of guidance
  bool batched = true;        // in one call
  std::int64_t experts = 1;   // whose text is held
  std::int64_t bytes_per_value = 2;
  bool on_cpu = false;
};

// Whether both branches of guidance go through the transformer as one batch: while the widest activation stays below
// 2 GiB. Above it the gain is gone and the memory is better spent elsewhere.
bool branches_fit_one_batch(const WanShape& shape, std::int64_t tokens, std::int64_t bytes_per_value);

// Keys and values of the prompts for all blocks, held during the whole run.
std::uint64_t text_context_bytes(const WanShape& shape, const DenoiseSize& size);
// The widest moment of one block, what stays during a step (latents, rotations, velocities) and the text's keys.
std::uint64_t denoise_bytes(const WanShape& shape, const DenoiseSize& size);

// ---- UMT5 (engine/models/umt5) ----------------------------------------------------------------------------------
struct Umt5Shape {
  std::int64_t width = 4096, heads = 64, head_width = 64, ffn_width = 10240;
};
// One prompt of this many tokens; the other one's result is held beside it.
std::uint64_t encode_text_bytes(const Umt5Shape& shape, std::int64_t tokens, std::int64_t bytes_per_value);

}  // namespace rubato
