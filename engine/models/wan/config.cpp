#include "engine/models/wan/config.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/models/config_reader.h"

namespace rubato::wan {

Result<Config> Config::from_json(const nlohmann::json& json, const std::string& source) {
  ConfigReader read(json, source);
  Config config;
  const auto patch = read.integers("patch_size", {1, 2, 2}, 1, 16);
  if (patch.size() == 3) {
    std::ranges::copy(patch, config.patch.begin());
  } else {
    read.problem("patch_size must have three numbers");
  }
  config.heads = read.integer("num_attention_heads", config.heads, 1, 1024);
  config.head_width = read.integer("attention_head_dim", config.head_width, 2, 1024);
  config.layers = read.integer("num_layers", config.layers, 1, 512);
  config.in_channels = read.integer("in_channels", config.in_channels, 1, 4096);
  const bool null_outputs = json.is_object() && json.contains("out_channels");  // null stands for in_channels
  config.out_channels = read.integer("out_channels", null_outputs ? config.in_channels : 16, 1, 4096);
  config.text_width = read.integer("text_dim", config.text_width, 1, 1 << 16);
  config.time_frequencies = read.integer("freq_dim", config.time_frequencies, 2, 1 << 16);
  config.ffn_width = read.integer("ffn_dim", config.ffn_width, 1, 1 << 18);
  config.rope_positions = read.integer("rope_max_seq_len", config.rope_positions, 1, 1 << 20);
  config.cross_attention_norm = read.flag("cross_attn_norm", true);
  config.eps = read.number("eps", config.eps);
  // diffusers applies the norm over all heads whatever this says.
  read.only("qk_norm", "rms_norm_across_heads");
  for (const char* key : {"image_dim", "added_kv_proj_dim", "pos_embed_seq_len"}) read.only(key, nullptr);
  if (config.head_width % 2 != 0) read.problem("attention_head_dim must be even");
  RUBATO_OK(read.finish());
  return config;
}

Result<> Config::check_latent(std::int64_t frames, std::int64_t height, std::int64_t width) const {
  const std::array<std::int64_t, 3> size{frames, height, width};
  constexpr std::array<const char*, 3> kAxis{"frames", "rows", "columns"};
  for (std::size_t i = 0; i < 3; ++i) {
    const std::int64_t most = rope_positions * patch[i];
    if (size[i] > 0 && size[i] % patch[i] == 0 && size[i] <= most) continue;
    const std::int64_t near = std::clamp((size[i] + patch[i] / 2) / patch[i] * patch[i], patch[i], most);
    return Error{ErrorCode::JobInvalid, "this model takes latents whose " + std::string(kAxis[i]) +
                                            " are a multiple of " + std::to_string(patch[i]) + " up to " +
                                            std::to_string(most) + ", not " + std::to_string(size[i]) +
                                            "; the nearest is " + std::to_string(near) + "."};
  }
  return {};
}

}  // namespace rubato::wan
