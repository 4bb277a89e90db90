#include "pipelines/media/video_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "engine/base/check.h"

namespace rubato {
namespace {

constexpr int kThreads = 4;  // part of the output: see the header

struct Preset {
  const char* encoder;  // FFmpeg's name
  int crf;              // visually clean on flat and dark areas, where generated video bands first
  std::vector<std::pair<const char*, const char*>> options;
};

const Preset& preset_of(VideoCodec codec) {
  // No mbtree: its vector code reads memory past the last macroblock, so that at some widths (96, 160, 480) x264 gives
  // other bytes each time. Constant quality does without it.
  static const Preset h264{"libx264", 17, {{"preset", "medium"}, {"x264-params", "open-gop=0:aq-mode=3:mbtree=0"}}};
  static const Preset vp9{"libvpx-vp9",
                          20,
                          {{"deadline", "good"},
                           {"cpu-used", "3"},
                           {"row-mt", "0"},
                           {"auto-alt-ref", "1"},
                           {"lag-in-frames", "16"},
                           {"tile-columns", "2"}}};
  static const Preset av1{"libaom-av1", 20, {{"cpu-used", "6"}, {"row-mt", "1"}, {"lag-in-frames", "19"}}};
  switch (codec) {
    case VideoCodec::Vp9:
      return vp9;
    case VideoCodec::Av1:
      return av1;
    default:
      return h264;
  }
}

Error broken(const char* what, int code) {
  return {ErrorCode::Failed, fmt::format("the video encoder could not {}: {}", what, av::words(code))};
}

}  // namespace

Result<> check_codec_size(VideoCodec codec, int width, int height) {
  if (codec != VideoCodec::H264) return {};
  if (width % 2 == 0 && height % 2 == 0) return {};
  const auto low = [](int n) { return std::max(2, n - n % 2); };
  const auto high = [](int n) { return n + n % 2; };
  return Error{ErrorCode::JobInvalid,
               fmt::format("H.264 in .mp4 needs an even width and height, not {}x{}; the nearest are {}x{} and {}x{} "
                           "(.webm, .gif, .webp and .png take odd sizes)",
                           width, height, low(width), low(height), high(width), high(height))};
}

std::map<std::string, bool> encoder_support() {
  const auto has = [](VideoCodec codec) { return avcodec_find_encoder_by_name(preset_of(codec).encoder) != nullptr; };
  return {{"h264", has(VideoCodec::H264)},
          {"vp9", has(VideoCodec::Vp9)},
          {"av1", has(VideoCodec::Av1)},
          {"gif", avcodec_find_encoder(AV_CODEC_ID_GIF) != nullptr}};
}

Result<std::unique_ptr<VideoEncoder>> VideoEncoder::open(VideoCodec codec, const VideoFormat& format) {
  av::quiet();
  const Preset& preset = preset_of(codec);
  const AVCodec* found = avcodec_find_encoder_by_name(preset.encoder);
  if (found == nullptr)
    return Error{ErrorCode::Failed,
                 fmt::format("this FFmpeg has no {} encoder; choose another format", preset.encoder)};

  std::unique_ptr<VideoEncoder> made(new VideoEncoder);
  made->codec_.reset(avcodec_alloc_context3(found));
  RUBATO_CHECK(made->codec_ != nullptr);
  AVCodecContext& c = *made->codec_;
  c.width = format.width;
  c.height = format.height;
  c.pix_fmt = AV_PIX_FMT_YUV420P;
  c.time_base = {format.fps_den, format.fps_num};
  c.framerate = {format.fps_num, format.fps_den};
  c.gop_size = std::max(1, format.fps_num / format.fps_den);
  c.color_primaries = AVCOL_PRI_BT709;
  c.color_trc = AVCOL_TRC_BT709;
  c.colorspace = AVCOL_SPC_BT709;
  c.color_range = AVCOL_RANGE_MPEG;
  c.chroma_sample_location = AVCHROMA_LOC_LEFT;
  c.thread_count = kThreads;
  c.flags |= AV_CODEC_FLAG_CLOSED_GOP | AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_GLOBAL_HEADER;

  av::Options options;
  for (const auto& [key, value] : preset.options) options.set(key, value);
  options.set("crf", std::to_string(format.quality >= 0 ? format.quality : preset.crf));
  if (const int code = avcodec_open2(&c, found, options.out()); code < 0)
    return Error{ErrorCode::Failed,
                 fmt::format("the {} encoder does not take {}x{} at {}/{} frames a second: {}", preset.encoder,
                             format.width, format.height, format.fps_num, format.fps_den, av::words(code))};

  // Exact rounding and full chroma filtering: the same numbers on every CPU.
  made->scaler_.reset(sws_getContext(c.width, c.height, AV_PIX_FMT_RGB24, c.width, c.height, c.pix_fmt,
                                     SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP | SWS_BITEXACT, nullptr,
                                     nullptr, nullptr));
  RUBATO_CHECK(made->scaler_ != nullptr);
  const int* bt709 = sws_getCoefficients(SWS_CS_ITU709);
  sws_setColorspaceDetails(made->scaler_.get(), bt709, /*srcRange=*/1, bt709, /*dstRange=*/0, 0, 1 << 16, 1 << 16);

  made->packet_.reset(av_packet_alloc());
  RUBATO_CHECK(made->packet_ != nullptr);
  return made;
}

Result<> VideoEncoder::encode(std::int64_t index, std::span<const std::uint8_t> rgb24, const PacketSink& sink) {
  // A new buffer each time: the encoder keeps references to earlier frames.
  frame_.reset(av_frame_alloc());
  RUBATO_CHECK(frame_ != nullptr);
  frame_->format = codec_->pix_fmt;
  frame_->width = codec_->width;
  frame_->height = codec_->height;
  frame_->color_range = codec_->color_range;
  frame_->colorspace = codec_->colorspace;
  frame_->color_primaries = codec_->color_primaries;
  frame_->color_trc = codec_->color_trc;
  if (const int code = av_frame_get_buffer(frame_.get(), 0); code < 0)
    return Error{ErrorCode::OutOfMemory, "not enough memory for a video frame"};
  // swscale's vector code reads a few bytes past the last pixel, which must be ours to read.
  padded_.resize(rgb24.size() + 64);
  std::copy(rgb24.begin(), rgb24.end(), padded_.begin());
  const std::array<const std::uint8_t*, 4> source{padded_.data()};
  const std::array<int, 4> stride{codec_->width * 3};
  sws_scale(scaler_.get(), source.data(), stride.data(), 0, codec_->height, frame_->data, frame_->linesize);
  frame_->pts = index;

  if (const int code = avcodec_send_frame(codec_.get(), frame_.get()); code < 0) return broken("take a frame", code);
  return drain(sink);
}

Result<> VideoEncoder::flush(const PacketSink& sink) {
  if (const int code = avcodec_send_frame(codec_.get(), nullptr); code < 0) return broken("finish", code);
  return drain(sink);
}

Result<> VideoEncoder::drain(const PacketSink& sink) {
  for (;;) {
    const int code = avcodec_receive_packet(codec_.get(), packet_.get());
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return {};
    if (code < 0) return broken("encode a frame", code);
    if (packet_->duration == 0) packet_->duration = 1;
    auto passed = sink(*packet_);
    av_packet_unref(packet_.get());
    RUBATO_OK(std::move(passed));
  }
}

}  // namespace rubato
