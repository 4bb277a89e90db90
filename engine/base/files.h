// Files: bounded reads, atomic writes, memory mapping, and paths that cannot leave their root.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/error.h"

namespace rubato {

// Reads a whole file of at most max_bytes. CannotRead when missing, unreadable or larger.
Result<std::string> read_file(const std::filesystem::path& path, std::uint64_t max_bytes);

// A read-only private mapping of a regular file. Movable; unmapped on destruction. The bytes stay
// valid as long as the object lives, whatever happens to the directory entry; only shortening the file in
// place takes them away (touching them then is a SIGBUS, which ends the worker and not the program).
class MappedFile {
 public:
  static Result<MappedFile> open(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }
  // Tells the kernel that a range is needed soon, so that it reads ahead.
  void prefetch(std::size_t offset, std::size_t length) const;
  // Tells the kernel that a range was used and its pages may be dropped again.
  void forget(std::size_t offset, std::size_t length) const;

 private:
  MappedFile() = default;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::filesystem::path path_;
};

// What a failed write to `path` means: a full disk is named as such. For code that writes through a library.
Error write_error(const std::filesystem::path& path, int errno_code);

enum class Overwrite { Never, Always };

// Writes a file under a temporary name in the target's folder, syncs it, and renames it into place on
// commit(), then syncs the folder. Without commit() nothing appears under the final name and the
// temporary file is removed. `.NAME.RANDOM.tmp` is the temporary name.
class AtomicFile {
 public:
  // OutputExists when the target is there and overwrite is Never; CannotWrite when the folder is missing
  // or not writable.
  static Result<AtomicFile> create(const std::filesystem::path& target, Overwrite overwrite);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  // Appends bytes. CannotWrite on a full disk (the message names the file and says so).
  Result<> write(std::span<const std::byte> bytes);
  Result<> write(std::string_view text);
  // For libraries that open files themselves: the temporary path, to be written by them.
  const std::filesystem::path& temporary_path() const { return temporary_; }
  // Syncs, renames, syncs the folder. With Overwrite::Never a target that appeared meanwhile is kept
  // and OutputExists returned.
  Result<> commit();

 private:
  AtomicFile() = default;
  std::filesystem::path target_, temporary_;
  Overwrite overwrite_ = Overwrite::Never;
  int fd_ = -1;
};

Result<> write_file_atomically(const std::filesystem::path& target, std::string_view text, Overwrite overwrite);

// Renames without replacing: OutputExists when `to` is there. Both lie on one file system.
Result<> rename_to_new(const std::filesystem::path& from, const std::filesystem::path& to);

// Makes renames in a folder last through a power cut. Best effort: some folders cannot be opened or synced.
void sync_folder(const std::filesystem::path& folder);

// Sorts out early whether target can be written: OutputExists or CannotWrite with a sentence.
Result<> check_writable(const std::filesystem::path& target, Overwrite overwrite);

// Makes `file` one of `bytes` bytes whose disk space is taken, to be given back piece by piece for what is written
// later; 0 removes it. CannotWrite when that much is not free; then the file is gone. (A file system that copies on
// write may promise less than it says.)
Result<> hold_space(const std::filesystem::path& file, std::uint64_t bytes);

// Free bytes on the file system of a path that exists (or of its nearest existing parent).
std::uint64_t free_bytes(const std::filesystem::path& path);

// A path below a root: never absolute, no "..", no NUL, no backslash, and no symbolic link that leaves the root.
class SafePath {
 public:
  static Result<SafePath> inside(const std::filesystem::path& root, std::string_view relative);
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit SafePath(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

// Folders by the XDG rules: config, data, state, cache (each ending in /rubato).
struct UserFolders {
  std::filesystem::path config, data, state, cache;
  static UserFolders from_environment();
};

}  // namespace rubato
