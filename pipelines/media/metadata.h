// Metadata: what an output says about itself, one JSON object that travels inside the file and beside it.
//
// The object holds the resolved job, versions, model names and hashes, device, timings, and `frames_sha256`,
// the SHA-256 of the 8-bit RGB frames before encoding, so that a lossy file can still be verified bit for bit.
// It is stored under the key `rubato`: MP4 (QuickTime `mdta` keys), WebM (Matroska tag), PNG (iTXt), WebP
// (an XMP packet), GIF (comment extension); and always as the sidecar OUT.json, which keeps what the
// container has no room for. Files are data: reading never runs or opens anything that the JSON names.
//
// Bounds (refused beyond): MP4, WebM, WebP and GIF tags 1 MiB, PNG text 4 MiB inflated and at most 100 times
// its stored size plus 64 KiB, sidecar 16 MiB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/ids.h"

namespace rubato {

class MediaFile;

struct Metadata {
  std::string json;     // a JSON object, UTF-8; "" = leave metadata and sidecar out
  std::string comment;  // one line for people, shown by players ("A lighthouse at dusk, seed 7"); may be ""

  static Metadata from(const nlohmann::json& object, std::string comment = "");
  bool empty() const { return json.empty(); }
};

// Where read_metadata found it.
enum class MetadataSource { Container, Sidecar };

struct FoundMetadata {
  Metadata metadata;
  MetadataSource source = MetadataSource::Container;
};

// Where the metadata of a path may be, in the order of looking: in the file itself, beside it; for a folder or pattern
// of PNG frames beside it, in its first frame; for one of such frames also where the others have theirs.
struct MetadataPlace {
  std::filesystem::path path;
  MetadataSource source = MetadataSource::Container;
  bool of_the_others = false;  // speaks for `path` only if it is of a clip of many frames
};
std::vector<MetadataPlace> metadata_places(const std::filesystem::path& path);

// From the first place that has some. Errors: CannotRead (no such file, or a file that carries no Rubato
// metadata: the message says so), Corrupt (metadata that breaks a bound or is not a JSON object).
Result<FoundMetadata> find_metadata(const std::filesystem::path& path);
Result<Metadata> read_metadata(const std::filesystem::path& path);
// The error of a path in none of whose places is any.
Error no_metadata(const std::filesystem::path& path);
// Is the clip that this describes one of many frames?
bool has_many_frames(const nlohmann::json& metadata);
// The two halves, for a process that may no longer open files: of an open file, and of a sidecar's text.
Result<FoundMetadata> find_metadata(const MediaFile& file);
Result<FoundMetadata> sidecar_metadata(std::string_view text, const std::filesystem::path& path);

// clip.mp4 -> clip.mp4.json; frames/ -> frames.json; shot_####.png -> shot_####.png.json
std::filesystem::path sidecar_path(const std::filesystem::path& output);

// A copy for sharing: prompts, input and output paths removed at every depth; a model given by its path keeps
// only the last part of the name.
nlohmann::json without_prompt_and_paths(const nlohmann::json& object);

// SHA-256 over frames of 8-bit RGB, row after row, frame after frame, without padding.
class FrameHasher {
 public:
  void add(std::span<const std::uint8_t> rgb24) { hash_.update(std::as_bytes(rgb24)); }
  std::string hex() { return hash_.hex(); }

 private:
  Sha256 hash_;
};

// {"libavcodec": "59.37.100", …}: for the `libraries` part of the metadata and for doctor.
std::map<std::string, std::string> media_library_versions();

}  // namespace rubato
