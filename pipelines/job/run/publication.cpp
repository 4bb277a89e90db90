#include "pipelines/job/run/publication.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

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

bool holds(const fs::path& file, const PublishedFile& expected) {
  const auto state = state_of(file);
  if (!state || state->bytes != expected.bytes) return false;
  if (expected.modified_ns != 0 && state->modified_ns == expected.modified_ns) return true;
  const auto hash = sha256_file(file);
  return hash && *hash == expected.sha256;
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

}  // namespace

Publication::Publication(fs::path out, std::string key, fs::path work)
    : out_(std::move(out)), state_(out_ / ".rubato"), work_(std::move(work)), key_(std::move(key)) {}

std::optional<DoneRecord> Publication::read(const fs::path& file) const {
  const auto text = read_file(file, kMaxRecordBytes);
  if (!text) return std::nullopt;
  const auto object = parse_json(*text, file.string());
  return object ? from_json(*object) : std::nullopt;
}

std::optional<DoneRecord> Publication::done() const { return read(done_file()); }

std::string Publication::difference(const DoneRecord& record) const {
  for (const auto& file : record.files) {
    if (!state_of(out_ / file.path)) return fmt::format("{} is missing", file.path);
    if (!holds(out_ / file.path, file)) return fmt::format("{} was changed since it was rendered", file.path);
  }
  return {};
}

bool Publication::decided() const { return read(work_ / "publish.json").has_value(); }

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
  return write_file_atomically(work_ / "publish.json", to_json(record).dump(1) + "\n", Overwrite::Always);
}

Result<DoneRecord> Publication::publish(Overwrite overwrite) {
  auto record = read(work_ / "publish.json");
  if (!record)
    return Error{ErrorCode::Corrupt, fmt::format("{} is missing or damaged", (work_ / "publish.json").string())};
  for (const auto& file : record->files) {
    RUBATO_TRY(target, SafePath::inside(out_, file.path));
    const auto work = work_ / file.work;
    if (!state_of(work)) {
      if (holds(target.path(), file)) continue;  // it arrived before a crash
      return Error{ErrorCode::CannotRead, fmt::format("{} vanished before it got its final name", work.string())};
    }
    RUBATO_OK(make_folders(target.path().parent_path()));
    const bool may_replace = overwrite == Overwrite::Always || is_own(file.path);
    const auto renamed = may_replace ? rename_over(work, target.path()) : rename_to_new(work, target.path());
    if (!renamed && renamed.error().code == ErrorCode::OutputExists)
      return Error{
          ErrorCode::OutputExists,
          fmt::format("{} exists and is another file; the new one is kept in {}. --overwrite always replaces it",
                      target.path().string(), work.string())};
    RUBATO_OK(renamed);
    sync_folder(target.path().parent_path());
  }
  const auto draft = work_ / "done.json";
  RUBATO_OK(write_file_atomically(draft, to_json(*record).dump(1) + "\n", Overwrite::Always));
  RUBATO_OK(rename_over(draft, done_file()));
  sync_folder(state_);
  clear_work();
  return *record;
}

Result<> Publication::forget() {
  std::error_code failed;
  if (!fs::exists(done_file(), failed)) return {};
  return rename_over(done_file(), forgotten_file());
}

void Publication::begin_anew() {
  std::error_code ignored;
  std::vector<fs::path> half_done;
  for (const auto& entry : fs::directory_iterator(work_, ignored))
    if (entry.path() != forgotten_file()) half_done.push_back(entry.path());
  for (const auto& path : half_done) fs::remove_all(path, ignored);
}

bool Publication::is_own(const std::string& path) const {
  for (const auto& record : {read(done_file()), read(forgotten_file())}) {
    if (!record) continue;
    const auto file = std::ranges::find(record->files, path, &PublishedFile::path);
    if (file != record->files.end() && holds(out_ / path, *file)) return true;
  }
  return false;
}

void Publication::clear_work() {
  std::error_code ignored;
  fs::remove_all(work_, ignored);
}

}  // namespace rubato
