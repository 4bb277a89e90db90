#include "engine/base/frame_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

namespace rubato {
namespace fs = std::filesystem;
namespace {

struct NumberPlace {
  std::size_t begin = 0, end = 0;
  int digits = 1;
};

// Every run of two or more '#' (one alone is "take #1"), and every "%d" or "%0Nd" with N from 1 to 9.
std::vector<NumberPlace> number_places(std::string_view name) {
  std::vector<NumberPlace> places;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const std::string_view rest = name.substr(i);
    if (rest.starts_with("##")) {
      const auto length = std::min(rest.find_first_not_of('#'), rest.size());
      places.push_back({i, i + length, static_cast<int>(std::min<std::size_t>(length, 9))});
      i += length - 1;
    } else if (rest.starts_with("%d")) {
      places.push_back({i, i + 2, 1});
    } else if (rest.size() >= 4 && rest.starts_with("%0") && rest[2] >= '1' && rest[2] <= '9' && rest[3] == 'd') {
      places.push_back({i, i + 4, rest[2] - '0'});
    }
  }
  return places;
}

}  // namespace

bool numbers_frames(std::string_view file_name) { return !number_places(file_name).empty(); }

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

Result<FrameTemplate> numbered_names(std::string_view file_name) {
  const auto places = number_places(file_name);
  if (places.size() != 1)
    return Error{ErrorCode::Usage,
                 fmt::format("{} needs exactly one place for the frame number, as in shot_####.png or shot_%04d.png",
                             file_name)};
  FrameTemplate frames;
  frames.prefix = file_name.substr(0, places[0].begin);
  frames.suffix = file_name.substr(places[0].end);
  frames.digits = places[0].digits;
  return frames;
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
  RUBATO_TRY(numbered, numbered_names(name));
  frames = std::move(numbered);
  frames.folder = output.has_parent_path() ? output.parent_path() : fs::path(".");
  return frames;
}

Result<> check_picture_name(const fs::path& output, std::int64_t frames) {
  auto extension = output.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (extension != ".png") return {};
  if (numbers_frames(output.filename().string())) {
    const auto names = frame_template(output);
    return names ? Result<>() : names.error();
  }
  if (frames <= 1) return {};
  return Error{ErrorCode::JobInvalid,
               fmt::format("{} holds one frame, not {}; name many as {}_####.png or give a folder such as {}/",
                           output.string(), frames, output.stem().string(), output.stem().string())};
}

}  // namespace rubato
