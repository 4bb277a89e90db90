// Videos through FFmpeg: only listed formats and codecs, only the given descriptor, bounded pictures.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "engine/base/check.h"
#include "pipelines/media/av.h"
#include "pipelines/media/decoders.h"
#include "pipelines/media/file_io.h"
#include "pipelines/media/rgb_convert.h"

extern "C" {
#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
}

namespace rubato {
namespace {

constexpr const char* kFormats = "mov,matroska,avi,gif,mpegts,mpeg,flv,ogg";
constexpr const char* kCodecs =
    "h264,hevc,vp8,vp9,libvpx,libvpx-vp9,libdav1d,libaom-av1,av1,mpeg4,mpeg2video,mpeg1video,mjpeg,png,gif,prores,"
    "dnxhd,"
    "theora,ffv1,rawvideo,msmpeg4v2,msmpeg4v3,h263,flv,wmv2";
constexpr std::int64_t kMaxPackets = 20'000'000;  // three days at 60 frames a second

int refuse_other_files(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) { return AVERROR(EPERM); }

// An open video: demuxer and its first real video stream.
struct Video {
  std::unique_ptr<FileIo> io;
  av::Demuxer demuxer;
  AVStream* stream = nullptr;
  const AVCodec* decoder = nullptr;
  Orientation orientation;

