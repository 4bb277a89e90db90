#include "pipelines/job/kept_work.h"

#include <fmt/format.h>
#include <sys/stat.h>

namespace rubato {
namespace fs = std::filesystem;

std::string KeptWork::sentence() const {
  const char* again = traced ? "the same command without --trace" : "the same command";
  if (total > 0 && step >= total)
    return fmt::format("the finished latents are kept in {}; {} only decodes them", folder, again);
  const auto of = total > 0 ? fmt::format(" of {}", total) : std::string{};
  return fmt::format("step {}{} is kept in {}; {} goes on from there", step, of, folder, again);
}

fs::path partial_folder_of(const fs::path& output) {
  // "frames/" is a folder of pictures; its partial work lies beside it, not in it.
  return (output.has_filename() ? output : output.parent_path()).string() + ".rubato-partial";
}

fs::path metadata_file_of(const fs::path& output) {
  if (output.extension() == ".safetensors") return {};
  auto file = output.has_filename() ? output : output.parent_path();
  file += ".json";
  return file;
}

OutputWatch::OutputWatch(fs::path output) : output_(std::move(output)) {
  if (output_.empty()) return;
  sidecar_ = metadata_file_of(output_);
  output_before_ = identity(output_);
  sidecar_before_ = identity(sidecar_);
}

bool OutputWatch::finished() const {
  const auto appeared = [](const fs::path& path, const Identity& before) {
    const auto now = identity(path);
    return now && now != before;
  };
  return !output_.empty() && (appeared(output_, output_before_) || appeared(sidecar_, sidecar_before_));
}

OutputWatch::Identity OutputWatch::identity(const fs::path& path) {
  struct stat info{};
  if (path.empty() || ::stat(path.c_str(), &info) != 0) return std::nullopt;
  return std::pair{std::uint64_t{info.st_dev}, std::uint64_t{info.st_ino}};
}

}  // namespace rubato
