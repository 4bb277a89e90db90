// Cutting a picture into overlapping tiles that blend into each other without a seam.
//
// Along an axis all tiles have one length and stand evenly, so neighbours share at least the overlap asked for. Each
// tile has a weight per position: 1 inside, a linear ramp where it meets a neighbour, 0 beyond. The weights of the
// tiles over a position sum to 1, so the blended picture is a plain sum of weighted tiles.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace rubato::wan_vae {

struct Ramp {
  std::int64_t offset = 0, length = 0;  // from the start of the tile; length 0 = no neighbour on this side
};
struct Span {
  std::int64_t start = 0, length = 0;
  Ramp in, out;
};

// Covers [0, whole) by spans of `tile` that overlap by at least `overlap` (which is below tile). One span when whole
// fits into a tile.
std::vector<Span> cut(std::int64_t whole, std::int64_t tile, std::int64_t overlap);

// Weights of a span's positions after every position became `scale` positions: float32 [length · scale], on the CPU.
at::Tensor blend_weights(const Span& span, std::int64_t scale);

// The tiles of a picture of height × width cells, row by row.
struct Tile {
  Span rows, columns;
};
std::vector<Tile> tiles_of(std::int64_t height, std::int64_t width, std::int64_t tile, std::int64_t overlap);

// Adds a decoded or encoded tile, weighted, where it belongs. canvas [...,H·scale,W·scale], piece
// [...,rows · scale,columns · scale]; the piece may be on another device and of another float type.
void paste(at::Tensor& canvas, const at::Tensor& piece, const Tile& tile, std::int64_t scale);

}  // namespace rubato::wan_vae