  AVRational frame_rate() const {
    const AVRational rate = stream->avg_frame_rate.num > 0 ? stream->avg_frame_rate : stream->r_frame_rate;
    return rate.num > 0 && rate.den > 0 ? rate : AVRational{0, 1};
  }
};

Error not_media(const MediaFile& file, int code) {
  return {ErrorCode::Corrupt, fmt::format("{} is not a video or picture that can be read, or it is damaged ({})",
                                          file.path().string(), av::words(code))};
}

Result<Video> open_video(const MediaFile& file) {
  av::quiet();
  Video video;
  video.io = std::make_unique<FileIo>(file.fd(), FileIo::Mode::Read);
  AVFormatContext* raw = avformat_alloc_context();
  RUBATO_CHECK(raw != nullptr);
  raw->pb = video.io->context();
  raw->flags |= AVFMT_FLAG_CUSTOM_IO;
  raw->io_open = &refuse_other_files;
  raw->max_streams = 64;
  raw->max_index_size = 64 << 20;
  av::Options options;
  options.set("format_whitelist", kFormats).set("codec_whitelist", kCodecs).set("protocol_whitelist", "none");
  if (const int code = avformat_open_input(&raw, nullptr, nullptr, options.out()); code < 0)
    return not_media(file, code);
  video.demuxer.reset(raw);

  const int best = av_find_best_stream(raw, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  // Only the picture's stream is decoded, so that nothing else has to be trusted. Pictures that say their size
  // need no look ahead.
  for (unsigned i = 0; i < raw->nb_streams; ++i)
    if (static_cast<int>(i) != best && raw->streams[i]->codecpar->codec_type != AVMEDIA_TYPE_VIDEO)
      raw->streams[i]->discard = AVDISCARD_ALL;
  std::vector<AVDictionary*> limits(raw->nb_streams, nullptr);
  for (auto& dict : limits) av_dict_set_int(&dict, "max_pixels", kMaxPixels, 0);
  const int code = avformat_find_stream_info(raw, limits.data());
  for (auto& dict : limits) av_dict_free(&dict);
  if (code < 0) return not_media(file, code);

  const AVCodec* decoder = nullptr;
  const int index = av_find_best_stream(raw, AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);
  if (index < 0 || decoder == nullptr)
    return Error{ErrorCode::CannotRead,
                 fmt::format("{} holds no picture stream that can be decoded", file.path().string())};
  video.stream = raw->streams[index];
  video.decoder = decoder;
  RUBATO_OK(check_pixels(file, video.stream->codecpar->width, video.stream->codecpar->height));
  if (const auto* matrix = av_stream_get_side_data(video.stream, AV_PKT_DATA_DISPLAYMATRIX, nullptr); matrix != nullptr)
    video.orientation = Orientation::from_matrix(reinterpret_cast<const std::int32_t*>(matrix));
  return video;
}

Result<av::Codec> open_decoder(const MediaFile& file, const Video& video) {
  av::Codec codec(avcodec_alloc_context3(video.decoder));
  RUBATO_CHECK(codec != nullptr);
  if (avcodec_parameters_to_context(codec.get(), video.stream->codecpar) < 0)
    return Error{ErrorCode::OutOfMemory, "not enough memory to decode a video"};
  codec->pkt_timebase = video.stream->time_base;
  codec->max_pixels = kMaxPixels;
  codec->thread_count = 2;
  av::Options options;
  options.set("codec_whitelist", kCodecs);
  if (const int code = avcodec_open2(codec.get(), video.decoder, options.out()); code < 0)
    return Error{ErrorCode::CannotRead, fmt::format("the {} video in {} cannot be decoded: {}", video.decoder->name,
                                                    file.path().string(), av::words(code))};
  return codec;
}

std::string container_word(const AVFormatContext& demuxer, AVCodecID codec) {
  const std::string_view name = demuxer.iformat->name;
  if (name.find("mp4") != std::string_view::npos) return "mp4";
  if (name.find("matroska") != std::string_view::npos)
    return codec == AV_CODEC_ID_VP8 || codec == AV_CODEC_ID_VP9 || codec == AV_CODEC_ID_AV1 ? "webm" : "matroska";
  return std::string(name.substr(0, name.find(',')));
}

}  // namespace

Result<MediaInfo> probe_video(const MediaFile& file) {
  RUBATO_TRY(video, open_video(file));
  const AVStream& stream = *video.stream;
  MediaInfo info;
  info.container = container_word(*video.demuxer, stream.codecpar->codec_id);
  info.codec = avcodec_get_name(stream.codecpar->codec_id);
  if (const char* name = av_get_pix_fmt_name(static_cast<AVPixelFormat>(stream.codecpar->format)); name != nullptr)
    info.pixel_format = name;
  info.width = stream.codecpar->width;
  info.height = stream.codecpar->height;
  if (video.orientation.transpose) std::swap(info.width, info.height);
  info.fps_num = video.frame_rate().num;
  info.fps_den = video.frame_rate().den;
  info.bytes = file.bytes();
  for (unsigned i = 0; i < video.demuxer->nb_streams; ++i)
    info.has_audio = info.has_audio || video.demuxer->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_AUDIO;

  // Counting packets is exact where headers may lie, and costs no decoding.
  const double tick = av_q2d(stream.time_base);
  const double frame_s = info.fps() > 0 ? 1 / info.fps() : 0;
  double last_key = -1, begin = 0, end = 0;
  const av::Packet packet(av_packet_alloc());
  RUBATO_CHECK(packet != nullptr);
  for (std::int64_t packets = 0; packets < kMaxPackets && av_read_frame(video.demuxer.get(), packet.get()) >= 0;
       ++packets) {
    const bool counts = packet->stream_index == stream.index && (packet->flags & AV_PKT_FLAG_DISCARD) == 0;
    if (counts) {
      const std::int64_t ticks = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
      const double at =
          ticks != AV_NOPTS_VALUE ? static_cast<double>(ticks) * tick : static_cast<double>(info.frames) * frame_s;
      const double lasts = packet->duration > 0 ? static_cast<double>(packet->duration) * tick : frame_s;
      begin = info.frames == 0 ? at : std::min(begin, at);
      end = std::max(end, at + lasts);
      if ((packet->flags & AV_PKT_FLAG_KEY) != 0) {
        if (last_key >= 0) info.max_keyframe_gap_s = std::max(info.max_keyframe_gap_s, at - last_key);
        last_key = at;
      }
      ++info.frames;
    }
    av_packet_unref(packet.get());
  }
  if (video.io->failed() != 0) return Error{ErrorCode::CannotRead, fmt::format("cannot read {}", file.path().string())};
  if (info.frames == 0)
    return Error{ErrorCode::Corrupt, fmt::format("{} holds no frame; it may be cut off", file.path().string())};
  info.duration_s = std::max(0.0, end - begin);
  if (last_key >= 0) info.max_keyframe_gap_s = std::max(info.max_keyframe_gap_s, end - last_key);
  return info;
}

Result<> read_video(const MediaFile& file, const ReadOptions& options, const FrameSink& sink) {
  RUBATO_TRY(video, open_video(file));
  RUBATO_TRY(codec, open_decoder(file, video));
  RgbConverter converter(options.max_side);
  RgbFrame rgb;
  const av::Frame frame(av_frame_alloc());
  const av::Packet packet(av_packet_alloc());
  RUBATO_CHECK(frame != nullptr && packet != nullptr);
  const double tick = av_q2d(video.stream->time_base);
  std::int64_t index = 0, first_ticks = AV_NOPTS_VALUE;
  const auto damaged = [&](int code) {
    return Error{ErrorCode::Corrupt,
                 fmt::format("{} is damaged after frame {}: {}", file.path().string(), index, av::words(code))};
  };

  bool ending = false;
  while (!ending && !is_past(options, index)) {
    const int got = av_read_frame(video.demuxer.get(), packet.get());
    if (got < 0 && got != AVERROR_EOF) return damaged(got);
    ending = got == AVERROR_EOF;
    if (!ending && packet->stream_index != video.stream->index) {
      av_packet_unref(packet.get());
      continue;
    }
    const int sent = avcodec_send_packet(codec.get(), ending ? nullptr : packet.get());
    av_packet_unref(packet.get());
    if (sent < 0 && sent != AVERROR_EOF) return damaged(sent);
    for (;;) {
      const int code = avcodec_receive_frame(codec.get(), frame.get());
      if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) break;
      if (code < 0) return damaged(code);
      const std::int64_t ticks = frame->best_effort_timestamp;
      if (first_ticks == AV_NOPTS_VALUE) first_ticks = ticks;
      if (is_chosen(options, index)) {
        RUBATO_OK(check_pixels(file, frame->width, frame->height));
        RUBATO_OK(converter.convert(*frame, video.orientation, rgb));
        const double rate = av_q2d(video.frame_rate());
        const double time_s = ticks != AV_NOPTS_VALUE ? static_cast<double>(ticks - first_ticks) * tick
                              : rate > 0              ? static_cast<double>(index) / rate
                                                      : 0;
        RUBATO_OK(sink(rgb.width, rgb.height, rgb.pixels, time_s));
      }
      av_frame_unref(frame.get());
      ++index;
      if (is_past(options, index)) break;
    }
  }
  if (index == 0)
    return Error{ErrorCode::Corrupt, fmt::format("{} holds no frame; it may be cut off", file.path().string())};
  return {};
}

}  // namespace rubato
