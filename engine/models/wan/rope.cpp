#include "engine/models/wan/rope.h"

#include <torch/types.h>

#include <cmath>
#include <numeric>
#include <vector>

namespace rubato::wan {
namespace {

// Angles of one axis, [positions, values/2] float64.
at::Tensor axis_angles(std::span<const double> positions, std::int64_t values) {
  constexpr double kBase = 10000.0;
  const at::Tensor at = at::tensor(at::ArrayRef<double>(positions.data(), positions.size()), at::kDouble);
  const at::Tensor exponents = at::arange(0, values, 2, at::kDouble) / static_cast<double>(values);
  return at::outer(at, at::pow(kBase, exponents).reciprocal());
}

std::vector<double> counted(std::int64_t n) {
  std::vector<double> positions(static_cast<std::size_t>(n));
  std::iota(positions.begin(), positions.end(), 0.0);
  return positions;
}

}  // namespace

RopeTable rope_table(const Config& config, std::span<const double> frame_positions, std::int64_t rows,
                     std::int64_t columns, at::Device device) {
  const std::int64_t frames = std::ssize(frame_positions);
  const std::int64_t side = 2 * (config.head_width / 6), time = config.head_width - 2 * side;
  const at::Tensor t = axis_angles(frame_positions, time).view({frames, 1, 1, -1});
  const at::Tensor h = axis_angles(counted(rows), side).view({1, rows, 1, -1});
  const at::Tensor w = axis_angles(counted(columns), side).view({1, 1, columns, -1});
  const auto over_grid = [&](const at::Tensor& axis) { return axis.expand({frames, rows, columns, axis.size(3)}); };
  const at::Tensor angles = at::cat({over_grid(t), over_grid(h), over_grid(w)}, -1).flatten(0, 2);
  return {angles.cos().to(device, at::kFloat), angles.sin().to(device, at::kFloat)};
}

RopeTable rope_table(const Config& config, std::int64_t latent_frames, std::int64_t latent_height,
                     std::int64_t latent_width, at::Device device) {
  return rope_table(config, counted(latent_frames / config.patch[0]), latent_height / config.patch[1],
                    latent_width / config.patch[2], device);
}

}  // namespace rubato::wan
