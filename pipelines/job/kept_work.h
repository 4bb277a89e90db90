// What is left of a job that did not end well, in sentences that are true and say how to go on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace rubato {

// A state of the denoising that lies in a partial folder.
struct KeptWork {
  int step = 0;   // steps done
  int total = 0;  // of how many; 0 = not known
  std::string folder;
  bool traced = false;  // the job writes a trace, which is of a whole run: it cannot go on

  // "step 12 of 30 is kept in clip.mp4.rubato-partial; the same command goes on from there"
  std::string sentence() const;
};

// "clip.mp4.rubato-partial" beside clip.mp4, "frames.rubato-partial" beside frames/: where an output's partial work is.
std::filesystem::path partial_folder_of(const std::filesystem::path& output);

// The file beside an output that takes its metadata: clip.mp4.json, frames.json for frames/; "" for tensors, whose
// header takes them.
std::filesystem::path metadata_file_of(const std::filesystem::path& output);

// Tells whether a worker that is gone had finished its output. A finished output appears under its name by a rename,
// its sidecar after it, so it is there as soon as another file stands under one of the two names.
class OutputWatch {
 public:
  OutputWatch() = default;  // of a job without an output: never finished
  // Remembers what stands there now.
  explicit OutputWatch(std::filesystem::path output);
  bool finished() const;
  const std::filesystem::path& output() const { return output_; }

 private:
  using Identity = std::optional<std::pair<std::uint64_t, std::uint64_t>>;  // device and inode
  static Identity identity(const std::filesystem::path& path);
  std::filesystem::path output_, sidecar_;
  Identity output_before_, sidecar_before_;
};

}  // namespace rubato
