#include "engine/files/file_cache.h"

#include <sys/stat.h>

#include <utility>

#include "engine/base/files.h"
#include "engine/base/json.h"
#include "engine/base/log.h"

namespace rubato {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr std::uint64_t kMaxCacheFile = 256u << 20;
constexpr std::size_t kMaxEntries = 200'000;  // beyond this only entries used in this run are kept

}  // namespace

std::optional<FileStamp> FileStamp::of(const fs::path& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return FileStamp{static_cast<std::uint64_t>(info.st_size),
                   static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1'000'000'000 + info.st_mtim.tv_nsec,
                   static_cast<std::uint64_t>(info.st_ino)};
}

FileCache::FileCache(fs::path file, int version) : file_(std::move(file)), version_(version) {
  std::error_code ignored;
  if (file_.empty() || !fs::exists(file_, ignored)) return;
  changed_ = true;  // until it is known to be sound
  const auto text = read_file(file_, kMaxCacheFile);
  if (!text.ok()) return;
  JsonLimits limits;
  limits.max_bytes = kMaxCacheFile;
  limits.max_values = 20'000'000;
  auto root = parse_json(*text, file_.string(), limits);
  if (!root.ok() || !root->is_object() || root->value("version", json()) != version_) return;
  const auto files = root->find("files");
  if (files == root->end() || !files->is_object()) return;
  entries_.reserve(files->size());
  for (auto& [path, row] : files->items()) {  // [size, mtime_ns, inode, fact]
    const bool fine = row.is_array() && row.size() == 4 && row[0].is_number_unsigned() && row[1].is_number_integer() &&
                      row[2].is_number_unsigned();
    if (!fine) continue;
    entries_.emplace(path, Entry{{row[0].get<std::uint64_t>(), row[1].get<std::int64_t>(), row[2].get<std::uint64_t>()},
                                 std::move(row[3])});
  }
  changed_ = false;
}

const json* FileCache::find(const std::string& path, const FileStamp& stamp) {
  const auto at = entries_.find(path);
  if (at == entries_.end() || !(at->second.stamp == stamp)) return nullptr;
  at->second.used = true;
  return &at->second.fact;
}

void FileCache::put(const std::string& path, const FileStamp& stamp, json fact) {
  entries_.insert_or_assign(path, Entry{stamp, std::move(fact), true});
  changed_ = true;
}

void FileCache::save() {
  if (file_.empty() || !changed_) return;
  json files = json::object();
  for (auto& [path, entry] : entries_) {
    if (!entry.used && entries_.size() > kMaxEntries) continue;
    files[path] = json::array({entry.stamp.size, entry.stamp.mtime_ns, entry.stamp.inode, entry.fact});
  }
  const json root{{"version", version_}, {"files", std::move(files)}};
  std::error_code ignored;
  fs::create_directories(file_.parent_path(), ignored);
  // A path need not be UTF-8; such an entry is not found again, which costs one more reading.
  const auto written =
      write_file_atomically(file_, root.dump(-1, ' ', false, json::error_handler_t::replace), Overwrite::Always);
  if (written.ok()) {
    changed_ = false;
  } else {
    log(LogLevel::Info, "cache_not_written", {{"file", file_.string()}, {"reason", written.error().message}});
  }
}

}  // namespace rubato
