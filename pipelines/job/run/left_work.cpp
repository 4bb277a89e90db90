#include "pipelines/job/run/left_work.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "engine/base/files.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "pipelines/job/host_identity.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

constexpr const char* kOwner = "owner.json";
constexpr std::uint64_t kMaxOwner = 64u << 10;
constexpr std::size_t kMostNamed = 5;

// Queues keep their work in folders of the same place, named by ids.
bool is_key(const std::string& name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool owns(const fs::path& job_file) { return !job_file.empty() && job_file.filename() != "failed.csv"; }

std::uint64_t bytes_in(const fs::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code failed;
  for (fs::recursive_directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed))
    if (std::error_code gone; entry->is_regular_file(gone)) {
      const auto size = entry->file_size(gone);
      if (!gone) bytes += size;
    }
  return bytes;
}

}  // namespace

void note_owner(const fs::path& work_folder, const fs::path& job_file, const std::string& job) {
  if (!owns(job_file)) return;  // what it said before still holds
  const nlohmann::json owner{
      {"version", 1}, {"file", job_file.string()}, {"host", HostIdentity::of_this_process().host}, {"job", job}};
  // Neither synced nor atomic: without it the folder merely stays.
  std::ofstream(work_folder / kOwner) << owner.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

std::vector<LeftWork> left_work(const WorkFolders& folders, const std::set<std::string>& keys,
                                const fs::path& job_file) {
  std::vector<LeftWork> found;
  if (!owns(job_file)) return found;
  const auto host = HostIdentity::of_this_process().host;
  for (const auto& [key, folder] : folders.all()) {
    if (!is_key(key) || keys.contains(key)) continue;
    LeftWork left{.folder = folder, .key = key};
    const auto text = read_file(folder / kOwner, kMaxOwner);
    const auto owner = text ? parse_json(*text, kOwner) : Result<nlohmann::json>(text.error());
    std::error_code failed;
    if (owner && owner->is_object()) {
      const fs::path file = text_member(*owner, "file");
      const bool here = text_member(*owner, "host") == host;
      if (file != job_file && (!here || fs::exists(file, failed))) continue;  // that file's matter
      left.job = text_member(*owner, "job");
      left.removable = here && file == job_file;
    }
    left.finished = fs::exists(folder / "publish.json", failed);
    left.removable = left.removable && !left.finished;
    left.bytes = bytes_in(folder);
    found.push_back(std::move(left));
  }
  return found;
}

std::vector<std::string> sentences(const std::vector<LeftWork>& left, const fs::path& job_file) {
  struct Kind {
    std::vector<std::string> names;
    std::size_t unnamed = 0;
    std::uint64_t bytes = 0;
    fs::path folder;
  };
  std::map<int, Kind> kinds;
  for (const auto& work : left) {
    auto& kind = kinds[work.removable ? 0 : work.finished ? 1 : 2];
    if (!work.job.empty() && kind.names.size() < kMostNamed)
      kind.names.push_back(printable(work.job));
    else
      ++kind.unnamed;
    kind.bytes += work.bytes;
    kind.folder = work.folder.parent_path();
  }
  std::vector<std::string> all;
  for (const auto& [number, kind] : kinds) {
    auto names = join(kind.names, ", ");
    if (kind.unnamed > 0)
      names += fmt::format("{}{} job{}", names.empty() ? "" : " and ", kind.unnamed, kind.unnamed == 1 ? "" : "s");
    const auto what = fmt::format("{} of {} that {} does not hold (any more), {} in {}, ",
                                  number == 1 ? "Finished clips" : "Half-done work", names,
                                  job_file.filename().string(), human_bytes(kind.bytes), kind.folder.string());
    all.push_back(what + (number == 0
                              ? "is removed at the end of this run; put the jobs back as they were to go on with it."
                          : number == 1 ? "stay there until you take them or delete them."
                                        : "stays there; delete it if no other job file needs it."));
  }
  return all;
}

}  // namespace rubato
