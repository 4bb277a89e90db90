// Positions of video tokens: rotary angles over frames, rows and columns.
//
// A head's d/2 pairs are split between the three axes: 2·(d/6) values each for rows and columns, the rest for frames.
// Pair i of an axis with n values turns by position · 10000^(−2i/n). Tables are made once per latent size.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>

#include "engine/models/wan/config.h"

namespace rubato::wan {

struct RopeTable {
  at::Tensor cos, sin;  // [V, d/2] float32, tokens in order frame, row, column
};

// For a latent of this size with its frames at 0, 1, 2, …; the size has passed config.check_latent().
RopeTable rope_table(const Config& config, std::int64_t latent_frames, std::int64_t latent_height,
                     std::int64_t latent_width, at::Device device);

// For token frames at any positions in time (clips whose latent frames span different lengths).
RopeTable rope_table(const Config& config, std::span<const double> frame_positions, std::int64_t rows,
                     std::int64_t columns, at::Device device);

}  // namespace rubato::wan
