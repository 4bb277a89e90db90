#include "pipelines/media/palette.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/base/check.h"

namespace rubato {
namespace {

constexpr int kBits = 6;
constexpr std::size_t kBins = 1u << (3 * kBits);

std::size_t bin_of(int r, int g, int b) {
  const int shift = 8 - kBits;
  return static_cast<std::size_t>((r >> shift) << (2 * kBits) | (g >> shift) << kBits | b >> shift);
}

struct Point {  // one filled bin
  double weight;
  std::array<double, 3> mean;
};

struct Moments {
  double weight = 0, square = 0;
  std::array<double, 3> sum{};

  void add(const Point& p) {
    weight += p.weight;
    for (std::size_t c = 0; c < 3; ++c) {
      sum[c] += p.weight * p.mean[c];
      square += p.weight * p.mean[c] * p.mean[c];
    }
  }
  Moments minus(const Moments& o) const {
    Moments left = *this;
    left.weight -= o.weight;
    left.square -= o.square;
    for (std::size_t c = 0; c < 3; ++c) left.sum[c] -= o.sum[c];
    return left;
  }
  // Squared error when all points become their mean.
  double error() const {
    if (weight <= 0) return 0;
    double mean_square = 0;
    for (const double s : sum) mean_square += s * s;
    return std::max(0.0, square - mean_square / weight);
  }
};

struct Cluster {
  std::size_t begin, end;  // range of points
  Moments moments;
  std::size_t axis = 0, cut = 0;  // best cut: points [begin, cut) and [cut, end) when sorted along axis
  double gain = 0;                // squared error that the cut removes
};

void sort_along(std::span<Point> points, std::size_t axis) {
  std::sort(points.begin(), points.end(), [axis](const Point& a, const Point& b) {
    return a.mean[axis] != b.mean[axis] ? a.mean[axis] < b.mean[axis] : a.mean < b.mean;
  });
}

void find_cut(std::vector<Point>& points, Cluster& cluster) {
  const auto range = std::span(points).subspan(cluster.begin, cluster.end - cluster.begin);
  const double before = cluster.moments.error();
  cluster.gain = 0;
  for (std::size_t axis = 0; axis < 3 && range.size() > 1; ++axis) {
    sort_along(range, axis);
    Moments left;
    for (std::size_t i = 0; i + 1 < range.size(); ++i) {
      left.add(range[i]);
      const double gain = before - left.error() - cluster.moments.minus(left).error();
      if (gain > cluster.gain) {
        cluster.gain = gain;
        cluster.axis = axis;
        cluster.cut = cluster.begin + i + 1;
      }
    }
  }
}

Cluster make_cluster(std::vector<Point>& points, std::size_t begin, std::size_t end) {
  Cluster cluster{begin, end, {}};
  for (std::size_t i = begin; i < end; ++i) cluster.moments.add(points[i]);
  find_cut(points, cluster);
  return cluster;
}

}  // namespace

PaletteBuilder::PaletteBuilder() : bins_(kBins) {}

void PaletteBuilder::add(std::span<const std::uint8_t> rgb24) {
  for (std::size_t i = 0; i + 2 < rgb24.size(); i += 3) {
    Bin& bin = bins_[bin_of(rgb24[i], rgb24[i + 1], rgb24[i + 2])];
    ++bin.count;
    bin.r += rgb24[i];
    bin.g += rgb24[i + 1];
    bin.b += rgb24[i + 2];
  }
}

Palette PaletteBuilder::build(std::size_t max_colors) const {
  std::vector<Point> points;
  for (const Bin& bin : bins_) {
    if (bin.count == 0) continue;
    const auto n = static_cast<double>(bin.count);
    points.push_back(
        {n, {static_cast<double>(bin.r) / n, static_cast<double>(bin.g) / n, static_cast<double>(bin.b) / n}});
  }
  RUBATO_CHECK(!points.empty() && max_colors > 0);

  std::vector<Cluster> clusters{make_cluster(points, 0, points.size())};
  while (clusters.size() < max_colors) {
    const auto worst = std::max_element(clusters.begin(), clusters.end(),
                                        [](const Cluster& a, const Cluster& b) { return a.gain < b.gain; });
    if (worst->gain <= 0) break;  // every cluster is one colour
    const Cluster old = *worst;
    sort_along(std::span(points).subspan(old.begin, old.end - old.begin), old.axis);
    *worst = make_cluster(points, old.begin, old.cut);
    clusters.push_back(make_cluster(points, old.cut, old.end));
  }

  Palette palette;
  double error = 0, weight = 0;
  for (const Cluster& cluster : clusters) {
    const auto channel = [&](std::size_t c) {
      return static_cast<std::uint8_t>(std::lround(cluster.moments.sum[c] / cluster.moments.weight));
    };
    palette.colors.push_back({channel(0), channel(1), channel(2)});
    error += cluster.moments.error();
    weight += cluster.moments.weight;
  }
  palette.rms_error = std::sqrt(error / (3 * weight));
  return palette;
}

PaletteMapper::PaletteMapper(Palette palette) : palette_(std::move(palette)), known_(kBins, -1) {
  RUBATO_CHECK(!palette_.colors.empty() && palette_.colors.size() <= 256);
  // Bayer's matrix by bit interleaving, centred on zero; as wide as the palette's steps are coarse.
  const double strength = 2 * palette_.rms_error;
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 8; ++x) {
      int rank = 0;
      for (int bit = 0; bit < 3; ++bit) rank |= ((x ^ y) >> bit & 1) << (5 - 2 * bit) | (y >> bit & 1) << (4 - 2 * bit);
      offsets_[static_cast<std::size_t>(y * 8 + x)] =
          static_cast<int>(std::lround(strength * ((rank + 0.5) / 64 - 0.5)));
    }
  }
}

void PaletteMapper::map(std::span<const std::uint8_t> rgb24, int width, std::span<std::uint8_t> indices) {
  RUBATO_CHECK(rgb24.size() == indices.size() * 3);
  int x = 0, y = 0;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const int offset = offsets_[static_cast<std::size_t>((y & 7) * 8 + (x & 7))];
    const auto shifted = [&](std::size_t c) { return std::clamp(rgb24[3 * i + c] + offset, 0, 255); };
    indices[i] = nearest(shifted(0), shifted(1), shifted(2));
    if (++x == width) {
      x = 0;
      ++y;
    }
  }
}

std::uint8_t PaletteMapper::nearest(int r, int g, int b) {
  std::int16_t& known = known_[bin_of(r, g, b)];
  if (known >= 0) return static_cast<std::uint8_t>(known);
  // The whole bin shares the answer for its centre.
  const auto centre = [](int v) { return (v >> (8 - kBits) << (8 - kBits)) + (1 << (7 - kBits)); };
  int best = std::numeric_limits<int>::max();
  for (std::size_t i = 0; i < palette_.colors.size(); ++i) {
    const Rgb8 color = palette_.colors[i];
    const int dr = color.r - centre(r), dg = color.g - centre(g), db = color.b - centre(b);
    const int distance = dr * dr + dg * dg + db * db;
    if (distance < best) {
      best = distance;
      known = static_cast<std::int16_t>(i);
    }
  }
  return static_cast<std::uint8_t>(known);
}

}  // namespace rubato
