#include "pipelines/media/rgb_convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace rubato {
namespace {

// Files that do not say: high definition is BT.709, smaller is BT.601, as players assume.
int coefficients_of(const AVFrame& frame) {
  if (frame.colorspace == AVCOL_SPC_UNSPECIFIED || frame.colorspace == AVCOL_SPC_RGB)
    return frame.height >= 720 ? SWS_CS_ITU709 : SWS_CS_ITU601;
  return frame.colorspace;
}

bool is_full_range(const AVFrame& frame) {
  switch (frame.format) {  // the old names that carry the range
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ411P:
      return true;
    default:
      return frame.color_range == AVCOL_RANGE_JPEG;
  }
}

void turn(std::span<const std::uint8_t> in, int width, int height, Orientation o, std::vector<std::uint8_t>& out) {
  out.resize(in.size());
  const int out_width = o.transpose ? height : width, out_height = o.transpose ? width : height;
  std::size_t at = 0;
  for (int y = 0; y < out_height; ++y) {
    for (int x = 0; x < out_width; ++x, at += 3) {
      const int u = o.flip_x ? out_width - 1 - x : x, v = o.flip_y ? out_height - 1 - y : y;
      const int column = o.transpose ? v : u, row = o.transpose ? u : v;
      const auto from =
          (static_cast<std::size_t>(row) * static_cast<std::size_t>(width) + static_cast<std::size_t>(column)) * 3;
      std::copy_n(in.begin() + static_cast<std::ptrdiff_t>(from), 3, out.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }
}

}  // namespace

Orientation Orientation::from_matrix(const std::int32_t* matrix) {
  // Shown x = a*x + c*y, shown y = b*x + d*y, in 16.16.
  const auto sign = [&](int i) { return matrix[i] > 0x8000 ? 1 : matrix[i] < -0x8000 ? -1 : 0; };
  const int a = sign(0), b = sign(1), c = sign(3), d = sign(4);
  if (a != 0 && d != 0 && b == 0 && c == 0) return {false, a < 0, d < 0};
  if (b != 0 && c != 0 && a == 0 && d == 0) return {true, c < 0, b < 0};
  return {};
}

Result<> RgbConverter::prepare(const AVFrame& frame) {
  const Source source{frame.width, frame.height, frame.format, coefficients_of(frame), is_full_range(frame) ? 1 : 0};
  if (scaler_ != nullptr && source == source_) return {};
  width_ = frame.width;
  height_ = frame.height;
  const int longer = std::max(width_, height_);
  if (max_side_ > 0 && longer > max_side_) {
    const auto scaled = [&](int side) {
      return std::max(1, static_cast<int>(std::lround(static_cast<double>(side) * max_side_ / longer)));
    };
    width_ = scaled(frame.width);
    height_ = scaled(frame.height);
  }
  const bool smaller = width_ != frame.width;
  scaler_.reset(sws_getContext(
      frame.width, frame.height, static_cast<AVPixelFormat>(frame.format), width_, height_, AV_PIX_FMT_RGB24,
      (smaller ? SWS_AREA : SWS_BICUBIC) | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP | SWS_BITEXACT,
      nullptr, nullptr, nullptr));
  if (scaler_ == nullptr) {
    const char* name = av_get_pix_fmt_name(static_cast<AVPixelFormat>(frame.format));
    return Error{ErrorCode::Corrupt, fmt::format("pictures of {}x{} in the format {} cannot be converted", frame.width,
                                                 frame.height, name != nullptr ? name : "?")};
  }
  sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(source.colorspace), source.range,
                           sws_getCoefficients(SWS_CS_ITU709), 1, 0, 1 << 16, 1 << 16);
  source_ = source;
  return {};
}

Result<> RgbConverter::convert(const AVFrame& frame, Orientation orientation, RgbFrame& out) {
  RUBATO_OK(prepare(frame));
  // swscale writes whole vectors, so rows may spill a few bytes past the last one.
  const std::size_t bytes = static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_) * 3;
  out.pixels.resize(bytes + 64);
  const std::array<std::uint8_t*, 4> target{out.pixels.data()};
  const std::array<int, 4> stride{width_ * 3};
  const int rows = sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height, target.data(), stride.data());
  out.pixels.resize(bytes);
  if (rows != height_) return Error{ErrorCode::Corrupt, "a picture could not be converted to RGB"};
  out.width = width_;
  out.height = height_;
  if (orientation.upright()) return {};
  turn(out.pixels, width_, height_, orientation, turned_);
  std::swap(out.pixels, turned_);
  if (orientation.transpose) std::swap(out.width, out.height);
  return {};
}

}  // namespace rubato
