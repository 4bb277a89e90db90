#include "engine/base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "engine/base/drafts.h"
#include "engine/base/ids.h"
#include "engine/base/text.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

fs::path folder_of(const fs::path& path) {
  const auto parent = path.parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

Error exists_error(const fs::path& target) {
  return {ErrorCode::OutputExists,
          fmt::format("{} exists already; choose another name or pass --overwrite always", target.string())};
}

}  // namespace

Error write_error(const fs::path& path, int code) {
  if (code == ENOSPC || code == EDQUOT)
    return {ErrorCode::CannotWrite,
            fmt::format("the disk is full: {} could not be written; free some space and run the same command again",
                        path.string())};
  return {ErrorCode::CannotWrite, fmt::format("cannot write {}: {}", path.string(), std::strerror(code))};
}

void sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

// Not every file system knows RENAME_NOREPLACE or hard links; the last resort has a gap between looking and renaming,
// where a file of that name could appear.
Result<> rename_to_new(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno == EEXIST) return exists_error(to);
  if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP) return write_error(to, errno);
  if (::link(from.c_str(), to.c_str()) == 0) {
    ::unlink(from.c_str());
    return {};
  }
  if (errno == EEXIST) return exists_error(to);
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(to, ignored))) return exists_error(to);
  if (::rename(from.c_str(), to.c_str()) != 0) return write_error(to, errno);
  return {};
}

Result<std::string> read_file(const fs::path& path, std::uint64_t max_bytes) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a FIFO without a writer would block
  if (fd < 0)
    return Error{ErrorCode::CannotRead, fmt::format("cannot read {}: {}", path.string(), std::strerror(errno))};
  struct stat info{};
  if (::fstat(fd, &info) == 0 && S_ISFIFO(info.st_mode)) {
    ::close(fd);
    return Error{ErrorCode::CannotRead, fmt::format("{} is a pipe; it must be a file", path.string())};
  }
  std::string text;
  std::vector<char> buffer(1 << 16);
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int code = errno;
      ::close(fd);
      return Error{ErrorCode::CannotRead, fmt::format("cannot read {}: {}", path.string(), std::strerror(code))};
    }
    if (got == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > max_bytes) {
      ::close(fd);
      return Error{ErrorCode::CannotRead,
                   fmt::format("{} is larger than the {} bytes that such a file may have", path.string(), max_bytes)};
    }
  }
  ::close(fd);
  return text;
}

