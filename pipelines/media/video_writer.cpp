#include "pipelines/media/video_writer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/base/check.h"
#include "engine/base/guard.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "pipelines/media/container_writer.h"
#include "pipelines/media/decoders.h"
#include "pipelines/media/video_encoder.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

constexpr int kMaxSide = 16383;  // WebP's limit, and more than a codec takes in practice

std::string lower_extension(const fs::path& path) {
  std::string text = path.extension().string();
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

VideoCodec resolved_codec(VideoCodec codec, Container container) {
  if (codec != VideoCodec::Auto) return codec;
  return container == Container::Mp4 ? VideoCodec::H264 : VideoCodec::Vp9;
}

std::string_view codec_word(VideoCodec codec) {
  switch (codec) {
    case VideoCodec::H264:
      return "H.264";
    case VideoCodec::Vp9:
      return "VP9";
    case VideoCodec::Av1:
      return "AV1";
    case VideoCodec::Auto:
      break;
  }
  return "the default codec";
}

Result<> check_codec(const fs::path& output, const VideoFormat& format, Container container) {
  if (container != Container::Mp4 && container != Container::WebM) {
    if (format.codec == VideoCodec::Auto) return {};
    return Error{ErrorCode::JobInvalid, fmt::format("{} does not take a codec; use .mp4 or .webm for {}",
                                                    output.string(), codec_word(format.codec))};
  }
  const VideoCodec codec = resolved_codec(format.codec, container);
  if ((codec == VideoCodec::H264) != (container == Container::Mp4))
    return Error{ErrorCode::JobInvalid,
                 fmt::format("{} does not go into {}; use {} or another codec", codec_word(codec), output.string(),
                             codec == VideoCodec::H264 ? ".mp4" : ".webm")};
  return check_codec_size(codec, format.width, format.height);
}

Result<> check_format(const fs::path& output, const VideoFormat& format, Container container) {
  const auto refuse = [](std::string message) { return Error{ErrorCode::JobInvalid, std::move(message)}; };
  if (format.width < 1 || format.height < 1 || format.width > kMaxSide || format.height > kMaxSide ||
      static_cast<std::int64_t>(format.width) * format.height > kMaxPixels)
    return refuse(
        fmt::format("a size of {}x{} cannot be written; each side may be 1 to {} and the picture at most 268 Mpx",
                    format.width, format.height, kMaxSide));
  if (format.fps_num < 1 || format.fps_den < 1 || format.fps_num > 240ll * format.fps_den ||
      format.fps_den > 60ll * format.fps_num)
    return refuse(
        fmt::format("{}/{} frames a second cannot be written; give 1/60 to 240", format.fps_num, format.fps_den));
  RUBATO_OK(check_codec(output, format, container));
  if (format.quality >= 0) {
    const bool webp = container == Container::WebP;
    if (!webp && container != Container::Mp4 && container != Container::WebM)
      return refuse(fmt::format("{} has no quality setting; leave quality out", output.string()));
    const int most = webp ? 100 : resolved_codec(format.codec, container) == VideoCodec::H264 ? 51 : 63;
    if (format.quality > most)
      return refuse(fmt::format("a quality of {} is beyond the range of {}; give 0 to {} ({} is best)", format.quality,
                                output.string(), most, webp ? most : 0));
  }
  return check_picture_name(output, format.expected_frames);
}

// A sidecar that describes the output which is about to be replaced.
bool is_our_sidecar(const fs::path& path) {
  const auto text = read_file(path, kMaxSidecar);
  if (!text) return false;
  const auto json = parse_json(*text, path.string());
  return json && json->is_object() && json->contains("frames_sha256");
}

}  // namespace

const std::vector<std::string>& known_extensions() {
  static const std::vector<std::string> known{".mp4", ".webm", ".gif", ".webp", ".png"};
  return known;
}

Result<Container> container_of(const fs::path& output) {
  std::error_code ignored;
  const std::string extension = lower_extension(output);
  if (output.filename().empty() || (extension.empty() && fs::is_directory(output, ignored)))
    return Container::PngFrames;
  if (extension == ".mp4") return Container::Mp4;
  if (extension == ".webm") return Container::WebM;
  if (extension == ".gif") return Container::Gif;
  if (extension == ".webp") return Container::WebP;
  if (extension == ".png") return numbers_frames(output.filename().string()) ? Container::PngFrames : Container::Png;
  const auto list = fmt::format("{}, or a folder for PNG frames (name/)", fmt::join(known_extensions(), ", "));
  if (extension.empty())
    return Error{ErrorCode::Usage,
                 fmt::format("{} has no extension to say what to write; use {}", output.string(), list)};
  return Error{ErrorCode::Usage, fmt::format("{} is not a kind of file that can be written; use {}{}", extension, list,
                                             did_you_mean(extension, known_extensions()))};
}

Result<VideoCodec> codec_from_name(std::string_view name) {
  static const std::vector<std::string> names{"auto", "h264", "vp9", "av1"};
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    return Error{ErrorCode::Usage, fmt::format("there is no codec '{}'; use {}{}", name, fmt::join(names, ", "),
                                               did_you_mean(name, names))};
  return static_cast<VideoCodec>(found - names.begin());
}

