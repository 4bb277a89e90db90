// How a path names many PNG files.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <regex>

#include "pipelines/media/frame_output.h"

namespace rubato {
namespace fs = std::filesystem;

std::string FrameTemplate::name(std::int64_t index) const {
  return fmt::format("{}{:0{}}{}", prefix, index, digits, suffix);
}

std::int64_t FrameTemplate::index_of(const std::string& name) const {
  if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) || !name.ends_with(suffix)) return -1;
  const auto number = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
  if (number.size() > 15 || number.find_first_not_of("0123456789") != std::string::npos) return -1;
  const std::int64_t index = std::stoll(number);
  return this->name(index) == name ? index : -1;
}

Result<FrameTemplate> frame_template(const fs::path& output) {
  FrameTemplate frames;
  const std::string name = output.filename().string();
  std::error_code ignored;
  if (name.empty() || fs::is_directory(output, ignored)) {
    frames.folder = name.empty() ? output.parent_path() : output;
    frames.prefix = "frame_";
    frames.suffix = ".png";
    frames.whole_folder = true;
    if (frames.folder.empty() || frames.folder.filename().empty() || frames.folder.filename() == "." ||
        frames.folder.filename() == "..")
      return Error{
          ErrorCode::Usage,
          fmt::format("{} cannot become a folder of frames; give a new folder such as frames/", output.string())};
    return frames;
  }
  static const std::regex number("#+|%(0([1-9]))?d");
  const auto begin = std::sregex_iterator(name.begin(), name.end(), number);
  if (std::distance(begin, std::sregex_iterator()) != 1)
    return Error{ErrorCode::Usage,
                 fmt::format("{} needs exactly one place for the frame number, as in shot_####.png or shot_%04d.png",
                             output.string())};
  const std::smatch& place = *begin;
  frames.folder = output.has_parent_path() ? output.parent_path() : fs::path(".");
  frames.prefix = place.prefix();
  frames.suffix = place.suffix();
  if (place.str().front() == '#') {
    frames.digits = static_cast<int>(std::min<std::ptrdiff_t>(place.length(), 9));
  } else {
    frames.digits = place[2].matched ? std::stoi(place[2].str()) : 1;
  }
  return frames;
}

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
