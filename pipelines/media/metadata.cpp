#include "pipelines/media/metadata.h"

#include <fmt/format.h>
#include <png.h>
#include <webp/encode.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/base/files.h"
#include "engine/base/json.h"
#include "pipelines/media/av.h"
#include "pipelines/media/container_tags.h"
#include "pipelines/media/container_writer.h"
#include "pipelines/media/frame_sequence.h"
#include "pipelines/media/media_reader.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

// Strings of a prompt may be long; everything else of the bounded JSON reader stays.
Result<nlohmann::json> parse_metadata(std::string_view text, const fs::path& path) {
  RUBATO_TRY(json, parse_json(text, path.string() + ": metadata", {.max_bytes = kMaxSidecar, .max_string = 1u << 20}));
  if (!json.is_object())
    return Error{ErrorCode::Corrupt, fmt::format("the metadata of {} is not a JSON object", path.string())};
  return json;
}

bool is_private_key(std::string_view key) {
  for (const std::string_view start : {"prompt", "negative_prompt"})
    if (key.starts_with(start)) return true;
  for (const std::string_view name :
       {"image", "last_image", "video", "mask", "out", "outputs", "latents_in", "latents_out", "trace", "cut_text"})
    if (key == name) return true;
  return false;
}

bool looks_like_path(std::string_view text) {
  return text.starts_with("/") || text.starts_with("~/") || text.starts_with("./") || text.starts_with("../") ||
         text.starts_with("file:");
}

std::string version_text(unsigned version) {
  return fmt::format("{}.{}.{}", AV_VERSION_MAJOR(version), AV_VERSION_MINOR(version), AV_VERSION_MICRO(version));
}

}  // namespace

Metadata Metadata::from(const nlohmann::json& object, std::string comment) {
  return {object.dump(), std::move(comment)};
}

fs::path sidecar_path(const fs::path& output) {
  fs::path base = output.has_filename() ? output : output.parent_path();  // frames/ -> frames
  base += ".json";
  return base;
}

Result<FoundMetadata> find_metadata(const MediaFile& file) {
  ByteSource source = ByteSource::descriptor(file.fd(), file.bytes());
  auto tags = container_tags(source);
  if (!tags) return Error{tags.error().code, fmt::format("{}: {}", file.path().string(), tags.error().message)};
  if (!tags->rubato) return no_metadata(file.path());
  RUBATO_TRY(json, parse_metadata(*tags->rubato, file.path()));
  return FoundMetadata{Metadata::from(json, tags->comment), MetadataSource::Container};
}

Result<FoundMetadata> sidecar_metadata(std::string_view text, const fs::path& path) {
  RUBATO_TRY(json, parse_metadata(text, path));
  return FoundMetadata{Metadata::from(json), MetadataSource::Sidecar};
}

std::vector<MetadataPlace> metadata_places(const fs::path& path) {
  std::vector<MetadataPlace> places;
  const bool single = !names_sequence(path);
  const auto add = [&](const fs::path& file, MetadataSource source, bool of_the_others) {
    std::error_code failed;
    if (fs::is_regular_file(file, failed)) places.push_back({file, source, of_the_others});
  };
  const auto add_sequence = [&](const fs::path& output) {
    const auto sequence = frame_sequence(output);
    add(sidecar_path(sequence ? sequence->output : output), MetadataSource::Sidecar, single);
    if (sequence) add(sequence->files.front(), MetadataSource::Container, single);
  };
  if (!single) {
    add_sequence(path);
    return places;
  }
  add(path, MetadataSource::Container, false);
  add(sidecar_path(path), MetadataSource::Sidecar, false);
  if (const auto around = sequence_around(path)) add_sequence(*around);
  return places;
}

Result<FoundMetadata> find_metadata(const fs::path& path) {
  if (!names_sequence(path)) RUBATO_OK(MediaFile::open(path));  // says what is wrong with the file itself
  for (const auto& place : metadata_places(path)) {
    auto found = [&]() -> Result<FoundMetadata> {
      if (place.source == MetadataSource::Container) {
        RUBATO_TRY(file, MediaFile::open(place.path));
        return find_metadata(file);
      }
      RUBATO_TRY(text, read_file(place.path, kMaxSidecar));
      return sidecar_metadata(text, place.path);
    }();
    if (!found && found.error().code != ErrorCode::CannotRead) return found;
    if (found && (!place.of_the_others || has_many_frames(nlohmann::json::parse(found->metadata.json)))) return found;
  }
  return no_metadata(path);
}

Error no_metadata(const fs::path& path) {
  return {ErrorCode::CannotRead, names_sequence(path) ? fmt::format("{} carries no Rubato metadata and there is no {}",
                                                                    path.string(), sidecar_path(path).string())
                                                      : fmt::format("{} carries no Rubato metadata", path.string())};
}

bool has_many_frames(const nlohmann::json& metadata) {
  const auto count = metadata.find("frame_count");
  return count != metadata.end() && count->is_number_integer() && *count > 1;
}

Result<Metadata> read_metadata(const fs::path& path) {
  RUBATO_TRY(found, find_metadata(path));
  return std::move(found.metadata);
}

nlohmann::json without_prompt_and_paths(const nlohmann::json& object) {
  if (object.is_object()) {
    nlohmann::json kept = nlohmann::json::object();
    for (const auto& [key, value] : object.items()) {
      if (is_private_key(key)) continue;
      if (value.is_string() && looks_like_path(value.get_ref<const std::string&>())) {
        if (key == "model") kept[key] = fs::path(value.get<std::string>()).filename().string();
        continue;
      }
      kept[key] = without_prompt_and_paths(value);
    }
    return kept;
  }
  if (object.is_array()) {
    nlohmann::json kept = nlohmann::json::array();
    for (const auto& value : object)
      if (!value.is_string() || !looks_like_path(value.get_ref<const std::string&>()))
        kept.push_back(without_prompt_and_paths(value));
    return kept;
  }
  return object;
}

std::map<std::string, std::string> media_library_versions() {
  const int webp = WebPGetEncoderVersion();
  return {{"libavformat", version_text(avformat_version())},
          {"libavcodec", version_text(avcodec_version())},
          {"libswscale", version_text(swscale_version())},
          {"libpng", PNG_LIBPNG_VER_STRING},
          {"libwebp", fmt::format("{}.{}.{}", webp >> 16, webp >> 8 & 255, webp & 255)}};
}

}  // namespace rubato
