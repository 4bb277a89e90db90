// VideoEncoder: RGB24 frames to packets of one video codec. Internal to pipelines/media.
//
// 4:2:0, 8 bit, BT.709, limited range, tagged as such; sRGB pixels pass through the matrix only. A key frame at least
// every second, closed groups, constant quality. The number of threads is fixed, not taken from the machine, because
// x264 decides differently with another number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/base/error.h"
#include "pipelines/media/av.h"
#include "pipelines/media/video_writer.h"

namespace rubato {

class VideoEncoder {
 public:
  // A packet in the encoder's time base (one tick = one frame); the receiver may change it.
  using PacketSink = std::function<Result<>(AVPacket& packet)>;

  static Result<std::unique_ptr<VideoEncoder>> open(VideoCodec codec, const VideoFormat& format);
  // `index` is the presentation time in frames.
  Result<> encode(std::int64_t index, std::span<const std::uint8_t> rgb24, const PacketSink& sink);
  Result<> flush(const PacketSink& sink);
  const AVCodecContext& context() const { return *codec_; }

 private:
  VideoEncoder() = default;
  Result<> drain(const PacketSink& sink);

  av::Codec codec_;
  av::Scaler scaler_;
  av::Frame frame_;
  av::Packet packet_;
  std::vector<std::uint8_t> padded_;
};

// Smallest and granular sizes of a codec; the message names the nearest valid size.
Result<> check_codec_size(VideoCodec codec, int width, int height);

}  // namespace rubato
