#include "engine/models/wan_vae/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "engine/models/config_reader.h"

namespace rubato {
namespace {

// The statistics of the Wan 2.1 latents: what a configuration without them means.
const std::vector<double> kWan21Mean{-0.7571, -0.7089, -0.9113, 0.1075,  -0.1745, 0.9653,  -0.1517, 1.5508,
                                     0.4134,  -0.0715, 0.5517,  -0.3632, -0.1922, -0.9497, 0.2503,  -0.2921};
const std::vector<double> kWan21Std{2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743,
                                    3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160};

// Averaging groups of channels must come out even at every level that has the shortcut.
void check_shortcuts(const WanVaeConfig& config, ConfigReader& in) {
  const auto& mult = config.dim_mult;
  for (std::size_t level = 0; level < mult.size(); ++level) {
    const bool last = level + 1 == mult.size();
    const std::int64_t factor = last ? 1 : (config.temporal_downsample[level] ? 8 : 4);
    const std::int64_t from = config.base_dim * (level == 0 ? 1 : mult[level - 1]), to = config.base_dim * mult[level];
    if (from * factor % to != 0) {
      in.problem(fmt::format("dim_mult: the shortcut of level {} cannot average {} channels into {}", level,
                             from * factor, to));
    }
    if (last) continue;
    // The decoder's level, in its own order: the widest first.
    const std::size_t up = mult.size() - 1 - level;
    const std::int64_t wide = config.decoder_base_dim * (up + 1 == mult.size() ? mult[up] : mult[up + 1]);
    const std::int64_t narrow = config.decoder_base_dim * mult[up];
    const std::int64_t up_factor = config.temporal_downsample[up - 1] ? 8 : 4;
    if (narrow * up_factor % wide != 0) {
      in.problem(fmt::format("dim_mult: the shortcut of decoder level {} cannot repeat {} channels into {}", up, wide,
                             narrow * up_factor));
    }
  }
}

}  // namespace

Result<WanVaeConfig> WanVaeConfig::from_json(const nlohmann::json& json, const std::string& source) {
  ConfigReader in(json, source);
  WanVaeConfig config;
  config.base_dim = in.integer("base_dim", 96, 1, 4096);
  config.decoder_base_dim = in.integer("decoder_base_dim", config.base_dim, 1, 4096);
  config.z_dim = in.integer("z_dim", 16, 1, 1024);
  config.dim_mult = in.integers("dim_mult", config.dim_mult, 1, 64);
  config.num_res_blocks = in.integer("num_res_blocks", 2, 1, 16);
  config.temporal_downsample = in.flags("temperal_downsample", config.temporal_downsample);
  config.is_residual = in.flag("is_residual", false);
  config.patch_size = in.integer("patch_size", 1, 1, 16);
  config.latents_mean = in.numbers("latents_mean", kWan21Mean);
  config.latents_std = in.numbers("latents_std", kWan21Std);
  in.only("attn_scales", nlohmann::json::array());
  in.ignore({"dropout", "clip_output", "non_linearity"});

  const auto steps = config.dim_mult.size() - 1;  // between levels; used where there are levels
  const bool leveled = config.dim_mult.size() >= 2 && config.dim_mult.size() <= 8;
  if (!leveled) in.problem(fmt::format("dim_mult has {} levels; 2 to 8 are possible", config.dim_mult.size()));
  if (leveled && config.temporal_downsample.size() != steps) {
    in.problem(fmt::format("temperal_downsample has {} values; dim_mult asks for {}", config.temporal_downsample.size(),
                           steps));
  } else if (leveled) {
    in.integer("scale_factor_spatial", config.spatial_ratio(), config.spatial_ratio(), config.spatial_ratio());
    in.integer("scale_factor_temporal", config.temporal_ratio(), config.temporal_ratio(), config.temporal_ratio());
    if (config.is_residual) check_shortcuts(config, in);
  }
  for (const char* key : {"in_channels", "out_channels"}) {
    in.integer(key, config.pixel_channels(), config.pixel_channels(), config.pixel_channels());
  }
  // Wan 2.1 halves the channels of every level but the first where it enlarges.
  const auto narrowed = std::span(config.dim_mult).subspan(std::min<std::size_t>(1, config.dim_mult.size()));
  if (!config.is_residual &&
      std::ranges::any_of(narrowed, [&](auto m) { return config.decoder_base_dim * m % 2 != 0; })) {
    in.problem("decoder_base_dim times dim_mult must be even");
  }
  for (const auto* values : {&config.latents_mean, &config.latents_std}) {
    if (values->size() == static_cast<std::size_t>(config.z_dim)) continue;
    in.problem(fmt::format("{} has {} values for z_dim {}",
                           values == &config.latents_mean ? "latents_mean" : "latents_std", values->size(),
                           config.z_dim));
  }
  if (std::ranges::any_of(config.latents_std, [](double s) { return !(s > 0); }))
    in.problem("latents_std must be above 0");
  RUBATO_OK(in.finish());
  return config;
}

std::int64_t WanVaeConfig::spatial_ratio() const { return patch_size << (dim_mult.size() - 1); }

std::int64_t WanVaeConfig::temporal_ratio() const {
  return std::int64_t{1} << std::ranges::count(temporal_downsample, true);
}

}  // namespace rubato
