#include "engine/files/content_hash.h"

#include <algorithm>
#include <set>

#include "engine/base/files.h"
#include "engine/base/ids.h"
#include "engine/files/file_cache.h"
#include "engine/files/weight_set.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

constexpr int kCacheVersion = 1;

// The files of a component that decide what it computes: its weights, and the small files beside them
// (configurations, tokenizer tables), but no README or picture.
Result<std::vector<fs::path>> deciding_files(const PipelineFolder::Component& part) {
  std::set<fs::path> found;
  if (part.has_weights()) {
    RUBATO_TRY(weights, find_weights(part.folder));
    found.insert(weights.files.begin(), weights.files.end());
  }
  std::error_code failed;
  for (fs::directory_iterator entry(part.folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    const auto extension = entry->path().extension();
    const bool small = extension == ".json" || extension == ".model" || extension == ".txt";
    std::error_code ignored;
    if (small && entry->is_regular_file(ignored)) found.insert(entry->path());
  }
  if (failed)
    return Error{ErrorCode::CannotRead, "cannot read the folder " + part.folder.string() + ": " + failed.message()};
  return std::vector<fs::path>(found.begin(), found.end());
}

std::string key_of(const fs::path& path) { return fs::absolute(path).lexically_normal().string(); }

std::optional<std::string> known_file_hash(const fs::path& path, FileCache& cache) {
  const auto stamp = FileStamp::of(path);
  const auto* known = stamp ? cache.find(key_of(path), *stamp) : nullptr;
  return known != nullptr && known->is_string() ? std::optional(known->get<std::string>()) : std::nullopt;
}

Result<std::string> file_hash(const fs::path& path, FileCache& cache, std::stop_token stop) {
  if (auto known = known_file_hash(path, cache)) return *known;
  const auto stamp = FileStamp::of(path);
  RUBATO_TRY(hash, sha256_file(path, stop));
  if (stamp) cache.put(key_of(path), *stamp, hash);
  return hash;
}

FileCache cache_in(const fs::path& folder) {
  return FileCache(folder.empty() ? fs::path() : folder / "file_hashes.json", kCacheVersion);
}

// `hash_of` gives the hash of one file.
template <typename HashOf>
Result<std::string> hash_of_files(const PipelineFolder& pipeline, HashOf&& hash_of) {
  Sha256 all;
  const auto add = [&](const std::string& name, const fs::path& path) -> Result<> {
    RUBATO_TRY(hash, hash_of(path));
    all.update(name + '\n' + hash + '\n');
    return {};
  };
  Result<> done = add("model_index.json", pipeline.root / "model_index.json");
  for (const auto& [name, part] : pipeline.components) {
    if (!done.ok()) break;
    auto files = deciding_files(part);
    if (!files.ok()) return std::move(files).error();
    for (const auto& file : *files)
      if (done.ok()) done = add(name + '/' + file.filename().string(), file);
  }
  if (!done.ok()) return std::move(done).error();
  return all.hex();
}

}  // namespace

Result<std::string> model_content_hash(const PipelineFolder& pipeline, const fs::path& cache_folder,
                                       std::stop_token stop) {
  auto cache = cache_in(cache_folder);
  auto hash = hash_of_files(pipeline, [&](const fs::path& path) { return file_hash(path, cache, stop); });
  cache.save();  // also after a failure: what was hashed stays hashed
  return hash;
}

std::optional<std::string> known_content_hash(const PipelineFolder& pipeline, const fs::path& cache_folder) {
  auto cache = cache_in(cache_folder);
  auto hash = hash_of_files(pipeline, [&](const fs::path& path) -> Result<std::string> {
    if (auto known = known_file_hash(path, cache)) return *known;
    return Error{ErrorCode::CannotRead, path.string()};
  });
  return hash ? std::optional(std::move(*hash)) : std::nullopt;
}

Result<std::string> model_content_hash(const PipelineFolder& pipeline) {
  return model_content_hash(pipeline, UserFolders::from_environment().cache);
}

}  // namespace rubato
