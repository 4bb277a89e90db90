// A folder in a Hugging Face hub cache: its name there is a hash, and the repository's name stands above it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace rubato {

struct HubPlace {
  std::string repository, revision;  // "org/name", "7d1f…"
};

// Out of models--org--name/snapshots/HASH; nothing for a folder that lies elsewhere.
inline std::optional<HubPlace> hub_place(const std::filesystem::path& folder) {
  const auto snapshots = folder.parent_path();
  const std::string cache = snapshots.parent_path().filename().string();
  if (snapshots.filename() != "snapshots" || !cache.starts_with("models--")) return std::nullopt;
  std::string name = cache.substr(8);
  for (std::size_t at; (at = name.find("--")) != std::string::npos;) name.replace(at, 2, "/");
  return HubPlace{std::move(name), folder.filename().string()};
}

}  // namespace rubato
