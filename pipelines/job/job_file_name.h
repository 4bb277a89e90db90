// What the name of a file says about whether jobs are in it.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <string_view>

#include "engine/base/error.h"

namespace rubato {

// ".csv" in any case of letters.
inline std::string lower_extension(const std::filesystem::path& file) {
  auto extension = file.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return extension;
}

// A job file by its name, or a text that may be one by its content. What lies in such a file and cannot be read has a
// mistake in it; any other file (README.md, clip.mp4) is no job file, and its first line says nothing about why.
inline bool may_hold_jobs(const std::filesystem::path& file) {
  constexpr std::array<std::string_view, 8> kKnown{"", ".yaml", ".yml", ".json", ".jsonl", ".ndjson", ".csv", ".txt"};
  return std::ranges::find(kKnown, lower_extension(file)) != kKnown.end();
}

inline Error no_job_file(const std::filesystem::path& file) {
  return {ErrorCode::JobInvalid,
          fmt::format("{} is not a job file (YAML, JSON, JSONL or CSV)", file.filename().string())};
}

}  // namespace rubato