Result<Container> check_output(const fs::path& output, const VideoFormat& format, Overwrite overwrite) {
  RUBATO_TRY(container, container_of(output));
  RUBATO_OK(check_format(output, format, container));
  if (container == Container::PngFrames) {
    RUBATO_TRY(frames, frame_template(output));
    RUBATO_OK(check_frames_writable(frames, overwrite));
  } else {
    RUBATO_OK(check_writable(output, overwrite));
  }
  if (format.sidecar) RUBATO_OK(check_writable(sidecar_path(output), overwrite));
  return container;
}

struct VideoWriter::State {
  fs::path path;
  VideoFormat format;
  Overwrite overwrite = Overwrite::Never;
  std::unique_ptr<ContainerWriter> output;
  mutable FrameHasher hasher;
  mutable std::string sha256;  // the digest ends the hasher, so it is taken once
  std::int64_t frames = 0;
  bool broken = false;

  const std::string& digest() const {
    if (sha256.empty()) sha256 = hasher.hex();
    return sha256;
  }
};

VideoWriter::VideoWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
VideoWriter::~VideoWriter() = default;

Result<std::unique_ptr<VideoWriter>> VideoWriter::create(const fs::path& output, const VideoFormat& format,
                                                         Overwrite overwrite) {
  return guard([&]() -> Result<std::unique_ptr<VideoWriter>> {
    RUBATO_TRY(container, check_output(output, format, overwrite));
    auto opened = [&]() -> OutputResult {
      switch (container) {
        case Container::Gif:
          return open_gif_output(output, format, overwrite);
        case Container::WebP:
          return open_webp_output(output, format, overwrite);
        case Container::Png:
          return open_png_output(output, format, overwrite);
        case Container::PngFrames:
          return open_png_frames_output(output, format, overwrite);
        default:
          return open_stream_output(output, format, container, overwrite);
      }
    }();
    if (!opened) return opened.error();
    auto state = std::make_unique<State>();
    state->path = output;
    state->format = format;
    state->overwrite = overwrite;
    state->output = std::move(opened).value();
    return std::unique_ptr<VideoWriter>(new VideoWriter(std::move(state)));
  });
}

Result<> VideoWriter::add_frame(std::span<const std::uint8_t> rgb24) {
  State& s = *state_;
  RUBATO_CHECK(!s.broken && s.output != nullptr, "frame after an error or after finish()");
  RUBATO_CHECK(s.sha256.empty(), "frame after frames_sha256()");
  RUBATO_CHECK(rgb24.size() == static_cast<std::size_t>(s.format.width) * static_cast<std::size_t>(s.format.height) * 3,
               "a frame of ", rgb24.size(), " bytes");
  auto added = guard([&] { return s.output->add(s.frames, rgb24); });
  if (!added) {
    s.broken = true;
    return added;
  }
  s.hasher.add(rgb24);
  ++s.frames;
  return {};
}

std::string VideoWriter::frames_sha256() const { return state_->digest(); }
std::int64_t VideoWriter::frames() const { return state_->frames; }
fs::path VideoWriter::temporary_path() const { return state_->output ? state_->output->temporary_path() : fs::path(); }

Result<std::vector<fs::path>> VideoWriter::finish(const Metadata& metadata) {
  State& s = *state_;
  RUBATO_CHECK(!s.broken && s.output != nullptr, "finish() after an error or twice");
  if (s.frames == 0)
    return Error{ErrorCode::Failed, fmt::format("{} was not written: there is not one frame", s.path.string())};
  s.broken = true;  // whatever happens now, nothing can be added
  return guard([&]() -> Result<std::vector<fs::path>> {
    Metadata stored{"", metadata.comment};
    std::optional<AtomicFile> sidecar;
    const fs::path beside = sidecar_path(s.path);
    if (!metadata.empty()) {
      RUBATO_TRY(object, parse_json(metadata.json, "metadata", {.max_bytes = kMaxSidecar, .max_string = 1u << 20},
                                    ErrorCode::Internal));
      RUBATO_CHECK(object.is_object(), "metadata is not an object");
      object["frames_sha256"] = s.digest();
      object["frame_count"] = s.frames;
      stored.json = object.dump(-1, ' ', /*ensure_ascii=*/true);
      const auto container = container_of(s.path);
      const bool png = container && (*container == Container::Png || *container == Container::PngFrames);
      if (stored.json.size() > (png ? kMaxPngText : kMaxContainerTag)) stored.json.clear();  // the sidecar has it all
      if (s.format.sidecar) {
        // Written before the output appears, so that a full disk is noticed while nothing is there yet.
        RUBATO_TRY(file, AtomicFile::create(beside, s.overwrite));
        RUBATO_OK(file.write(object.dump(2) + "\n"));
        sidecar.emplace(std::move(file));
      }
    }
    auto paths = s.output->finish(stored);
    if (!paths) return paths.error();
    s.output.reset();
    if (sidecar) {
      RUBATO_OK(sidecar->commit());
      paths->push_back(beside);
    } else if (s.overwrite == Overwrite::Always && is_our_sidecar(beside)) {
      fs::remove(beside);  // it describes the output that was replaced
    }
    return paths;
  });
}

}  // namespace rubato
