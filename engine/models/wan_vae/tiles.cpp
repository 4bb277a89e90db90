#include "engine/models/wan_vae/tiles.h"

#include <torch/types.h>

#include "engine/base/check.h"

namespace rubato::wan_vae {

std::vector<Span> cut(std::int64_t whole, std::int64_t tile, std::int64_t overlap) {
  RUBATO_CHECK(whole > 0 && tile > 0 && overlap >= 0 && overlap < tile, "cut: ", whole, " by ", tile, " over ", overlap);
  if (tile >= whole) return {{0, whole, 0, 0}};
  const std::int64_t step = tile - overlap;
  const std::int64_t count = (whole - overlap + step - 1) / step;
  std::vector<Span> spans;
  for (std::int64_t i = 0; i < count; ++i) {
    spans.push_back({i * (whole - tile) / (count - 1), tile, 0, 0});
    if (i == 0) continue;
    Span& before = spans[spans.size() - 2];
    before.ramp_out = spans.back().ramp_in = before.start + tile - spans.back().start;
  }
  return spans;
}

at::Tensor blend_weights(const Span& span, std::int64_t scale) {
  at::Tensor weights = at::ones({span.length * scale}, at::kFloat);
  const auto ramp = [&](std::int64_t cells) {  // rises from just above 0 to just below 1, symmetric about 1/2
    const auto n = cells * scale;
    return (at::arange(n, at::kFloat) + 0.5).div_(static_cast<double>(n));
  };
  if (span.ramp_in > 0) weights.narrow(0, 0, span.ramp_in * scale).mul_(ramp(span.ramp_in));
  if (span.ramp_out > 0) {
    const auto n = span.ramp_out * scale;
    weights.narrow(0, span.length * scale - n, n).mul_(1 - ramp(span.ramp_out));
  }
  return weights;
}

std::vector<Tile> tiles_of(std::int64_t height, std::int64_t width, std::int64_t tile, std::int64_t overlap) {
  std::vector<Tile> tiles;
  for (const auto& rows : cut(height, tile, overlap)) {
    for (const auto& columns : cut(width, tile, overlap)) tiles.push_back({rows, columns});
  }
  return tiles;
}

void paste(at::Tensor& canvas, const at::Tensor& piece, const Tile& tile, std::int64_t scale) {
  const at::Tensor weights = (blend_weights(tile.rows, scale).unsqueeze(1) * blend_weights(tile.columns, scale)).to(piece.device());
  at::Tensor place = canvas.narrow(-2, tile.rows.start * scale, tile.rows.length * scale)
                         .narrow(-1, tile.columns.start * scale, tile.columns.length * scale);
  place.add_((piece.to(at::kFloat) * weights).to(canvas.device(), canvas.scalar_type()));
}

}  // namespace rubato::wan_vae
