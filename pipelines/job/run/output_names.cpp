#include "pipelines/job/run/output_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "pipelines/job/kept_work.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

constexpr char kNumber = '\1';  // stands for a number; names hold no control characters
constexpr const char* kAdvice = "put {index}, {seed} or {job} into the name";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_picture(const fs::path& name) {
  auto extension = name.extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::tolower(c); });
  return extension == ".png";
}

// "a/frames" for "a/frames/" and "./a//frames".
std::string normal(const std::string& name) {
  auto path = fs::path(name).lexically_normal().string();
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

std::string without_slash(std::string name) {
  while (name.ends_with('/')) name.pop_back();
  return name;
}

Error meet(const std::string& name, const std::string& other, const std::string& owner, const std::string& at) {
  return {ErrorCode::JobInvalid,
          fmt::format("{} and {} of {} would both write {}; {}", name, other, owner, at, kAdvice)};
}
Error file_and_folder(const std::string& name, const std::string& owner) {
  return {ErrorCode::JobInvalid,
          fmt::format("{} would be a file and a folder, also by {}; choose another name", name, owner)};
}

}  // namespace

std::vector<OutputName> output_names(const VideoJob& job) {
  using Kind = OutputName::Kind;
  std::vector<OutputName> names;
  if (!job.out.empty()) {
    OutputName out{.name = job.out};
    const fs::path path(job.out);
    if (!path.has_filename()) {
      out.kind = Kind::Folder;
    } else if (is_picture(path)) {
      if (auto pictures = numbered_names(path.filename().string())) {
        out.kind = Kind::Pictures;
        out.pictures = std::move(*pictures);
        out.frames = job.frames.value_or(1);
      }
    }
    names.push_back(std::move(out));
    if (const auto sidecar = metadata_file_of(path); job.metadata && !sidecar.empty())
      names.push_back({.name = sidecar.string()});
    if (job.keep_latents) names.push_back({.name = (partial_folder_of(path) / "latents.safetensors").string()});
  }
  for (const auto field : {&VideoJob::latents_out, &VideoJob::trace})
    if (!(job.*field).empty()) names.push_back({.field = field, .name = job.*field});
  return names;
}

std::string renamed_output(const std::string& file, const std::string& from, const std::string& to) {
  const auto base = without_slash(from);
  if (file.starts_with(base)) return without_slash(to) + file.substr(base.size());
  const auto before = numbered_names(from), after = numbered_names(to);
  if (!before || !after) return file;
  const auto index = before->index_of(file);
  return index < 0 ? file : after->name(index);
}

// ---- Names against names -------------------------------------------------------------------------------------------

OutputNames::Numbers OutputNames::numbers_of(std::string_view name) {
  Numbers numbers;
  for (std::size_t i = 0; i < name.size();) {
    if (!is_digit(name[i])) {
      numbers.skeleton += name[i++];
      continue;
    }
    auto end = i;
    while (end < name.size() && is_digit(name[end])) ++end;
    numbers.skeleton += kNumber;
    numbers.runs.emplace_back(name.substr(i, end - i));
    i = end;
  }
  return numbers;
}

// Digits beside the place of the number belong to one number with it: "f_1##2.png" is f_1002.png to f_1992.png.
OutputNames::Pattern OutputNames::pattern_of(const OutputName& name) {
  const auto& [folder, prefix, suffix, digits, whole] = name.pictures;
  auto before = prefix.size();
  while (before > 0 && is_digit(prefix[before - 1])) --before;
  std::size_t behind = 0;
  while (behind < suffix.size() && is_digit(suffix[behind])) ++behind;
  const auto head = prefix.substr(before), tail = suffix.substr(0, behind);

  Pattern pattern;
  pattern.numbers = numbers_of(prefix + "0" + suffix);
  pattern.place = numbers_of(prefix.substr(0, before)).runs.size();
  const auto whole_number = [&](std::int64_t index) { return fmt::format("{}{:0{}}{}", head, index, digits, tail); };
  if (!tail.empty()) {  // not in a row, but far between
    for (std::int64_t i = 0; i < name.frames; ++i) pattern.ranges.push_back({whole_number(i), whole_number(i)});
    return pattern;
  }
  std::int64_t first = 0, end = 1;  // numbers of one length: 0 to 9999, 10000 to 99999
  for (int i = 0; i < digits; ++i) end *= 10;
  for (; first < name.frames; first = end, end *= 10)
    pattern.ranges.push_back({whole_number(first), whole_number(std::min(end, name.frames) - 1)});
  return pattern;
}

std::string OutputNames::place_key(const std::string& folder, const Numbers& numbers, std::size_t place) {
  auto key = fmt::format("{}\n{}\n{}", folder, numbers.skeleton, place);
  for (std::size_t i = 0; i < numbers.runs.size(); ++i)
    if (i != place) key += "," + numbers.runs[i];
  return key;
}