Result<MappedFile> MappedFile::open(const fs::path& path) {
  const auto fail = [&](int code) {
    return Error{ErrorCode::CannotRead, fmt::format("cannot read {}: {}", path.string(), std::strerror(code))};
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // do not wait for the writer of a fifo
  if (fd < 0) return fail(errno);
  struct stat info{};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return Error{ErrorCode::CannotRead, fmt::format("{} is not a regular file", path.string())};
  }
  MappedFile file;
  file.path_ = path;
  file.size_ = static_cast<std::size_t>(info.st_size);
  if (file.size_ > 0) {
    void* data = ::mmap(nullptr, file.size_, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
      const int code = errno;
      ::close(fd);
      return fail(code);
    }
    file.data_ = static_cast<const std::byte*>(data);
  }
  ::close(fd);
  return file;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)), path_(std::move(other.path_)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(path_, other.path_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::prefetch(std::size_t offset, std::size_t length) const {
  if (data_ == nullptr || offset >= size_) return;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t begin = offset / page * page;
  ::madvise(const_cast<std::byte*>(data_) + begin, std::min(length + (offset - begin), size_ - begin), MADV_WILLNEED);
}

void MappedFile::forget(std::size_t offset, std::size_t length) const {
  // Whole pages inside the range only: neighbours may still be in use.
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t begin = (offset + page - 1) / page * page;
  const std::size_t end = std::min(offset + length, size_) / page * page;
  if (data_ != nullptr && end > begin) ::madvise(const_cast<std::byte*>(data_) + begin, end - begin, MADV_DONTNEED);
}

Result<AtomicFile> AtomicFile::create(const fs::path& target, Overwrite overwrite) {
  RUBATO_OK(check_writable(target, overwrite));
  AtomicFile file;
  file.target_ = target;
  file.overwrite_ = overwrite;
  // Not mkstemp: a result has the mode of an ordinary file, and reading the umask is not thread-safe.
  const std::string stem(clip_utf8(target.filename().string(), 200));  // names have at most 255 bytes
  for (int attempt = 0; attempt < 100 && file.fd_ < 0; ++attempt) {
    const fs::path name = folder_of(target) / fmt::format(".{}.{}.tmp", stem, new_ulid().substr(16));
    file.fd_ = ::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file.fd_ < 0 && errno != EEXIST) return write_error(target, errno);
    if (file.fd_ < 0) continue;
    if (hold_draft(file.fd_, name)) {
      file.temporary_ = name;
    } else {
      ::close(std::exchange(file.fd_, -1));
      ::unlink(name.c_str());
    }
  }
  if (file.fd_ < 0) return write_error(target, EEXIST);
  return file;
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : target_(std::move(other.target_)),
      temporary_(std::exchange(other.temporary_, {})),
      overwrite_(other.overwrite_),
      fd_(std::exchange(other.fd_, -1)) {}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<> AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return write_error(target_, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

Result<> AtomicFile::write(std::string_view text) { return write(std::as_bytes(std::span(text.data(), text.size()))); }

Result<> AtomicFile::commit() {
  // A library may have replaced the temporary file, so sync by path rather than by our descriptor.
  const int fd = ::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return write_error(target_, errno);
  const bool synced = ::fsync(fd) == 0;
  const int code = errno;
  ::close(fd);
  if (!synced) return write_error(target_, code);

  if (overwrite_ == Overwrite::Always) {
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) return write_error(target_, errno);
  } else {
    RUBATO_OK(rename_to_new(temporary_, target_));
  }
  temporary_.clear();
  sync_folder(folder_of(target_));
  return {};
}

Result<> write_file_atomically(const fs::path& target, std::string_view text, Overwrite overwrite) {
  RUBATO_TRY(file, AtomicFile::create(target, overwrite));
  RUBATO_OK(file.write(text));
  return file.commit();
}

Result<> check_writable(const fs::path& target, Overwrite overwrite) {
  std::error_code ignored;
  if (target.filename().empty() || fs::is_directory(target, ignored))
    return Error{ErrorCode::CannotWrite, fmt::format("{} is a folder; give a file name", target.string())};
  if (overwrite == Overwrite::Never && fs::exists(fs::symlink_status(target, ignored))) return exists_error(target);
  const auto there = fs::status(target, ignored);
  if (fs::exists(there) && !fs::is_regular_file(there))  // renaming over /dev/null would replace it
    return Error{ErrorCode::CannotWrite,
                 fmt::format("{} is a device or pipe; give the name of an ordinary file", target.string())};
  const auto folder = folder_of(target);
  if (!fs::is_directory(folder, ignored))
    return Error{ErrorCode::CannotWrite, fmt::format("the folder {} does not exist; create it first", folder.string())};
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return Error{ErrorCode::CannotWrite,
                 fmt::format("the folder {} is not writable: {}", folder.string(), std::strerror(errno))};
  return {};
}

Result<> hold_space(const fs::path& file, std::uint64_t bytes) {
  if (bytes == 0) {
    std::error_code failed;
    fs::remove(file, failed);
    return failed ? Result<>(write_error(file, failed.value())) : Result<>();
  }
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd < 0) return write_error(file, errno);
  const auto length = static_cast<off_t>(bytes);
  int code = ::ftruncate(fd, length) == 0 ? 0 : errno;
  if (code == 0) {
    do code = ::posix_fallocate(fd, 0, length);
    while (code == EINTR);
  }
  ::close(fd);
  if (code == 0) return {};
  ::unlink(file.c_str());
  if (code != ENOSPC && code != EDQUOT) return write_error(file, code);
  return Error{ErrorCode::CannotWrite,
               fmt::format("the disk is full: {} are needed in {}; free some space and run the same command again",
                           human_bytes(bytes), folder_of(file).string())};
}

std::uint64_t free_bytes(const fs::path& path) {
  std::error_code failed;
  fs::path here = fs::absolute(path, failed);
  while (!fs::exists(here, failed) && here.has_relative_path()) here = here.parent_path();
  const auto space = fs::space(here, failed);
  return failed ? 0 : space.available;
}

Result<SafePath> SafePath::inside(const fs::path& root, std::string_view relative) {
  const auto refuse = [&](const char* why) {
    return Error{ErrorCode::Usage, fmt::format("the path '{}' is refused: {}", relative, why)};
  };
  if (relative.empty()) return refuse("it is empty");
  if (relative.find('\0') != std::string_view::npos) return refuse("it contains a NUL character");
  if (relative.find('\\') != std::string_view::npos) return refuse("it contains a backslash");
  const fs::path below(relative);
  if (below.is_absolute()) return refuse("it is absolute");
  for (const auto& part : below)
    if (part == "..") return refuse("it contains '..'");

  std::error_code failed;
  const auto real_root = fs::weakly_canonical(root, failed);
  if (failed)
    return Error{ErrorCode::CannotRead, fmt::format("cannot resolve {}: {}", root.string(), failed.message())};
  const auto real = fs::weakly_canonical(real_root / below, failed);  // follows links of the part that exists
  if (failed) return refuse("it cannot be resolved");
  const auto inside = real.lexically_relative(real_root);
  if (inside.empty() || *inside.begin() == "..") return refuse("a symbolic link leads out of the folder");
  if (inside == ".") return refuse("it names the folder itself");
  // What was resolved holds no links any more, except one whose target does not exist: writing through it would
  // create that target, wherever it is.
  for (fs::path part = real; part != real_root && part.has_relative_path(); part = part.parent_path())
    if (fs::is_symlink(fs::symlink_status(part, failed))) return refuse("it goes through a broken symbolic link");
  return SafePath(real);
}

UserFolders UserFolders::from_environment() {
  const auto pick = [](const char* variable, const char* fallback) {
    const char* set = std::getenv(variable);
    const char* home = std::getenv("HOME");
    const fs::path base =
        set != nullptr && *set == '/' ? fs::path(set) : fs::path(home != nullptr ? home : "/tmp") / fallback;
    return base / "rubato";
  };
  return {pick("XDG_CONFIG_HOME", ".config"), pick("XDG_DATA_HOME", ".local/share"),
          pick("XDG_STATE_HOME", ".local/state"), pick("XDG_CACHE_HOME", ".cache")};
}

}  // namespace rubato
