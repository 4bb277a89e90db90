// PNG and JPEG pictures: the whole file is one packet for FFmpeg's decoder.
#include <fmt/format.h>

#include <array>
#include <cstring>
#include <string_view>

#include "engine/base/check.h"
#include "pipelines/media/av.h"
#include "pipelines/media/decoders.h"
#include "pipelines/media/rgb_convert.h"

extern "C" {
#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
}

namespace rubato {
namespace {

std::uint32_t u32_be(const std::uint8_t* p) {
  return static_cast<std::uint32_t>(p[0]) << 24 | static_cast<std::uint32_t>(p[1]) << 16 |
         static_cast<std::uint32_t>(p[2]) << 8 | p[3];
}

// Only what the pixels need. Texts and profiles are of no use here and may inflate without end; the chunks of an
// animation go too, so its default picture remains.
Result<std::vector<std::uint8_t>> essential_png(const MediaFile& file, const std::vector<std::uint8_t>& png) {
  std::vector<std::uint8_t> kept(png.begin(), png.begin() + 8);
  std::size_t at = 8;
  bool first = true, ended = false;
  while (!ended && png.size() - at >= 12) {
    const std::uint32_t length = u32_be(&png[at]);
    if (length > png.size() - at - 12) break;
    const std::string_view type(reinterpret_cast<const char*>(&png[at + 4]), 4);
    if (first) {
      if (type != "IHDR" || length != 13) break;
      RUBATO_OK(check_pixels(file, u32_be(&png[at + 8]), u32_be(&png[at + 12])));
      first = false;
    }
    ended = type == "IEND";
    if (type == "IHDR" || type == "PLTE" || type == "tRNS" || type == "IDAT" || ended)
      kept.insert(kept.end(), png.begin() + static_cast<std::ptrdiff_t>(at),
                  png.begin() + static_cast<std::ptrdiff_t>(at + 12 + length));
    at += 12 + length;
  }
  if (!ended)
    return Error{ErrorCode::Corrupt, fmt::format("{} is a PNG file that is cut off or damaged", file.path().string())};
  return kept;
}

Result<av::Frame> decode(const MediaFile& file, FileKind kind) {
  av::quiet();
  RUBATO_TRY(bytes, read_all(file));
  if (kind == FileKind::Png) {
    RUBATO_TRY(kept, essential_png(file, bytes));
    bytes = std::move(kept);
  }
  const char* word = kind == FileKind::Png ? "PNG" : "JPEG";
  const AVCodec* decoder = avcodec_find_decoder(kind == FileKind::Png ? AV_CODEC_ID_PNG : AV_CODEC_ID_MJPEG);
  if (decoder == nullptr) return Error{ErrorCode::Failed, fmt::format("this FFmpeg has no {} decoder", word)};
  const av::Codec codec(avcodec_alloc_context3(decoder));
  RUBATO_CHECK(codec != nullptr);
  codec->max_pixels = kMaxPixels;
  codec->thread_count = 1;
  codec->err_recognition = AV_EF_EXPLODE | AV_EF_CRCCHECK;  // half a picture is an error, not a picture
  if (const int code = avcodec_open2(codec.get(), decoder, nullptr); code < 0)
    return Error{ErrorCode::Failed, fmt::format("the {} decoder did not start: {}", word, av::words(code))};

  const av::Packet packet(av_packet_alloc());
  av::Frame frame(av_frame_alloc());
  RUBATO_CHECK(packet != nullptr && frame != nullptr);
  if (av_new_packet(packet.get(), static_cast<int>(bytes.size())) < 0)
    return Error{ErrorCode::OutOfMemory, "not enough memory for a picture"};
  std::memcpy(packet->data, bytes.data(), bytes.size());
  int code = avcodec_send_packet(codec.get(), packet.get());
  if (code >= 0) code = avcodec_receive_frame(codec.get(), frame.get());
  if (code >= 0 && (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0) code = AVERROR_INVALIDDATA;
  if (code < 0)
    return Error{ErrorCode::Corrupt, fmt::format("{} is a {} file that is cut off or damaged ({})",
                                                 file.path().string(), word, av::words(code))};
  RUBATO_OK(check_pixels(file, frame->width, frame->height));
  return frame;
}

Orientation orientation_of(const AVFrame& frame) {
  const AVFrameSideData* side = av_frame_get_side_data(&frame, AV_FRAME_DATA_DISPLAYMATRIX);
  return side != nullptr ? Orientation::from_matrix(reinterpret_cast<const std::int32_t*>(side->data)) : Orientation{};
}

}  // namespace

Result<MediaInfo> probe_still(const MediaFile& file, FileKind kind) {
  RUBATO_TRY(frame, decode(file, kind));
  MediaInfo info;
  info.container = info.codec = kind == FileKind::Png ? "png" : "jpeg";
  if (const char* name = av_get_pix_fmt_name(static_cast<AVPixelFormat>(frame->format)); name != nullptr)
    info.pixel_format = name;
  info.width = frame->width;
  info.height = frame->height;
  if (orientation_of(*frame).transpose) std::swap(info.width, info.height);
  info.frames = 1;
  info.bytes = file.bytes();
  return info;
}

Result<> read_still(const MediaFile& file, FileKind kind, const ReadOptions& options, const FrameSink& sink) {
  RUBATO_TRY(frame, decode(file, kind));
  if (!is_chosen(options, 0)) return {};
  RgbConverter converter(options.max_side);
  RgbFrame rgb;
  RUBATO_OK(converter.convert(*frame, orientation_of(*frame), rgb));
  return sink(rgb.width, rgb.height, rgb.pixels, 0);
}

}  // namespace rubato
