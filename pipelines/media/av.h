// Owning pointers and words for FFmpeg's C objects. Internal to pipelines/media.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
}

#include <array>
#include <memory>
#include <string>

namespace rubato::av {

struct FreeFrame {
  void operator()(AVFrame* p) const { av_frame_free(&p); }
};
struct FreePacket {
  void operator()(AVPacket* p) const { av_packet_free(&p); }
};
struct FreeCodec {
  void operator()(AVCodecContext* p) const { avcodec_free_context(&p); }
};
struct FreeMuxer {
  void operator()(AVFormatContext* p) const { avformat_free_context(p); }
};
struct CloseDemuxer {
  void operator()(AVFormatContext* p) const { avformat_close_input(&p); }
};
struct FreeScaler {
  void operator()(SwsContext* p) const { sws_freeContext(p); }
};
struct FreeParameters {
  void operator()(AVCodecParameters* p) const { avcodec_parameters_free(&p); }
};
using Frame = std::unique_ptr<AVFrame, FreeFrame>;
using Packet = std::unique_ptr<AVPacket, FreePacket>;
using Codec = std::unique_ptr<AVCodecContext, FreeCodec>;
using Muxer = std::unique_ptr<AVFormatContext, FreeMuxer>;
using Demuxer = std::unique_ptr<AVFormatContext, CloseDemuxer>;
using Parameters = std::unique_ptr<AVCodecParameters, FreeParameters>;
using Scaler = std::unique_ptr<SwsContext, FreeScaler>;

// A dictionary of options; FFmpeg removes the entries it understood.
class Options {
 public:
  Options() = default;
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;
  ~Options() { av_dict_free(&dict_); }
  Options& set(const char* key, const std::string& value) {
    av_dict_set(&dict_, key, value.c_str(), 0);
    return *this;
  }
  AVDictionary** out() { return &dict_; }

 private:
  AVDictionary* dict_ = nullptr;
};

inline std::string words(int code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(code, text.data(), text.size());
  return text.data();
}

// The libraries write to stderr by default; what matters comes back as an Error instead.
inline void quiet() { av_log_set_level(AV_LOG_QUIET); }

}  // namespace rubato::av
