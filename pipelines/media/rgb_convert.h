// RgbConverter: decoded frames of any format to tightly packed RGB24, turned upright and scaled down. Internal to
// pipelines/media.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/error.h"
#include "pipelines/media/av.h"

namespace rubato {

// How stored pixels are shown: first transpose, then mirror.
struct Orientation {
  bool transpose = false, flip_x = false, flip_y = false;
  // From a 3x3 display matrix of FFmpeg; turns that are no multiple of 90 degrees count as none.
  static Orientation from_matrix(const std::int32_t* matrix);
  bool upright() const { return !transpose && !flip_x && !flip_y; }
};

struct RgbFrame {
  int width = 0, height = 0;
  std::vector<std::uint8_t> pixels;  // [height, width, 3]
};

class RgbConverter {
 public:
  // Longer side at most max_side; 0 = as it is.
  explicit RgbConverter(int max_side) : max_side_(max_side) {}
  // Overwrites `out`, keeping its memory.
  Result<> convert(const AVFrame& frame, Orientation orientation, RgbFrame& out);

 private:
  Result<> prepare(const AVFrame& frame);

  int max_side_;
  av::Scaler scaler_;
  int width_ = 0, height_ = 0;  // of the result, before turning
  struct Source {
    int width = 0, height = 0, format = -1, colorspace = -1, range = -1;
    bool operator==(const Source&) const = default;
  } source_;
  std::vector<std::uint8_t> turned_;
};

}  // namespace rubato
