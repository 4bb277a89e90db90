#include "engine/base/drafts.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <vector>

namespace rubato {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kEnd = ".tmp";
constexpr std::size_t kFileRandom = 10, kFolderRandom = 26;  // characters of a ULID
constexpr std::array<std::string_view, 9> kExtensions{".mp4",         ".webm", ".gif",  ".webp", ".png",
                                                      ".safetensors", ".json", ".html", ".csv"};

// ".clip.mp4.0123456789.tmp": "clip.mp4" and 10; {"", 0} for any other name.
std::pair<std::string_view, std::size_t> parts_of(std::string_view name) {
  if (!name.starts_with('.') || !name.ends_with(kEnd)) return {};
  name = name.substr(1, name.size() - 1 - kEnd.size());
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {};
  const auto random = name.substr(dot + 1);
  const bool is_random = std::ranges::all_of(random, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z' && c != 'I' && c != 'L' && c != 'O' && c != 'U');
  });
  return is_random ? std::pair{name.substr(0, dot), random.size()} : std::pair<std::string_view, std::size_t>{};
}

bool is_current(int fd, const fs::path& path) {
  struct stat opened{}, named{};
  return ::fstat(fd, &opened) == 0 && ::lstat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

// A file of an output, or a folder that holds pictures and nothing else.
bool is_draft(const fs::path& path, const struct stat& info) {
  const auto name = path.filename().string();
  const auto [base, random] = parts_of(name);
  if (info.st_uid != ::geteuid()) return false;
  if (S_ISREG(info.st_mode))
    return random == kFileRandom &&
           std::ranges::any_of(kExtensions, [base = base](auto extension) { return base.ends_with(extension); });
  if (!S_ISDIR(info.st_mode) || random != kFolderRandom) return false;
  std::error_code failed;
  for (fs::directory_iterator entry(path, failed), end; !failed && entry != end; entry.increment(failed)) {
    const auto extension = entry->path().extension();
    if (extension != ".png" && extension != ".PNG" && extension != kEnd) return false;
  }
  return !failed;
}

}  // namespace

bool hold_draft(int fd, const fs::path& draft) {
  // Where there are no such locks, nobody removes anything either.
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) return errno != EWOULDBLOCK;
  return is_current(fd, draft);
}

void remove_dead_drafts(const fs::path& folder) {
  std::error_code failed;
  std::vector<fs::path> drafts;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed))
    if (parts_of(entry->path().filename().string()).second > 0) drafts.push_back(entry->path());
  for (const auto& draft : drafts) {
    const int fd = ::open(draft.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) continue;
    struct stat info{};
    if (::fstat(fd, &info) == 0 && is_draft(draft, info) && ::flock(fd, LOCK_EX | LOCK_NB) == 0 &&
        is_current(fd, draft))
      fs::remove_all(draft, failed);
    ::close(fd);
  }
}

}  // namespace rubato
