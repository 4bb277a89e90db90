#include "pipelines/media/frame_sequence.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

#include "pipelines/media/container_writer.h"
#include "pipelines/media/metadata.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxFiles = 1'000'000;  // of a folder that is looked through
constexpr std::string_view kSidecarEnd = ".json";

// "frames/" and "." by the folder's own name, so that its sidecar can be named.
fs::path folder_name(const fs::path& folder) {
  const auto plain = folder.has_filename() ? folder : folder.parent_path();
  if (const auto name = plain.filename(); !name.empty() && name != "." && name != "..") return plain;
  std::error_code failed;
  const auto real = fs::canonical(folder, failed);
  return failed ? plain : real;
}

// Names of the folder's files, sorted.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    names.push_back(entry->path().filename().string());
    if (names.size() == kMaxFiles) break;
  }
  std::sort(names.begin(), names.end());
  return names;
}

fs::path folder_of(const fs::path& file) { return file.has_parent_path() ? file.parent_path() : fs::path("."); }

// "shot_0003.png" -> "shot_%04d.png", by the last number of the name.
std::optional<std::string> pattern_of(const std::string& name) {
  constexpr std::string_view kDigits = "0123456789";
  const auto stem = name.rfind('.');
  if (stem == std::string::npos || stem == 0) return std::nullopt;
  const auto last = name.find_last_of(kDigits, stem - 1);
  if (last == std::string::npos) return std::nullopt;
  const auto before = name.find_last_not_of(kDigits, last);
  const auto first = before == std::string::npos ? 0 : before + 1;
  if (last + 1 - first > 9) return std::nullopt;
  return fmt::format("{}%0{}d{}", name.substr(0, first), last + 1 - first, name.substr(last + 1));
}

}  // namespace

bool names_sequence(const fs::path& path) {
  std::error_code failed;
  if (fs::is_directory(path, failed)) return true;
  return !fs::exists(path, failed) && numbers_frames(path.filename().string());
}

Result<FrameSequence> frame_sequence(const fs::path& path) {
  std::error_code failed;
  FrameSequence sequence;
  sequence.output = fs::is_directory(path, failed) ? folder_name(path) : path;
  RUBATO_TRY(names, frame_template(sequence.output));
  std::vector<std::int64_t> numbers;
  for (const auto& name : names_in(names.folder))
    if (const auto index = names.index_of(name); index >= 0) numbers.push_back(index);
  if (numbers.empty())
    return Error{ErrorCode::CannotRead,
                 fmt::format("{} holds no frames: there is no {}", names.folder.string(), names.name(0))};
  std::sort(numbers.begin(), numbers.end());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto wanted = static_cast<std::int64_t>(i);
    if (numbers[i] != wanted)
      return Error{ErrorCode::Corrupt, fmt::format("{} is missing, but {} is there", names.name(wanted),
                                                   (names.folder / names.name(numbers[i])).string())};
    sequence.files.push_back(names.folder / names.name(wanted));
    if (const auto size = fs::file_size(sequence.files.back(), failed); !failed) sequence.bytes += size;
  }
  return sequence;
}

std::optional<fs::path> sequence_around(const fs::path& frame) {
  const auto folder = folder_of(frame);
  const auto name = frame.filename().string();
  const auto fits = [&](const fs::path& output) {
    const auto names = frame_template(output);
    return names && names->index_of(name) >= 0;
  };
  // Written by pattern: shot_####.png.json lies beside.
  for (const auto& beside : names_in(folder)) {
    if (!beside.ends_with(kSidecarEnd)) continue;
    const auto pattern = beside.substr(0, beside.size() - kSidecarEnd.size());
    if (numbers_frames(pattern) && fits(folder / pattern))
      return frame.has_parent_path() ? folder / pattern : fs::path(pattern);
  }
  std::error_code failed;
  if (const auto whole = folder_name(folder); fs::exists(sidecar_path(whole), failed) && fits(whole)) return whole;
  const auto pattern = pattern_of(name);
  if (!pattern) return std::nullopt;
  const auto output = frame.has_parent_path() ? folder / *pattern : fs::path(*pattern);
  const auto names = frame_template(output);
  if (!names || !fs::exists(names->folder / names->name(0), failed)) return std::nullopt;
  return output;
}

}  // namespace rubato