bool OutputNames::contains(const Pattern& pattern, const std::string& run) {
  return std::ranges::any_of(pattern.ranges, [&](const Range& range) {
    return run.size() == range.low.size() && range.low <= run && run <= range.high;
  });
}

const OutputNames::Owner* OutputNames::meeting(const std::string& key, const Range& range, std::string* at) const {
  const auto ranges = ranges_.find(key);
  if (ranges == ranges_.end()) return nullptr;
  // Those that are there do not meet each other: the last one that begins before the end of this one is enough.
  auto next = ranges->second.upper_bound({range.high.size(), range.high});
  if (next == ranges->second.begin()) return nullptr;
  const auto& [low, there] = *--next;
  if (low.first != range.low.size() || there.first < range.low) return nullptr;
  *at = std::max(low.second, range.low);
  return &there.second;
}

const OutputNames::Owner* OutputNames::picture(const std::string& path) const {
  const auto file = fs::path(path);
  if (!is_picture(file)) return nullptr;
  const auto numbers = numbers_of(file.filename().string());
  std::string at;
  for (std::size_t place = 0; place < numbers.runs.size(); ++place) {
    const auto& run = numbers.runs[place];
    if (const auto* owner = meeting(place_key(file.parent_path().string(), numbers, place), {run, run}, &at))
      return owner;
  }
  return nullptr;
}

Result<> OutputNames::check_pictures(const OutputName& name, const std::string& path) const {
  const auto folder = fs::path(path).parent_path();
  const auto pattern = pattern_of(name);
  const auto named = [&](std::size_t place, const std::string& run, Numbers numbers) {
    numbers.runs[place] = run;
    std::string file;
    std::size_t next = 0;
    for (const char c : numbers.skeleton) c == kNumber ? file += numbers.runs[next++] : file += c;
    return (folder / file).string();
  };
  const auto key = place_key(folder.string(), pattern.numbers, pattern.place);
  for (const auto& range : pattern.ranges) {
    std::string at;
    if (const auto* other = meeting(key, range, &at))
      return meet(name.name, other->name, other->owner, named(pattern.place, at, pattern.numbers));
  }
  // Patterns whose picture number is another one of the name's numbers: shot_##_01.png and shot_01_##.png.
  const auto alike = patterns_.find(folder.string() + "\n" + pattern.numbers.skeleton);
  if (alike == patterns_.end()) return {};
  for (const auto& [place, others] : alike->second) {
    if (place == pattern.place) continue;
    for (const auto& other : others) {
      bool meets = contains(pattern, other.numbers.runs[pattern.place]) && contains(other, pattern.numbers.runs[place]);
      for (std::size_t i = 0; meets && i < pattern.numbers.runs.size(); ++i)
        meets = i == place || i == pattern.place || pattern.numbers.runs[i] == other.numbers.runs[i];
      if (meets)
        return meet(name.name, other.owner.name, other.owner.owner,
                    named(pattern.place, other.numbers.runs[pattern.place], pattern.numbers));
    }
  }
  return {};
}

// No name is a file for one job and a folder for another, and in a folder of pictures is nothing else.
Result<> OutputNames::check_folders(const OutputName& name, const std::string& path) const {
  for (auto folder = fs::path(path).parent_path(); folder.has_relative_path(); folder = folder.parent_path()) {
    const auto above = folder.string();
    if (const auto file = files_.find(above); file != files_.end()) return file_and_folder(above, file->second.owner);
    if (const auto* owner = picture(above)) return file_and_folder(above, owner->owner);
    if (const auto whole = whole_.find(above); whole != whole_.end())
      return Error{ErrorCode::JobInvalid,
                   fmt::format("{} would lie in {}, a folder of pictures of {}; choose another name", name.name,
                               whole->second.name, whole->second.owner)};
    if (folders_.contains(above)) break;  // what is above it was looked at before
  }
  return {};
}

Result<> OutputNames::check(const OutputName& name) const {
  const auto path = normal(name.name);
  RUBATO_OK(check_folders(name, path));
  if (name.kind == OutputName::Kind::Pictures) return check_pictures(name, path);
  const bool is_file = name.kind == OutputName::Kind::File;
  const auto file = files_.find(path), whole = whole_.find(path), folder = folders_.find(path);
  if (file != files_.end() && file->second.reserved)
    return Error{ErrorCode::JobInvalid, fmt::format("{} is {}; choose another name", name.name, file->second.owner)};
  const auto& twice = is_file ? file : whole;
  if (twice != (is_file ? files_ : whole_).end())
    return Error{ErrorCode::JobInvalid,
                 fmt::format("{} would be written twice, also by {}; {}", name.name, twice->second.owner, kAdvice)};
  if (const auto& other = is_file ? whole : file; other != (is_file ? whole_ : files_).end())
    return file_and_folder(path, other->second.owner);
  if (folder != folders_.end()) {
    if (is_file) return file_and_folder(path, folder->second.owner);
    return Error{ErrorCode::JobInvalid,
                 fmt::format("{} is a folder of pictures, and {} of {} would lie in it; choose another name", name.name,
                             folder->second.name, folder->second.owner)};
  }
  if (const auto* other = picture(path)) {
    if (!is_file) return file_and_folder(path, other->owner);
    return meet(name.name, other->name, other->owner, path);
  }
  return {};
}

