#include "pipelines/job/preflight.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "engine/base/frame_names.h"
#include "engine/base/text.h"
#include "engine/files/weight_set.h"
#include "pipelines/job/capacity.h"
#include "pipelines/job/field_value.h"
#include "pipelines/job/kept_work.h"
#include "pipelines/job/tensor_inputs.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

constexpr const char* kPractice = "practice-video";

const std::vector<std::string>& extensions() {
  static const std::vector<std::string> known{".mp4", ".webm", ".gif", ".webp", ".png", ".safetensors"};
  return known;
}

std::string all_of(const std::vector<std::string>& names) { return detail::one_of({names.begin(), names.end()}); }

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// A path that ends in a slash, or an existing folder, takes numbered PNG frames.
bool is_frames_folder(const fs::path& out) {
  std::error_code failed;
  return !out.has_filename() || fs::is_directory(out, failed);
}

bool is_numbered(const fs::path& out) {
  const auto name = out.filename().string();
  return name.find('#') != std::string::npos || name.find('%') != std::string::npos;
}

}  // namespace

Result<> check_extension(const fs::path& out) {
  if (is_frames_folder(out)) return {};
  const auto extension = lower(out.extension().string());
  const auto& known = extensions();
  if (std::find(known.begin(), known.end(), extension) != known.end()) return {};
  if (extension.empty())
    return Error{
        ErrorCode::Usage,
        fmt::format(
            "{} has no extension, so its format is unknown; use {}, or a folder name that ends in / for PNG frames",
            out.string(), all_of(known))};
  auto near = nearest_name(extension, known);
  // Formats that are not there have a neighbour of their kind.
  for (const auto* clip : {".avi", ".mkv", ".mov", ".m4v"})
    if (extension == clip) near = ".mp4";
  for (const auto* picture : {".jpg", ".jpeg", ".bmp", ".tif", ".tiff"})
    if (extension == picture) near = ".png";
  return Error{ErrorCode::Usage,
               fmt::format("{}: files that end in {} cannot be written{}; there are {}", out.string(), extension,
                           near ? fmt::format(", did you mean {}?", *near) : "", all_of(known))};
}

namespace {

Result<> check_output(const fs::path& out, Overwrite overwrite) {
  RUBATO_OK(check_extension(out));
  if (!is_frames_folder(out) && !is_numbered(out)) return check_writable(out, overwrite);
  // The frames' names are only known to the writer; the folder they go to can be checked now.
  auto folder = is_frames_folder(out) ? out : out.parent_path();
  std::error_code failed;
  if (is_frames_folder(out) && !fs::exists(folder, failed)) folder = fs::absolute(out).parent_path().parent_path();
  return check_writable((folder.empty() ? fs::path(".") : folder) / ".rubato-probe", Overwrite::Always);
}

Result<> check_readable(const std::string& path, std::string_view flag) {
  if (path.empty()) return {};
  std::error_code failed;
  if (fs::is_directory(path, failed))
    return Error{ErrorCode::CannotRead, fmt::format("{} {} is a folder; give a file", flag, path)};
  if (::access(path.c_str(), R_OK) != 0)
    return Error{ErrorCode::CannotRead, fmt::format("{} {}: {}", flag, path, std::strerror(errno))};
  return {};
}

// Two spellings of one file ("t.mp4", "./t.mp4", a link to it). Empty names are no file.
bool same_file(const fs::path& a, const fs::path& b) {
  if (a.empty() || b.empty()) return false;
  std::error_code failed;
  const auto real_a = fs::weakly_canonical(fs::absolute(a, failed), failed);
  const auto real_b = fs::weakly_canonical(fs::absolute(b, failed), failed);
  return real_a == real_b;
}

}  // namespace

Result<> check_files(const VideoJob& job, const fs::path& report) {
  const auto overwrite = overwrite_of(job);
  if (!job.out.empty()) RUBATO_OK(check_output(job.out, overwrite));
  for (const auto& path : {job.latents_out, job.trace}) {
    if (path.empty()) continue;
    if (lower(fs::path(path).extension().string()) != ".safetensors")
      return Error{ErrorCode::Usage,
                   fmt::format("{} is written as tensors; give a name that ends in .safetensors", path)};
    RUBATO_OK(check_writable(path, overwrite));
  }
  if (!report.empty()) RUBATO_OK(check_writable(report, overwrite));
  const auto sidecar = job.metadata && !job.out.empty() ? metadata_file_of(job.out) : fs::path();
  const std::array outputs{fs::path(job.out), fs::path(job.latents_out), fs::path(job.trace), report, sidecar};
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    for (std::size_t k = i + 1; k < outputs.size(); ++k)
      if (same_file(outputs[i], outputs[k]))
        return Error{ErrorCode::Usage,
                     fmt::format("{} is named for two outputs{}; give each its own name", outputs[i].string(),
                                 outputs[k] == sidecar ? " (the clip's metadata go there)" : "")};
    for (const auto& input : {job.image, job.latents_in})
      if (same_file(outputs[i], input))
        return Error{ErrorCode::Usage,
                     fmt::format("{} is read by this job and cannot be its output too; give the output "
                                 "another name",
                                 input)};
  }
  RUBATO_OK(check_readable(job.image, "--image"));
  RUBATO_OK(check_readable(job.latents_in, "--latents-in"));
  return {};
}

fs::path free_name(const fs::path& out) {
  std::error_code failed;
  if (!out.has_filename() || !fs::exists(fs::symlink_status(out, failed))) return out;
  for (int n = 2;; ++n) {
    auto candidate = out.parent_path() / fmt::format("{}-{}{}", out.stem().string(), n, out.extension().string());
    if (!fs::exists(fs::symlink_status(candidate, failed))) return candidate;
  }
}

Result<Ready> resolve(VideoJob job, const ModelFolders& where) {
  if (job.model.empty()) {
    if (where.practice.empty())
      return Error{ErrorCode::ModelMissing,
                   "no model is named and the practice model was not found; name one with -m MODEL, or set "
                   "RUBATO_RESOURCES to Rubato's resources folder"};
    job.model = kPractice;
  }
  const auto found = resolve_model(job.model, where);
  if (!found) {
    // A folder that moved: its name may be known.
    const auto name = fs::path(job.model).filename().string();
    const bool known = name != job.model && !name.empty() && resolve_model(name, where).ok();
    return Error{found.error().code,
                 known ? fmt::format("{}; a model '{}' is known: -m {}", found.error().message, name, name)
                 : name == job.model ? fmt::format("{}; name the model or its folder with -m", found.error().message)
                                     : found.error().message};
  }
  const auto& root = *found;
  RUBATO_TRY(model, open_video_model(root));
  RUBATO_OK(check_weight_files(model.folder));
  job.model = root.string();
  RUBATO_TRY(full, resolve_video_job(std::move(job), model));
  RUBATO_OK(check_picture_name(full.out, *full.frames));
  RUBATO_OK(check_tensor_inputs(full, model));
  RUBATO_OK(check_capacity(full, model));
  return Ready{std::move(full), std::move(model)};
}

}  // namespace rubato
