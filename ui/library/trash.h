// The trash of the desktop (freedesktop.org's, through Qt), and the way back out of it.
//
// Nothing is ever deleted for good here: where a file system has no trash, the files stay where they are.
#pragma once

#include <filesystem>
#include <vector>

#include "engine/base/error.h"

namespace rubato::ui {

// A clip and what stands beside it about it; only what is there.
std::vector<std::filesystem::path> files_of_clip(const std::filesystem::path& clip);

struct TrashedFile {
  std::filesystem::path from, in_trash;
};
// All of them or none. CannotWrite: the sentence says which cannot be moved, and that nothing was.
Result<std::vector<TrashedFile>> to_trash(const std::vector<std::filesystem::path>& files);
// Back to where they were; nothing is replaced. All of them or none. CannotRead: the trash was emptied since.
// OutputExists: something else lies there by now.
Result<> out_of_trash(const std::vector<TrashedFile>& files);

}  // namespace rubato::ui
