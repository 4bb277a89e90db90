#include "pipelines/runner/media_output.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace rubato {
namespace {

Error no_media(const std::filesystem::path& path) {
  return {ErrorCode::Usage,
          fmt::format("this build has no video support, so {} cannot be used; use a .safetensors file instead",
                      path.string())};
}

}  // namespace

Result<> check_media_output(const std::filesystem::path& target, const FrameFormat&, Overwrite) {
  return no_media(target);
}

Result<std::unique_ptr<FrameOutput>> open_media_output(const std::filesystem::path& target, const FrameFormat&,
                                                       Overwrite) {
  return no_media(target);
}

Result<at::Tensor> read_picture(const std::filesystem::path& path, int, int) { return no_media(path); }

Result<at::Tensor> read_clip(const std::filesystem::path& path) { return no_media(path); }

nlohmann::json media_libraries() { return nlohmann::json::object(); }

}  // namespace rubato
