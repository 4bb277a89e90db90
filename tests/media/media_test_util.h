// What the media tests share: clips to write, folders to write into, a measure of likeness.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "engine/base/ids.h"
#include "pipelines/media/media_reader.h"
#include "pipelines/media/video_writer.h"

namespace rubato::test {
namespace fs = std::filesystem;

// A folder of its own for one test, removed with it.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("rubato-media-" + new_ulid())) { fs::create_directories(path_); }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path operator/(const std::string& name) const { return path_ / name; }
  const fs::path& path() const { return path_; }
  // Names of everything inside, sorted.
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(path_)) found.push_back(entry.path().filename().string());
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  fs::path path_;
};

// A soft light that wanders over a slow gradient: moving, and smooth enough for 4:2:0.
inline std::vector<std::uint8_t> clip_frame(int width, int height, int index) {
  std::vector<std::uint8_t> rgb(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
  const double cx = width * (0.5 + 0.3 * std::sin(index * 0.15)), cy = height * (0.5 + 0.3 * std::cos(index * 0.11));
  const double radius = 0.25 * std::min(width, height) + 1;
  std::size_t at = 0;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double light = std::exp(-((x - cx) * (x - cx) + (y - cy) * (y - cy)) / (radius * radius));
      const double u = static_cast<double>(x) / width, v = static_cast<double>(y) / height;
      for (const double value : {40 + 120 * u + 90 * light, 60 + 80 * v + 100 * light, 150 - 90 * u + 30 * light})
        rgb[at++] = static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
    }
  }
  return rgb;
}

inline double psnr(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  if (a.size() != b.size() || a.empty()) return 0;
  double error = 0;
  for (std::size_t i = 0; i < a.size(); ++i) error += (a[i] - b[i]) * (a[i] - b[i]);
  if (error == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(255.0 * 255.0 * static_cast<double>(a.size()) / error);
}

inline const char* kPrompt = "Ein Leuchtturm, \u6d77, \"quoted\" <tag> & \U0001F30A\nsecond line";
inline const char* kJobJson =
    R"({"version":1,"job":{"kind":"video","prompt":"Ein Leuchtturm, 海, \"quoted\" <tag> & 🌊\nsecond line","seed":7},"rubato":{"version":"0.1.0"}})";

// Writes `frames` clip frames and finishes with metadata.
inline Result<std::vector<fs::path>> write_clip(const fs::path& output, const VideoFormat& format, int frames,
                                                Overwrite overwrite = Overwrite::Never,
                                                const Metadata& metadata = {kJobJson, "A lighthouse, seed 7"}) {
  RUBATO_TRY(writer, VideoWriter::create(output, format, overwrite));
  for (int i = 0; i < frames; ++i) RUBATO_OK(writer->add_frame(clip_frame(format.width, format.height, i)));
  return writer->finish(metadata);
}

inline std::string file_bytes(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void put_file(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

template <typename T>
std::string why(const Result<T>& result) {
  return result.ok() ? "ok" : result.error().message;
}

}  // namespace rubato::test
