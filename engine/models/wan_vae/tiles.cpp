#include "engine/models/wan_vae/tiles.h"

#include <torch/types.h>

#include <algorithm>

#include "engine/base/check.h"

namespace rubato::wan_vae {

std::vector<Span> cut(std::int64_t whole, std::int64_t tile, std::int64_t overlap) {
  RUBATO_CHECK(whole > 0 && tile > 0 && overlap >= 0 && overlap < tile, "cut: ", whole, " by ", tile, " over ",
               overlap);
  if (tile >= whole) return {{0, whole, {}, {}}};
  const std::int64_t step = tile - overlap;
  const std::int64_t count = (whole - overlap + step - 1) / step;
  std::vector<Span> spans;
  for (std::int64_t i = 0; i < count; ++i) spans.push_back({i * (whole - tile) / (count - 1), tile, {}, {}});
  // A ramp lies in the middle of what two neighbours share. It is no longer than the way from tile to tile, so that
  // ramps never overlap, even where three tiles do.
  const std::int64_t shortest_step = (whole - tile) / (count - 1);
  for (std::size_t i = 1; i < spans.size(); ++i) {
    const std::int64_t shared = spans[i - 1].start + tile - spans[i].start;
    const std::int64_t length = std::min(shared, shortest_step);
    spans[i].in = {(shared - length) / 2, length};
    spans[i - 1].out = {spans[i].start + spans[i].in.offset - spans[i - 1].start, length};
  }
  return spans;
}

at::Tensor blend_weights(const Span& span, std::int64_t scale) {
  at::Tensor weights = at::ones({span.length * scale}, at::kFloat);
  const auto rising = [&](const Ramp& ramp) {  // from just above 0 to just below 1, symmetric about 1/2
    const auto n = ramp.length * scale;
    return (at::arange(n, at::kFloat) + 0.5).div_(static_cast<double>(n));
  };
  if (span.in.length > 0) {
    weights.narrow(0, 0, span.in.offset * scale).zero_();
    weights.narrow(0, span.in.offset * scale, span.in.length * scale).copy_(rising(span.in));
  }
  if (span.out.length > 0) {
    const auto end = (span.out.offset + span.out.length) * scale;
    weights.narrow(0, span.out.offset * scale, span.out.length * scale).copy_(1 - rising(span.out));
    weights.narrow(0, end, span.length * scale - end).zero_();
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
  const at::Tensor weights =
      (blend_weights(tile.rows, scale).unsqueeze(1) * blend_weights(tile.columns, scale)).to(piece.device());
  at::Tensor place = canvas.narrow(-2, tile.rows.start * scale, tile.rows.length * scale)
                         .narrow(-1, tile.columns.start * scale, tile.columns.length * scale);
  place.add_((piece.to(at::kFloat) * weights).to(canvas.device(), canvas.scalar_type()));
}

}  // namespace rubato::wan_vae
