#include "pipelines/media/metadata.h"

#include <fmt/format.h>
#include <png.h>
#include <webp/encode.h>

#include <nlohmann/json.hpp>

#include "engine/base/files.h"
#include "engine/base/json.h"
#include "pipelines/media/av.h"
#include "pipelines/media/container_tags.h"
#include "pipelines/media/container_writer.h"
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
  if (!tags->rubato)
    return Error{ErrorCode::CannotRead, fmt::format("{} carries no Rubato metadata", file.path().string())};
  RUBATO_TRY(json, parse_metadata(*tags->rubato, file.path()));
  return FoundMetadata{Metadata::from(json, tags->comment), MetadataSource::Container};
}

Result<FoundMetadata> sidecar_metadata(std::string_view text, const fs::path& path) {
  RUBATO_TRY(json, parse_metadata(text, path));
  return FoundMetadata{Metadata::from(json), MetadataSource::Sidecar};
}

Result<FoundMetadata> find_metadata(const fs::path& path) {
  std::error_code ignored;
  const fs::path beside = sidecar_path(path);
  if (!fs::is_directory(path, ignored)) {
    RUBATO_TRY(file, MediaFile::open(path));
    auto found = find_metadata(file);
    if (found || found.error().code != ErrorCode::CannotRead || !fs::exists(beside, ignored)) return found;
  } else if (!fs::exists(beside, ignored)) {
    return Error{ErrorCode::CannotRead,
                 fmt::format("{} carries no Rubato metadata and there is no {}", path.string(), beside.string())};
  }
  RUBATO_TRY(text, read_file(beside, kMaxSidecar));
  return sidecar_metadata(text, beside);
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
