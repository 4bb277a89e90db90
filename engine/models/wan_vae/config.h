// Configuration of AutoencoderKLWan: the causal video VAE of Wan 2.1, Wan 2.2 (residual) and their small relatives.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "engine/base/error.h"

namespace rubato {

struct WanVaeConfig {
  std::int64_t base_dim = 96;                                // encoder channels at full resolution
  std::int64_t decoder_base_dim = 96;                        // decoder channels at full resolution
  std::int64_t z_dim = 16;                                   // latent channels
  std::vector<std::int64_t> dim_mult{1, 2, 4, 4};            // channels of each level, times the base
  std::int64_t num_res_blocks = 2;                           // per level; the decoder has one more
  std::vector<bool> temporal_downsample{false, true, true};  // encoder order: one for each step between levels
  bool is_residual = false;                       // Wan 2.2: averaging and duplicating shortcuts around each level
  std::int64_t patch_size = 1;                    // patch × patch pixels are folded into channels first
  std::vector<double> latents_mean, latents_std;  // per latent channel: normalised = (latent - mean) / std

  // Reads vae/config.json. ModelUnfit names every value that is out of range or asks for something unsupported.
  static Result<WanVaeConfig> from_json(const nlohmann::json& json, const std::string& source = "vae/config.json");

  std::int64_t pixel_channels() const { return 3 * patch_size * patch_size; }
  std::int64_t spatial_ratio() const;   // pixels per latent cell along one side
  std::int64_t temporal_ratio() const;  // frames per latent frame after the first
  // The first latent frame is one frame, each later one temporal_ratio() frames; and back.
  std::int64_t frames_of(std::int64_t latent_frames) const { return 1 + (latent_frames - 1) * temporal_ratio(); }
  std::int64_t latent_frames_of(std::int64_t frames) const { return 1 + (frames - 1) / temporal_ratio(); }
};

}  // namespace rubato
