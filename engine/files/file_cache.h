// What was learned from files, kept between runs. An entry holds as long as the file has the same path, size,
// modification time (ns) and inode.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <unordered_map>

namespace rubato {

struct FileStamp {
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::uint64_t inode = 0;
  bool operator==(const FileStamp&) const = default;

  // Of the file that a symbolic link leads to; nothing when there is no regular file.
  static std::optional<FileStamp> of(const std::filesystem::path& path);
};

class FileCache {
 public:
  // Reads `file` if it is there and was written by the same `version` of the caller; a damaged one counts as empty.
  // An empty path gives a cache that is never written.
  FileCache(std::filesystem::path file, int version);

  // The fact kept for this very file, or null. The pointer holds until the next put().
  const nlohmann::json* find(const std::string& path, const FileStamp& stamp);
  void put(const std::string& path, const FileStamp& stamp, nlohmann::json fact);
  // Writes atomically if anything changed, creating the folder. A cache that cannot be written is no error.
  void save();

 private:
  struct Entry {
    FileStamp stamp;
    nlohmann::json fact;
    bool used = false;
  };
  std::filesystem::path file_;
  int version_;
  std::unordered_map<std::string, Entry> entries_;
  bool changed_ = false;
};

}  // namespace rubato
