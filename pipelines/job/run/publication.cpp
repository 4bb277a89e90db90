#include "pipelines/job/run/publication.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "engine/base/ids.h"
#include "engine/base/json.h"

namespace rubato {
namespace fs = std::filesystem;
using Json = nlohmann::json;
namespace {

constexpr int kRecordVersion = 1;
constexpr std::uint64_t kMaxRecordBytes = 16u << 20;

Json to_json(const DoneRecord& record) {
  Json files = Json::array();
  for (const auto& file : record.files)
    files.push_back({{"path", file.path},
                     {"work", file.work},
                     {"kind", file.kind},
                     {"sha256", file.sha256},
                     {"bytes", file.bytes},
                     {"modified_ns", file.modified_ns}});
  return {{"version", kRecordVersion},
          {"job", record.job},
          {"files", files},
          {"frames_sha256", record.frames_sha256},
          {"facts", record.facts}};
}

bool has_text(const Json& object, const char* name) { return object.contains(name) && object[name].is_string(); }

// Records lie in a folder that others write too.
bool stays_below(const std::string& name) {
  const fs::path path(name);
  return !name.empty() && name.find('\0') == std::string::npos && path.is_relative() &&
         std::none_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".."; });
}

std::optional<DoneRecord> from_json(const Json& object) {
  if (!object.is_object() || object.value("version", Json()) != kRecordVersion || !has_text(object, "job") ||
      !has_text(object, "frames_sha256") || !object.contains("files") || !object["files"].is_array() ||
      object["files"].empty())
    return std::nullopt;
  DoneRecord record;
  record.job = object["job"];
  record.frames_sha256 = object["frames_sha256"];
  record.facts = object.value("facts", Json::object());
  for (const auto& entry : object["files"]) {
    if (!entry.is_object()) return std::nullopt;
    for (const char* name : {"path", "work", "kind", "sha256"})
      if (!has_text(entry, name)) return std::nullopt;
    if (!stays_below(entry["path"]) || !stays_below(entry["work"])) return std::nullopt;
    if (!entry.contains("bytes") || !entry["bytes"].is_number_unsigned()) return std::nullopt;
    if (!entry.contains("modified_ns") || !entry["modified_ns"].is_number_integer()) return std::nullopt;
    record.files.push_back({entry["path"], entry["work"], entry["kind"], entry["sha256"],
                            entry["bytes"].get<std::uint64_t>(), entry["modified_ns"].get<std::int64_t>()});
  }
  return record;
}

