// MediaClient: asks rubato-media about files that strangers may have made.
//
// Each question starts one short-lived rubato-media, which drops its rights before it decodes; its answer is one JSON
// object on a pipe, pixels come through a memfd. Both are bounded and checked here. For programs that must not link
// FFmpeg (the window, the CLI). POSIX only, no threads; calls block at most `timeout_s`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "engine/base/error.h"

namespace rubato {

// RGB24 frames in a private mapping of the memfd.
struct MediaFrames {
  int width = 0, height = 0;
  std::int64_t count = 0;
  std::vector<double> times_s;           // [count]
  std::span<const std::uint8_t> pixels;  // [count, height, width, 3]; valid as long as this object or a copy lives
  std::shared_ptr<const void> mapping;

  std::span<const std::uint8_t> frame(std::int64_t index) const {
    const auto size = static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3;
    return pixels.subspan(static_cast<std::size_t>(index) * size, size);
  }
};

class MediaClient {
 public:
  // `program`: path of rubato-media; "" = beside the running program, else in PATH.
  explicit MediaClient(std::filesystem::path program = {}, double timeout_s = 60);

  // {"container","codec","pixel_format","width","height","frames","fps_num","fps_den","duration_s",
  //  "max_keyframe_gap_s","has_audio","bytes"}
  Result<nlohmann::json> probe(const std::filesystem::path& file) const;
  // {"source": "container" | "sidecar", "metadata": {…}, "comment": "…"}
  Result<nlohmann::json> metadata(const std::filesystem::path& file) const;
  // {"encoders": {"h264": true, "vp9": …}, "libraries": {"libavcodec": "59.37.100", …}}: what can be written here.
  Result<nlohmann::json> support() const;
  // count -1: to the end; every step-th frame; max_side 0: full size.
  Result<MediaFrames> frames(const std::filesystem::path& file, std::int64_t start = 0, std::int64_t count = -1,
                             std::int64_t step = 1, int max_side = 0) const;
  // The first frame, scaled down to max_side (0: full size).
  Result<MediaFrames> thumbnail(const std::filesystem::path& file, int max_side) const;

 private:
  Result<nlohmann::json> ask(const std::vector<std::string>& arguments, int memfd) const;

  std::filesystem::path program_;
  double timeout_s_;
};

}  // namespace rubato
