// WebP, still or animated, through libwebp.
#include <fmt/format.h>
#include <webp/demux.h>

#include <algorithm>
#include <cstring>

#include "engine/base/check.h"
#include "pipelines/media/av.h"
#include "pipelines/media/decoders.h"
#include "pipelines/media/rgb_convert.h"

namespace rubato {
namespace {

struct FreeDemux {
  void operator()(WebPDemuxer* p) const { WebPDemuxDelete(p); }
};
struct FreeDecoder {
  void operator()(WebPAnimDecoder* p) const { WebPAnimDecoderDelete(p); }
};

Error damaged(const MediaFile& file) {
  return {ErrorCode::Corrupt, fmt::format("{} is a WebP file that is cut off or damaged", file.path().string())};
}

// The converter takes FFmpeg's frames, with room behind the last pixel that its vector code may read.
Result<av::Frame> copy_rgba(const std::uint8_t* pixels, int width, int height) {
  av::Frame frame(av_frame_alloc());
  RUBATO_CHECK(frame != nullptr);
  frame->format = AV_PIX_FMT_RGB0;  // alpha is dropped
  frame->width = width;
  frame->height = height;
  if (av_frame_get_buffer(frame.get(), 0) < 0)
    return Error{ErrorCode::OutOfMemory, "not enough memory for a WebP picture"};
  const std::size_t row = static_cast<std::size_t>(width) * 4;
  for (int y = 0; y < height; ++y)
    std::memcpy(frame->data[0] + static_cast<std::ptrdiff_t>(y) * frame->linesize[0],
                pixels + static_cast<std::size_t>(y) * row, row);
  return frame;
}

}  // namespace

Result<MediaInfo> probe_webp(const MediaFile& file) {
  RUBATO_TRY(bytes, read_all(file));
  const WebPData data{bytes.data(), bytes.size()};
  const std::unique_ptr<WebPDemuxer, FreeDemux> demux(WebPDemux(&data));
  if (demux == nullptr) return damaged(file);
  MediaInfo info;
  info.container = info.codec = "webp";
  info.width = static_cast<int>(WebPDemuxGetI(demux.get(), WEBP_FF_CANVAS_WIDTH));
  info.height = static_cast<int>(WebPDemuxGetI(demux.get(), WEBP_FF_CANVAS_HEIGHT));
  RUBATO_OK(check_pixels(file, info.width, info.height));
  info.bytes = file.bytes();
  std::int64_t total_ms = 0;
  WebPIterator frame;
  if (WebPDemuxGetFrame(demux.get(), 1, &frame) != 0) {
    do {
      ++info.frames;
      total_ms += frame.duration;
      info.pixel_format = frame.has_alpha != 0 ? "rgba" : "rgb";
    } while (WebPDemuxNextFrame(&frame) != 0);
    WebPDemuxReleaseIterator(&frame);
  }
  if (info.frames == 0) return damaged(file);
  if (info.frames > 1 && total_ms > 0) {
    AVRational rate{};
    av_reduce(&rate.num, &rate.den, info.frames * 1000, total_ms, 1'000'000);
    info.fps_num = rate.num;
    info.fps_den = rate.den;
    info.duration_s = static_cast<double>(total_ms) / 1000;
  }
  return info;
}

Result<> read_webp(const MediaFile& file, const ReadOptions& options, const FrameSink& sink) {
  RUBATO_TRY(bytes, read_all(file));
  const WebPData data{bytes.data(), bytes.size()};
  {
    const std::unique_ptr<WebPDemuxer, FreeDemux> demux(WebPDemux(&data));  // checks before the canvas is allocated
    if (demux == nullptr) return damaged(file);
    RUBATO_OK(check_pixels(file, WebPDemuxGetI(demux.get(), WEBP_FF_CANVAS_WIDTH),
                           WebPDemuxGetI(demux.get(), WEBP_FF_CANVAS_HEIGHT)));
  }
  WebPAnimDecoderOptions settings;
  RUBATO_CHECK(WebPAnimDecoderOptionsInit(&settings) != 0);
  settings.color_mode = MODE_RGBA;
  settings.use_threads = 0;
  const std::unique_ptr<WebPAnimDecoder, FreeDecoder> decoder(WebPAnimDecoderNew(&data, &settings));
  WebPAnimInfo info;
  if (decoder == nullptr || WebPAnimDecoderGetInfo(decoder.get(), &info) == 0) return damaged(file);

  RgbConverter converter(options.max_side);
  RgbFrame rgb;
  int shown_ms = 0;  // a frame's timestamp is its end
  for (std::int64_t index = 0; WebPAnimDecoderHasMoreFrames(decoder.get()) != 0 && !is_past(options, index); ++index) {
    std::uint8_t* canvas = nullptr;
    int end_ms = 0;
    if (WebPAnimDecoderGetNext(decoder.get(), &canvas, &end_ms) == 0) return damaged(file);
    if (is_chosen(options, index)) {
      RUBATO_TRY(frame, copy_rgba(canvas, static_cast<int>(info.canvas_width), static_cast<int>(info.canvas_height)));
      RUBATO_OK(converter.convert(*frame, {}, rgb));
      RUBATO_OK(sink(rgb.width, rgb.height, rgb.pixels, shown_ms / 1000.0));
    }
    shown_ms = end_ms;
  }
  return {};
}

}  // namespace rubato