struct FileState {
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;
};
std::optional<FileState> state_of(const fs::path& file) {
  struct stat info{};
  if (::stat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return FileState{static_cast<std::uint64_t>(info.st_size),
                   std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
}

bool is_as_made(const fs::path& file, const PublishedFile& expected) {
  const auto state = state_of(file);
  if (!state || state->bytes != expected.bytes) return false;
  if (expected.modified_ns != 0 && state->modified_ns == expected.modified_ns) return true;
  const auto hash = sha256_file(file);
  return hash && *hash == expected.sha256;
}

// A clip with its pictures and its sidecar; not what tells how it was made, which is nobody's to throw away.
bool is_of_clip(const PublishedFile& file) {
  const fs::path work(file.work), path(file.path);
  return *work.begin() == "out" && file.kind != "latents" && *path.begin() != ".rubato";
}

// Both went under one name, as the job file has it: the newer of two clips takes the place of the older.
bool have_one_name(const DoneRecord& a, const DoneRecord& b) {
  const auto named = text_member(a.facts, "named");
  return !named.empty() &&
         fs::path(named).lexically_normal() == fs::path(text_member(b.facts, "named")).lexically_normal();
}

bool takes_place_of(const DoneRecord& record, const DoneRecord& older) {
  return have_one_name(record, older) && std::ranges::any_of(older.files, [&](const PublishedFile& file) {
           return is_of_clip(file) &&
                  std::ranges::find(record.files, file.path, &PublishedFile::path) != record.files.end();
         });
}

Result<> rename_over(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  fs::rename(from, to, failed);
  return failed ? Result<>(write_error(to, failed.value())) : Result<>();
}

Result<> make_folders(const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (!failed) return {};
  return write_error(folder, failed.value());
}

std::optional<DoneRecord> read(const fs::path& file) {
  const auto text = read_file(file, kMaxRecordBytes);
  if (!text) return std::nullopt;
  const auto object = parse_json(*text, file.string());
  return object ? from_json(*object) : std::nullopt;
}

// Of the jobs that are done; damaged ones are left out.
void for_each_record(const fs::path& state, const std::function<void(const DoneRecord& record)>& take) {
  std::error_code failed;
  for (fs::directory_iterator entry(state, failed), end; !failed && entry != end; entry.increment(failed)) {
    if (entry->path().extension() != ".done") continue;
    if (const auto record = read(entry->path())) take(*record);
  }
}

}  // namespace

MadeFiles::MadeFiles(fs::path out) : out_(std::move(out)) {
  for_each_record(out_ / ".rubato", [&](const DoneRecord& record) {
    for (const auto& file : record.files) files_.emplace(file.path, file);
  });
}

bool MadeFiles::holds(const std::string& path) const {
  const auto [begin, end] = files_.equal_range(path);
  return std::any_of(begin, end, [&](const auto& file) { return is_as_made(out_ / path, file.second); });
}

Publication::Publication(fs::path out, std::string key, fs::path work)
    : out_(std::move(out)), state_(out_ / ".rubato"), work_(std::move(work)), key_(std::move(key)) {}

std::optional<DoneRecord> Publication::done() const { return read(done_file()); }

std::string Publication::damaged_record() const {
  std::error_code failed;
  return fs::exists(done_file(), failed) && !done() ? done_file().string() : std::string();
}

std::string Publication::difference(const DoneRecord& record) const {
  for (const auto& file : record.files) {
    if (!state_of(out_ / file.path)) return fmt::format("{} is missing", file.path);
    if (!is_as_made(out_ / file.path, file)) return fmt::format("{} was changed since it was rendered", file.path);
  }
  return {};
}

std::optional<DoneRecord> Publication::decision() const { return read(decision_file()); }

bool Publication::decided() const {
  const auto record = read(decision_file());
  return record && std::ranges::all_of(record->files, [&](const PublishedFile& file) {
           return state_of(work_ / file.work) || is_as_made(out_ / file.path, file);
         });
}

std::string Publication::in_the_way(Replace replace) const {
  const auto record = read(decision_file());
  if (!record) return {};
  std::optional<MadeFiles> made;
  for (const auto& file : record->files) {
    std::error_code failed;
    if (!state_of(work_ / file.work) || !fs::exists(fs::symlink_status(out_ / file.path, failed))) continue;
    if (replace == Replace::Made && !made) made.emplace(out_);
    if (!may_replace(file.path, replace, made ? &*made : nullptr)) return file.path;
  }
  return {};
}

Result<> Publication::decide(DoneRecord record) {
  for (auto& file : record.files) {
    const auto work = work_ / file.work;
    const auto state = state_of(work);
    if (!state)
      return Error{ErrorCode::CannotRead, fmt::format("{} is not there, though the engine said so", work.string())};
    RUBATO_TRY(hash, sha256_file(work));
    file.sha256 = hash;
    file.bytes = state->bytes;
    file.modified_ns = state->modified_ns;  // a rename keeps it
  }
  return write_file_atomically(decision_file(), to_json(record).dump(1) + "\n", Overwrite::Always);
}

Result<DoneRecord> Publication::publish(Replace replace) {
  auto record = read(decision_file());
  if (!record) return Error{ErrorCode::Corrupt, fmt::format("{} is missing or damaged", decision_file().string())};
  if (const auto other = in_the_way(replace); !other.empty()) return exists_error(other);
  if (replace != Replace::Own) RUBATO_OK(note_replaced(*record));
  for (const auto& file : record->files) {
    RUBATO_TRY(target, SafePath::inside(out_, file.path));
    const auto work = work_ / file.work;
    if (!state_of(work)) {
      if (is_as_made(target.path(), file)) continue;  // it arrived before a crash
      return Error{ErrorCode::CannotRead, fmt::format("{} vanished before it got its final name", work.string())};
    }
    RUBATO_OK(make_folders(target.path().parent_path()));
    std::error_code failed;
    const bool stands = fs::exists(fs::symlink_status(target.path(), failed));
    const auto renamed = stands && may_replace(file.path, replace) ? rename_over(work, target.path())
                                                                   : rename_to_new(work, target.path());
    if (!renamed && renamed.error().code == ErrorCode::OutputExists) return exists_error(file.path);
    RUBATO_OK(renamed);
    sync_folder(target.path().parent_path());
  }
  remove_replaced(*record);
  const auto draft = work_ / "done.json";
  RUBATO_OK(write_file_atomically(draft, to_json(*record).dump(1) + "\n", Overwrite::Always));
  RUBATO_OK(rename_over(draft, done_file()));
  sync_folder(state_);
  clear_work();
  return *record;
}

// A clip of the same job has the same files, and most often there is nothing at all: only where another's file is to go
// are all records read. What stands before its successor has left the work folder is not yet what the decision says.
Result<> Publication::note_replaced(const DoneRecord& record) const {
  std::vector<PublishedFile> earlier;
  for (const auto& source : {done_file(), forgotten_file()})
    if (const auto own = read(source)) earlier.insert(earlier.end(), own->files.begin(), own->files.end());
  const bool replaces_another = std::ranges::any_of(record.files, [&](const PublishedFile& file) {
    return is_of_clip(file) && state_of(work_ / file.work) && state_of(out_ / file.path) &&
           std::ranges::none_of(earlier, [&](const PublishedFile& own) {
             return own.path == file.path && is_as_made(out_ / own.path, own);
           });
  });
  if (!replaces_another) return {};
  DoneRecord replaced{.job = record.job, .files = {}, .frames_sha256 = "", .facts = record.facts};
  std::set<std::string> others;
  for_each_record(state_, [&](const DoneRecord& older) {
    const bool goes = takes_place_of(record, older);
    for (const auto& file : older.files)
      if (goes && is_of_clip(file))
        replaced.files.push_back(file);
      else
        others.insert(file.path);
  });
  for (const auto& file : record.files) others.insert(file.path);
  std::erase_if(replaced.files, [&](const PublishedFile& file) { return others.contains(file.path); });
  if (replaced.files.empty()) return {};
  return write_file_atomically(replaced_file(), to_json(replaced).dump(1) + "\n", Overwrite::Always);
}

// One that cannot be removed stays: the new clip is whole without it.
void Publication::remove_replaced(const DoneRecord& record) const {
  const auto replaced = read(replaced_file());
  if (!replaced || !have_one_name(*replaced, record)) return;
  std::set<fs::path> folders;
  for (const auto& file : replaced->files) {
    if (std::ranges::find(record.files, file.path, &PublishedFile::path) != record.files.end()) continue;
    const auto target = SafePath::inside(out_, file.path);
    std::error_code failed;
    if (!target || !fs::is_regular_file(fs::symlink_status(target->path(), failed))) continue;
    if (is_as_made(target->path(), file) && fs::remove(target->path(), failed))
      folders.insert(target->path().parent_path());
  }
  for (const auto& folder : folders) sync_folder(folder);
}

Error Publication::exists_error(const std::string& path) const {
  return {ErrorCode::OutputExists,
          fmt::format("{} exists and is another file; the new one is kept in {}. --overwrite always replaces it",
                      (out_ / path).string(), work_.string())};
}

// What has a name already, of files that went halfway, is taken back first.
Result<> Publication::rename(const std::function<std::string(const PublishedFile& file)>& new_path) {
  auto record = read(decision_file());
  if (!record) return Error{ErrorCode::Corrupt, fmt::format("{} is missing or damaged", decision_file().string())};
  for (auto& file : record->files) {
    const auto path = new_path(file);
    if (path == file.path) continue;
    if (!state_of(work_ / file.work) && is_as_made(out_ / file.path, file))
      RUBATO_OK(rename_to_new(out_ / file.path, work_ / file.work));
    file.path = path;
  }
  std::error_code ignored;
  fs::remove(replaced_file(), ignored);  // under its new name the clip takes no other's place
  return write_file_atomically(decision_file(), to_json(*record).dump(1) + "\n", Overwrite::Always);
}

Result<> Publication::forget() {
  std::error_code failed;
  if (!fs::exists(done_file(), failed)) return {};
  return rename_over(done_file(), forgotten_file());
}

void Publication::begin_anew() {
  if (const auto decision = read(decision_file())) {
    auto own = *decision;
    std::erase_if(own.files, [&](const auto& file) { return !is_as_made(out_ / file.path, file); });
    for (const auto& source : {done_file(), forgotten_file()})
      if (const auto record = read(source))
        own.files.insert(own.files.end(), record->files.begin(), record->files.end());
    if (!own.files.empty())
      static_cast<void>(write_file_atomically(forgotten_file(), to_json(own).dump(1) + "\n", Overwrite::Always));
  }
  std::error_code ignored;
  std::vector<fs::path> half_done;
  for (const auto& entry : fs::directory_iterator(work_, ignored))
    if (entry.path() != forgotten_file() && entry.path() != replaced_file()) half_done.push_back(entry.path());
  for (const auto& path : half_done) fs::remove_all(path, ignored);
}

bool Publication::drop_broken_decision() {
  std::error_code ignored;
  if (!fs::exists(decision_file(), ignored) || decided()) return false;
  begin_anew();
  return true;
}

// A file that went over an older one of the job is listed twice; the decision's is the newer.
std::vector<PublishedFile> Publication::own_files() const {
  std::vector<PublishedFile> files;
  for (const auto& source : {decision_file(), done_file(), forgotten_file()})
    if (const auto record = read(source)) files.insert(files.end(), record->files.begin(), record->files.end());
  return files;
}

bool Publication::is_own(const std::string& path) const {
  return std::ranges::any_of(
      own_files(), [&](const PublishedFile& file) { return file.path == path && is_as_made(out_ / path, file); });
}

bool Publication::may_replace(const std::string& path, Replace replace, const MadeFiles* made) const {
  std::error_code failed;
  if (fs::is_directory(fs::symlink_status(out_ / path, failed))) return false;
  if (replace == Replace::Any || is_own(path)) return true;
  if (replace == Replace::Own) return false;
  for (const auto& source : {done_file(), forgotten_file()}) {
    const auto record = read(source);
    if (record && std::ranges::find(record->files, path, &PublishedFile::path) != record->files.end()) return true;
  }
  return made != nullptr ? made->holds(path) : MadeFiles(out_).holds(path);
}

void Publication::clear_work() {
  std::error_code ignored;
  fs::remove_all(work_, ignored);
}

}  // namespace rubato
