#include "app/media/commands.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "app/media/sandbox.h"
#include "engine/base/files.h"
#include "engine/base/text.h"
#include "pipelines/media/media_reader.h"
#include "pipelines/media/metadata.h"
#include "pipelines/media/video_writer.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kMaxSidecarBytes = 16u << 20;
const std::vector<std::string> kVerbs{"probe", "metadata", "frames", "thumbnail"};

Error usage(std::string message) { return {ErrorCode::Usage, std::move(message)}; }

template <typename T>
Result<> read_number(std::string_view flag, const char* text, T low, T& out) {
  const char* end = text + std::strlen(text);
  const auto [stop, failed] = std::from_chars(text, end, out);
  if (failed != std::errc() || stop != end || out < low)
    return usage(fmt::format("{} takes a whole number from {}, not '{}'", flag, low, text));
  return {};
}

Result<> write_all(int fd, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0)
      return Error{ErrorCode::CannotWrite,
                   fmt::format("the frames could not be handed over: {}", std::strerror(errno))};
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

Result<nlohmann::json> hand_over_frames(const MediaQuestion& q, const MediaFile& file) {
  int width = 0, height = 0;
  std::vector<double> times;
  RUBATO_OK(read_frames(file, {.start = q.start, .count = q.count, .step = q.step, .max_side = q.max_side},
                        [&](int w, int h, std::span<const std::uint8_t> rgb24, double time_s) -> Result<> {
                          if (!times.empty() && (w != width || h != height))
                            return Error{ErrorCode::Corrupt, fmt::format("the picture size of {} changes at frame {}",
                                                                         file.path().string(), times.size())};
                          width = w;
                          height = h;
                          times.push_back(time_s);
                          return write_all(q.fd, rgb24);
                        }));
  return nlohmann::json{{"width", width}, {"height", height}, {"count", times.size()}, {"times_s", times}};
}

// A place where metadata may be, opened before the rights are gone.
struct OpenPlace {
  MetadataPlace place;
  std::optional<MediaFile> file;  // of a container
  std::string text;               // of a sidecar
};

Result<std::vector<OpenPlace>> open_places(const fs::path& path) {
  std::vector<OpenPlace> opened;
  for (auto& place : metadata_places(path)) {
    OpenPlace one{std::move(place), std::nullopt, {}};
    if (one.place.source == MetadataSource::Sidecar) {
      RUBATO_TRY(text, read_file(one.place.path, kMaxSidecarBytes));
      one.text = std::move(text);
    } else {
      RUBATO_TRY(file, MediaFile::open(one.place.path));
      one.file.emplace(std::move(file));
    }
    opened.push_back(std::move(one));
  }
  return opened;
}

Result<nlohmann::json> answer_metadata(const MediaQuestion& q) {
  const bool single = !names_sequence(q.file);
  if (single) RUBATO_OK(MediaFile::open(q.file));  // says what is wrong with the file itself
  RUBATO_TRY(places, open_places(q.file));
  const auto none = no_metadata(q.file);
  const auto sequence = single ? sequence_around(q.file) : q.file;
  RUBATO_OK(enter_sandbox());
  for (const auto& [place, file, text] : places) {
    const auto found = file ? find_metadata(*file) : sidecar_metadata(text, place.path);
    if (!found && found.error().code == ErrorCode::CannotRead) continue;
    RUBATO_OK(found);
    const auto metadata = nlohmann::json::parse(found->metadata.json);
    const bool many = has_many_frames(metadata);
    if (place.of_the_others && !many) continue;
    nlohmann::json reply{{"source", place.source == MetadataSource::Container ? "container" : "sidecar"},
                         {"metadata", metadata},
                         {"comment", found->metadata.comment}};
    if (sequence && (many || !single)) reply["sequence"] = sequence->string();
    return reply;
  }
  return none;
}

}  // namespace

Result<MediaQuestion> parse_question(std::span<char* const> arguments) {
  if (arguments.size() == 1 && std::string_view(arguments[0]) == "support") return MediaQuestion{.verb = "support"};
  if (arguments.size() < 2)
    return usage(
        "usage: rubato-media probe|metadata|frames|thumbnail FILE [--fd N] [--start N] [--count N] [--step N] "
        "[--max-side N], or rubato-media support");
  MediaQuestion q;
  q.verb = arguments[0];
  q.file = arguments[1];
  if (std::find(kVerbs.begin(), kVerbs.end(), q.verb) == kVerbs.end())
    return usage(fmt::format("there is no command '{}'{}", q.verb, did_you_mean(q.verb, kVerbs)));
  const bool pixels = q.verb == "frames" || q.verb == "thumbnail";
  for (std::size_t i = 2; i < arguments.size(); i += 2) {
    const std::string_view flag = arguments[i];
    if (i + 1 == arguments.size()) return usage(fmt::format("{} needs a value", flag));
    const char* value = arguments[i + 1];
    if (pixels && flag == "--fd") {
      RUBATO_OK(read_number(flag, value, 3, q.fd));
    } else if (pixels && flag == "--max-side") {
      RUBATO_OK(read_number(flag, value, 0, q.max_side));
    } else if (q.verb == "frames" && flag == "--start") {
      RUBATO_OK(read_number<std::int64_t>(flag, value, 0, q.start));
    } else if (q.verb == "frames" && flag == "--count") {
      RUBATO_OK(read_number<std::int64_t>(flag, value, -1, q.count));
    } else if (q.verb == "frames" && flag == "--step") {
      RUBATO_OK(read_number<std::int64_t>(flag, value, 1, q.step));
    } else {
      return usage(fmt::format("{} does not take {}", q.verb, flag));
    }
  }
  if (q.verb == "thumbnail") q.count = 1;
  if (pixels && (q.fd < 0 || ::fcntl(q.fd, F_GETFD) < 0))
    return usage(fmt::format("{} needs --fd N, an open descriptor for the pixels", q.verb));
  return q;
}

Result<nlohmann::json> answer(const MediaQuestion& question) {
  if (question.verb == "support")
    return nlohmann::json{{"encoders", encoder_support()}, {"libraries", media_library_versions()}};
  if (question.verb == "metadata") return answer_metadata(question);
  FrameSequence sequence;
  if (names_sequence(question.file)) {
    RUBATO_TRY(found, frame_sequence(question.file));
    sequence = std::move(found);
    if (question.verb == "frames")  // too many to be open at once, and none can be opened in the sandbox
      return usage(fmt::format("{} is many files; ask for the frames of one, such as {}", question.file.string(),
                               sequence.files.front().string()));
  }
  RUBATO_TRY(file, MediaFile::open(sequence.files.empty() ? question.file : sequence.files.front()));
  RUBATO_OK(enter_sandbox());
  if (question.verb != "probe") return hand_over_frames(question, file);
  if (sequence.files.empty()) {
    RUBATO_TRY(info, probe(file));
    return to_json(info);
  }
  RUBATO_TRY(info, probe(file, sequence));
  return to_json(info);
}

}  // namespace rubato
