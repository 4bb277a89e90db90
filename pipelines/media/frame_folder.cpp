// Whether a path can take many PNG files.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "pipelines/media/container_writer.h"

namespace rubato {
namespace fs = std::filesystem;

Result<> check_frames_writable(const FrameTemplate& frames, Overwrite overwrite) {
  std::error_code failed;
  const fs::path parent = !frames.whole_folder              ? frames.folder
                          : frames.folder.has_parent_path() ? frames.folder.parent_path()
                                                            : fs::path(".");
  if (!fs::is_directory(parent, failed))
    return Error{ErrorCode::CannotWrite, fmt::format("the folder {} does not exist; create it first", parent.string())};
  if (::access(parent.c_str(), W_OK | X_OK) != 0)
    return Error{ErrorCode::CannotWrite,
                 fmt::format("the folder {} is not writable: {}", parent.string(), std::strerror(errno))};
  if (!fs::exists(frames.folder, failed)) return {};
  if (!fs::is_directory(frames.folder, failed))
    return Error{ErrorCode::OutputExists,
                 fmt::format("{} exists already and is not a folder; choose another name", frames.folder.string())};

  for (fs::directory_iterator entry(frames.folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    const bool ours = frames.index_of(entry->path().filename().string()) >= 0;
    if (ours && overwrite == Overwrite::Never)
      return Error{
          ErrorCode::OutputExists,
          fmt::format("{} exists already; choose another name or pass --overwrite always", entry->path().string())};
    if (!ours && frames.whole_folder)
      return Error{ErrorCode::OutputExists, fmt::format("the folder {} holds other files ({}); choose a new folder",
                                                        frames.folder.string(), entry->path().filename().string())};
  }
  if (failed)
    return Error{ErrorCode::CannotRead,
                 fmt::format("cannot read the folder {}: {}", frames.folder.string(), failed.message())};
  return {};
}

}  // namespace rubato
