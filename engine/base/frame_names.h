// How the name of an output stands for one picture or for many: clip.png, shot_####.png, shot_%04d.png, frames/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "engine/base/error.h"

namespace rubato {

// The names of many PNG files.
struct FrameTemplate {
  std::filesystem::path folder;  // where the files end up
  std::string prefix, suffix;    // around the number, in the file name
  int digits = 4;
  bool whole_folder = false;  // the folder itself is the output

  std::string name(std::int64_t index) const;
  // Number in a file name that fits this template; -1 if it does not fit.
  std::int64_t index_of(const std::string& name) const;
};

// Does a file name have a place for a number?
bool numbers_frames(std::string_view file_name);
// Of a file name with one place for the number, without a look at the disk; the folder is left empty. Usage error as
// below.
Result<FrameTemplate> numbered_names(std::string_view file_name);
// Of "frames/", an existing folder, or a numbered name. Usage error when the name has two places for the number or
// none.
Result<FrameTemplate> frame_template(const std::filesystem::path& output);
// Whether a name that ends in .png can take this many frames; every other name passes. JobInvalid for one picture of
// many frames, Usage for a name with two places for the number.
Result<> check_picture_name(const std::filesystem::path& output, std::int64_t frames);

}  // namespace rubato
