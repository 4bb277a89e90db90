// A clip that is many PNG files: which files a path names, and to which clip a single file belongs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "engine/base/error.h"

namespace rubato {

struct FrameSequence {
  std::filesystem::path output;              // the folder or pattern that names it: frames, shot_####.png
  std::vector<std::filesystem::path> files;  // frame 0, 1, 2, …
  std::uint64_t bytes = 0;                   // of all of them on disk
};

// A folder, or a pattern such as shot_####.png that is not itself a file's name.
bool names_sequence(const std::filesystem::path& path);

// The frames that a folder (frame_0000.png, …) or a pattern names. CannotRead when there are none; Corrupt when one
// between two others is missing, by name.
Result<FrameSequence> frame_sequence(const std::filesystem::path& path);

// The folder or pattern that a single frame was probably written under: what a sidecar in its folder or of its folder
// says, else the number in its own name if frame 0 is there. Whether the clip really had many frames, its metadata
// tells.
std::optional<std::filesystem::path> sequence_around(const std::filesystem::path& frame);

}  // namespace rubato
