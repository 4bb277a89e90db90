// The names of the files that jobs write: which of them meet, and which stand on the disk already.
//
// A job writes one file (clip.mp4), numbered pictures (f_####.png stands for f_0000.png, f_0001.png, …) or a folder of
// them (frames/), a sidecar beside it, and tensors. Names meet where one file would be written by two: also where a
// number falls into a pattern, two patterns have a name in common, or a file would be a folder. Patterns are compared
// as patterns and never expanded, so that a hundred thousand jobs cost no more than their names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/frame_names.h"
#include "pipelines/job/video_job.h"

namespace rubato {

struct OutputName {
  enum class Kind { File, Pictures, Folder };
  std::string VideoJob::* field = &VideoJob::out;  // which of the job's outputs it belongs to
  Kind kind = Kind::File;
  std::string name;         // clip.mp4, f_####.png, frames/, clip.mp4.json; relative where the job's are
  FrameTemplate pictures;   // of Pictures; its folder is not set
  std::int64_t frames = 0;  // of Pictures: numbered from 0
};
// Everything that a job writes. Its names are those of files (no templates), `frames` is set.
std::vector<OutputName> output_names(const VideoJob& job);

// What a file below the folder of an output (or the sidecar beside it) is called when the output itself goes from one
// name to another of its kind: "clip.mp4.json" → "clip-2.mp4.json", "f_0003.png" → "f_0003-2.png". `from` and `to` are
// last parts: "clip.mp4", "f_####.png", "frames/".
std::string renamed_output(const std::string& file, const std::string& from, const std::string& to);

// Names that are spoken for, and by whom. Not thread-safe.
class OutputNames {
 public:
  // `names`, a job's, are `owner`'s from now on. JobInvalid when one of them meets another's, or another of the same
  // job; the sentence says which and whose.
  Result<> claim(const std::vector<OutputName>& names, const std::string& owner);
  // Files that are nobody's to take: "report.html".
  void reserve(const std::string& file, const std::string& owner);

 private:
  struct Owner {
    std::string name, owner;
    bool reserved = false;
  };
  // One number of a file name as text: every name of its length from `low` to `high`. Digits of one length are in
  // order as texts.
  struct Range {
    std::string low, high;
  };
  // A file name whose numbers are taken out: "shot-12_0003.png" is "shot-#_#.png" with 12 and 0003.
  struct Numbers {
    std::string skeleton;
    std::vector<std::string> runs;
  };
  struct Pattern {
    std::size_t place = 0;  // which of the numbers is the picture's
    Numbers numbers;        // that one is open
    std::vector<Range> ranges;
    Owner owner;
  };
  using Ranges = std::map<std::pair<std::size_t, std::string>, std::pair<std::string, Owner>>;  // (length, low) → high

  static Numbers numbers_of(std::string_view name);
  static Pattern pattern_of(const OutputName& name);
  static std::string place_key(const std::string& folder, const Numbers& numbers, std::size_t place);
  static bool contains(const Pattern& pattern, const std::string& run);
  const Owner* meeting(const std::string& key, const Range& range, std::string* at) const;

  Result<> check(const OutputName& name) const;
  Result<> check_pictures(const OutputName& name, const std::string& path) const;
  Result<> check_folders(const OutputName& name, const std::string& path) const;
  const Owner* picture(const std::string& path) const;  // of whose pictures this could be one
  void add(const OutputName& name, const Owner& owner);
  void add_numbers(const std::string& path, const Owner& owner);

  std::unordered_map<std::string, Owner> files_, folders_, whole_;  // whole_: folders that are an output
  std::unordered_map<std::string, Ranges> ranges_;                  // by place_key
  std::unordered_map<std::string, std::map<std::size_t, std::vector<Pattern>>> patterns_;  // by folder and skeleton
};

// Looks for files that stand where a job is to write, and lists each folder once: what appears later is not seen.
class StandingFiles {
 public:
  explicit StandingFiles(std::filesystem::path root) : root_(std::move(root)) {}
  // The first file or folder, relative like the name, that stands where `name` is to go and that `may_replace` does not
  // give away; "" = none.
  std::string in_the_way(const OutputName& name, const std::function<bool(const std::string& file)>& may_replace);
  // A name after `job.*field` ("-2", "-3", …) where nothing stands and which is nobody's; claims it for `owner`.
  std::string free_name(OutputNames& taken, const VideoJob& job, std::string VideoJob::* field,
                        const std::string& owner);

 private:
  const std::set<std::string>& names_in(const std::filesystem::path& folder);
  std::filesystem::path root_;
  std::map<std::string, std::set<std::string>> listed_;
};

}  // namespace rubato
