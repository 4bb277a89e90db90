// Sizes and options of a Wan transformer (diffusers: WanTransformer3DModel), read from its config.json.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/base/error.h"

namespace rubato::wan {

struct Config {
  std::array<std::int64_t, 3> patch{1, 2, 2};  // latent frames, rows, columns in one token
  std::int64_t heads = 40, head_width = 128, layers = 40;
  std::int64_t in_channels = 16, out_channels = 16;
  std::int64_t text_width = 4096, time_frequencies = 256, ffn_width = 13824;
  std::int64_t rope_positions = 1024;  // most tokens along any axis
  bool cross_attention_norm = true;
  double eps = 1e-6;

  std::int64_t width() const { return heads * head_width; }
  std::int64_t patch_volume() const { return patch[0] * patch[1] * patch[2]; }
  // Whether latents of this size can be cut into patches and have positions: JobInvalid says which size to take.
  Result<> check_latent(std::int64_t frames, std::int64_t height, std::int64_t width) const;

  // ModelUnfit names every key that is unknown, out of range or asks for something unsupported.
  static Result<Config> from_json(const nlohmann::json& json, const std::string& source = "transformer/config.json");
};

}  // namespace rubato::wan
