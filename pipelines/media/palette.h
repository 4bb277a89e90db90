// A palette of at most 255 colours for a whole clip, and frames dithered to it. Internal to pipelines/media.
//
// Colours: a histogram with 6 bits a channel is cut at its optimal planes (the cut that lowers the squared error most,
// Wu 1991, on sorted bins) until the palette is full. Dithering: an ordered 8x8 pattern whose strength follows the
// palette's own error. It does not crawl from frame to frame as error diffusion does, so still parts compress.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace rubato {

struct Rgb8 {
  std::uint8_t r = 0, g = 0, b = 0;
};

struct Palette {
  std::vector<Rgb8> colors;
  double rms_error = 0;  // per channel, over all pixels of the histogram
};

class PaletteBuilder {
 public:
  PaletteBuilder();
  void add(std::span<const std::uint8_t> rgb24);
  Palette build(std::size_t max_colors) const;

 private:
  struct Bin {
    std::uint64_t count = 0, r = 0, g = 0, b = 0;  // sums, so that a colour is the mean of its pixels
  };
  std::vector<Bin> bins_;
};

class PaletteMapper {
 public:
  explicit PaletteMapper(Palette palette);
  // width * height indices into the palette.
  void map(std::span<const std::uint8_t> rgb24, int width, std::span<std::uint8_t> indices);

 private:
  std::uint8_t nearest(int r, int g, int b);

  Palette palette_;
  std::array<int, 64> offsets_{};    // added to every channel, by position modulo 8
  std::vector<std::int16_t> known_;  // 6-bit colour -> index, -1 = not asked yet
};

}  // namespace rubato
