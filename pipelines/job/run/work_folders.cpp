#include "pipelines/job/run/work_folders.h"

#include <vector>

#include "engine/base/files.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

bool is_decided(const fs::path& folder) {
  std::error_code failed;
  return fs::exists(folder / "publish.json", failed);
}

fs::file_time_type last_change(const fs::path& folder) {
  std::error_code failed;
  const auto time = fs::last_write_time(folder, failed);
  return failed ? fs::file_time_type::min() : time;
}

// Files that were being written have hidden names until they are whole.
void remove_drafts(const fs::path& folder) {
  std::error_code failed;
  std::vector<fs::path> drafts;
  for (fs::recursive_directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed))
    if (entry->path().filename().string().starts_with(".")) {
      drafts.push_back(entry->path());
      entry.disable_recursion_pending();
    }
  for (const auto& draft : drafts) fs::remove_all(draft, failed);
}

}  // namespace

WorkFolders::WorkFolders(const fs::path& state_folder) : work_(state_folder / "work") {
  std::error_code failed;
  for (fs::directory_iterator entry(work_, failed), end; !failed && entry != end; entry.increment(failed)) {
    const auto name = entry->path().filename().string();
    found_.emplace(name.substr(0, name.find('.')), entry->path());
  }
}

fs::path WorkFolders::of(const std::string& key) const {
  fs::path best;
  const auto [begin, end] = found_.equal_range(key);
  for (auto at = begin; at != end; ++at) {
    const auto& folder = at->second;
    const bool better = best.empty() || is_decided(folder) > is_decided(best) ||
                        (is_decided(folder) == is_decided(best) && last_change(folder) > last_change(best));
    if (better) best = folder;
  }
  return best.empty() ? work_ / key : best;
}

fs::path WorkFolders::named(const fs::path& state_folder, const std::string& key, const std::string& token) {
  return state_folder / "work" / (token.empty() ? key : key + "." + token);
}

Result<std::string> WorkFolders::adopt(const fs::path& state_folder, const std::string& key, const std::string& token) {
  const auto mine = named(state_folder, key, token);
  std::error_code failed;
  fs::create_directory(mine.parent_path(), failed);  // a run that ended may just have removed it
  const WorkFolders left(state_folder);
  const auto from = left.of(key);
  const bool any = left.found_.contains(key);
  if (from != mine) {
    if (any)
      fs::rename(from, mine, failed);
    else
      fs::create_directory(mine, failed);
    if (failed) return write_error(mine, failed.value());
  }
  const auto [begin, end] = left.found_.equal_range(key);
  for (auto at = begin; at != end; ++at)
    if (at->second != from && at->second != mine) fs::remove_all(at->second, failed);
  remove_drafts(mine);
  return any ? from.filename().string() : std::string{};
}

}  // namespace rubato