void OutputNames::add_numbers(const std::string& path, const Owner& owner) {
  const fs::path file(path);
  if (!is_picture(file)) return;
  const auto numbers = numbers_of(file.filename().string());
  for (std::size_t place = 0; place < numbers.runs.size(); ++place) {
    const auto& run = numbers.runs[place];
    ranges_[place_key(file.parent_path().string(), numbers, place)].try_emplace({run.size(), run}, run, owner);
  }
}

void OutputNames::add(const OutputName& name, const Owner& owner) {
  const auto path = normal(name.name);
  const auto folder = fs::path(path).parent_path();
  for (auto above = folder; above.has_relative_path(); above = above.parent_path()) {
    if (!folders_.try_emplace(above.string(), owner).second) break;
    add_numbers(above.string(), owner);
  }
  if (name.kind != OutputName::Kind::Pictures) {
    (name.kind == OutputName::Kind::File ? files_ : whole_).try_emplace(path, owner);
    return add_numbers(path, owner);
  }
  auto pattern = pattern_of(name);
  auto& ranges = ranges_[place_key(folder.string(), pattern.numbers, pattern.place)];
  for (const auto& range : pattern.ranges) ranges.try_emplace({range.low.size(), range.low}, range.high, owner);
  pattern.owner = owner;
  patterns_[folder.string() + "\n" + pattern.numbers.skeleton][pattern.place].push_back(std::move(pattern));
}

Result<> OutputNames::claim(const std::vector<OutputName>& names, const std::string& owner) {
  for (const auto& name : names) {
    RUBATO_OK(check(name));
    add(name, {name.name, owner});
  }
  return {};
}

void OutputNames::reserve(const std::string& file, const std::string& owner) { files_[file] = {file, owner, true}; }

// ---- Names against what is there -----------------------------------------------------------------------------------

const std::set<std::string>& StandingFiles::names_in(const fs::path& folder) {
  const auto [listed, is_new] = listed_.try_emplace(folder.string());
  if (is_new) {
    std::error_code failed;
    for (fs::directory_iterator entry(root_ / folder, failed), end; !failed && entry != end; entry.increment(failed))
      listed->second.insert(entry->path().filename().string());
  }
  return listed->second;
}

std::string StandingFiles::in_the_way(const OutputName& name,
                                      const std::function<bool(const std::string& file)>& may_replace) {
  std::error_code failed;
  const auto path = fs::path(without_slash(name.name));
  const auto folder = path.parent_path();
  for (auto above = folder; above.has_relative_path(); above = above.parent_path()) {
    const auto there = fs::status(root_ / above, failed);
    if (fs::is_directory(there)) break;
    if (fs::exists(there)) return above.string();
  }
  if (name.kind == OutputName::Kind::Pictures) {
    const auto& names = names_in(folder);
    const auto& prefix = name.pictures.prefix;
    for (auto file = names.lower_bound(prefix); file != names.end() && file->starts_with(prefix); ++file) {
      const auto index = name.pictures.index_of(*file);
      const auto standing = (folder / *file).string();
      if (index >= 0 && index < name.frames && !may_replace(standing)) return standing;
    }
    return {};
  }
  const auto there = fs::symlink_status(root_ / path, failed);
  if (!fs::exists(there)) return {};
  if (name.kind == OutputName::Kind::File) return may_replace(path.string()) ? std::string() : path.string();
  if (!fs::is_directory(fs::status(root_ / path, failed))) return path.string();
  for (const auto& file : names_in(path))
    if (const auto standing = (path / file).string(); !may_replace(standing)) return standing;
  return {};
}

std::string StandingFiles::free_name(OutputNames& taken, const VideoJob& job, std::string VideoJob::* field,
                                     const std::string& owner) {
  const fs::path out(job.*field);
  const bool folder = !out.has_filename();
  const auto name = folder ? out.parent_path() : out;
  const auto never = [](const std::string&) { return false; };
  for (int n = 2;; ++n) {
    auto candidate = job;
    const auto stem = folder ? name.filename() : name.stem();
    const auto last = fmt::format("{}-{}{}", stem.string(), n, folder ? "/" : name.extension().string());
    candidate.*field = (name.parent_path() / last).string();
    auto names = output_names(candidate);
    std::erase_if(names, [&](const OutputName& other) { return other.field != field; });
    const bool stands =
        std::ranges::any_of(names, [&](const auto& other) { return !in_the_way(other, never).empty(); });
    if (!stands && taken.claim(names, owner)) return candidate.*field;
  }
}

}  // namespace rubato
