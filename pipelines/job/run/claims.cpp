#include "pipelines/job/run/claims.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/base/files.h"
#include "engine/base/ids.h"
#include "engine/base/json.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kMaxClaimBytes = 4096;
constexpr std::chrono::milliseconds kGuardPatience{1000};  // with others in their moments
constexpr int kMostDrafts = 5;                             // of one claim

// What a claim's file says; nothing when there is none. What cannot be read (too large, no file, another user's) is
// described by what changes when its holder beats, so that it becomes stale like a claim.
std::optional<std::string> read_claim(const fs::path& file) {
  struct stat info{};
  if (::lstat(file.c_str(), &info) != 0 && errno == ENOENT) return std::nullopt;
  if (S_ISREG(info.st_mode))
    if (auto text = read_file(file, kMaxClaimBytes)) return std::move(*text);
  return fmt::format("unreadable {} {}.{}", info.st_ino, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
}

// The token of a claim's text; "" when the text is not a claim (half-written, damaged).
std::string token_of(const std::string& text) {
  const auto claim = parse_json(text, "claim");
  if (!claim || !claim->is_object()) return {};
  const auto token = claim->find("token");
  return token != claim->end() && token->is_string() ? token->get<std::string>() : std::string{};
}

std::optional<HostIdentity> holder_of(const std::string& text) {
  const auto claim = parse_json(text, "claim");
  return claim ? identity_from_json(*claim) : std::nullopt;
}

// The claim in an open file.
std::string read_claim(int fd) {
  std::string text(kMaxClaimBytes, '\0');
  const auto got = ::pread(fd, text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return text;
}

bool is_claim_file(const fs::path& file) {
  return file.extension() == ".lock" && file.stem().extension() != ".sqlite";  // those are the records'
}

Result<> write_all(int fd, const std::string& text, const fs::path& file) {
  // One small write from the start: a reader sees the old or the new text. The length of a claim never changes; only
  // what somebody else wrote into its file is cut off.
  const auto written = ::pwrite(fd, text.data(), text.size(), 0);
  if (written != static_cast<ssize_t>(text.size())) return write_error(file, written < 0 ? errno : ENOSPC);
  struct stat info{};
  if (::fstat(fd, &info) == 0 && info.st_size > written && ::ftruncate(fd, written) != 0)
    return write_error(file, errno);
  return {};
}

bool is_same_file(const struct stat& a, const struct stat& b) { return a.st_ino == b.st_ino && a.st_dev == b.st_dev; }

Error claimed_error(const fs::path& file) { return {ErrorCode::OutputExists, fmt::format("{} exists", file.string())}; }

// Makes a claim under its name and then writes it.
Result<> create_new(const fs::path& file, const std::string& text) {
  const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!fd) return errno == EEXIST ? claimed_error(file) : write_error(file, errno);
  // On a full disk an empty claim stays behind: it is ours to remove only as long as nobody took it over, and it
  // becomes stale like any other.
  if (auto written = write_all(fd.get(), text, file); !written) {
    struct stat mine{}, there{};
    if (::fstat(fd.get(), &mine) == 0 && ::lstat(file.c_str(), &there) == 0 && is_same_file(mine, there))
      ::unlink(file.c_str());
    return written;
  }
  return {};
}

// Writes a claim under another name and gives it its own by link(2), which replaces nothing, on NFS neither. False:
// this file system has no links.
Result<bool> link_new(const fs::path& file, const std::string& text) {
  for (int tries = 0; tries < kMostDrafts; ++tries) {
    const auto draft = file.parent_path() / fmt::format(".{}.{}.tmp", file.filename().string(), new_ulid());
    struct stat made{};
    {
      const UniqueFd fd(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666));
      if (!fd) return write_error(file, errno);
      if (auto written = write_all(fd.get(), text, file); !written) {
        ::unlink(draft.c_str());
        return written.error();
      }
    }
    const int reason = ::link(draft.c_str(), file.c_str()) == 0 ? 0 : errno;
    // A server's answer may get lost, and then the second try finds what the first one made: the count of links knows.
    const bool ours = reason == 0 || (::lstat(draft.c_str(), &made) == 0 && made.st_nlink == 2);
    ::unlink(draft.c_str());
    if (ours) return true;
    if (reason == EEXIST) return claimed_error(file);
    if (reason == EPERM || reason == ENOSYS || reason == EOPNOTSUPP || reason == EINVAL) return false;
    if (reason != ENOENT) return write_error(file, reason);
    // Another run that ended just now has tidied the draft away.
  }
  return write_error(file, ENOENT);
}

}  // namespace

Claims::Claims(fs::path folder, std::function<Clock::time_point()> now)
    : folder_(std::move(folder)), now_(std::move(now)), me_(HostIdentity::of_this_process()), last_beat_(now_()) {}

Claims::~Claims() {
  while (!held_.empty()) {
    const auto key = held_.begin()->first;
    release(key);
    held_.erase(key);
  }
}

fs::path Claims::file_of(const std::string& key) const { return folder_ / (key + ".lock"); }

std::string Claims::text(const std::string& token, std::uint64_t beat) const {
  auto claim = to_json(me_);
  claim["version"] = 1;
  claim["token"] = token;
  claim["beat"] = fmt::format("{:012}", beat);
  return claim.dump() + "\n";
}

Result<bool> Claims::try_claim(const std::string& key) {
  if (held_.contains(key)) {
    unwanted_.erase(key);
    return true;
  }
  if (const auto existing = read_claim(file_of(key))) {
    if (!is_stale(key, *existing)) return false;
    return take_over(key, *existing);
  }
  const auto written = write_new(key, new_ulid());
  if (written) return true;
  if (written.error().code == ErrorCode::OutputExists) return false;  // another was a moment faster
  return written.error();
}

// The lock that serialises whatever must not happen while a claim changes hands; an empty one when others have it. It
// is held for moments only, unless its holder is stopped just then: nobody waits for that.
Result<FolderLock> Claims::guard(std::chrono::milliseconds patience) {
  const auto file = folder_ / "takeover";
  RUBATO_TRY(lock, FolderLock::take(file, stalled_by_.empty() ? patience : std::chrono::milliseconds(0)));
  if (lock) {
    guard_seen_ = {};
    stalled_by_.clear();
    return lock;
  }
  const auto taking = FolderLock::last_taking(file);
  if (guard_seen_.text != taking || guard_seen_.since == Clock::time_point{}) guard_seen_ = {taking, now_()};
  if (now_() - guard_seen_.since >= kStall) stalled_by_ = FolderLock::holder(file);
  return lock;
}

Result<> Claims::check_access() {
  const auto lock = guard(std::chrono::milliseconds(0));
  return lock ? Result<>() : lock.error();
}

// The claim appears whole: whoever is killed meanwhile leaves a draft, which nobody waits for.
Result<> Claims::write_new(const std::string& key, const std::string& token) {
  const auto file = file_of(key);
  const auto written = text(token, beat_);
  RUBATO_TRY(linked, link_new(file, written));
  if (!linked) RUBATO_OK(create_new(file, written));
  // Kept open for reading only: a file open for writing would keep the disk from being remounted read-only.
  held_[key] = {token, UniqueFd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK))};
  seen_.erase(key);
  return {};
}

bool Claims::is_stale(const std::string& key, const std::string& text) {
  if (const auto holder = holder_of(text); holder && life_of(*holder) == Life::Dead) return true;
  auto& seen = seen_[key];
  if (seen.text != text || seen.since == Clock::time_point{}) seen = {text, now_()};
  return now_() - seen.since >= kStale;
}

Result<bool> Claims::take_over(const std::string& key, const std::string& stale_text) {
  RUBATO_TRY(guarded, guard(std::chrono::milliseconds(0)));
  if (!guarded) return false;  // somebody takes something over; ask again later
  const auto current = read_claim(file_of(key));
  if (current && *current != stale_text) return false;  // it moved after all, or was taken
  // Under the guard, removing and creating is one act for everybody who takes over; a process that claims a free key
  // in between wins, since its file is there.
  if (current && ::remove(file_of(key).c_str()) != 0) return write_error(file_of(key), errno);
  const auto written = write_new(key, new_ulid());
  if (written) return true;
  if (written.error().code == ErrorCode::OutputExists) return false;
  return written.error();
}

std::string Claims::holder(const std::string& key) const {
  const auto claim = read_claim(file_of(key));
  if (!claim) return "another process";
  const auto holder = holder_of(*claim);
  if (holder) return fmt::format("{}, process {}", holder->host, holder->pid);
  return fmt::format("somebody whose claim {} cannot be read", file_of(key).string());
}

std::string Claims::token(const std::string& key) const {
  const auto held = held_.find(key);
  return held == held_.end() ? std::string{} : held->second.token;
}

Result<bool> Claims::while_ours(const std::string& key, const std::function<Result<>()>& act) {
  RUBATO_TRY(guarded, guard(kGuardPatience));
  if (!guarded) return false;
  if (check(key) != Hold::Ours) {
    held_.erase(key);
    return false;
  }
  RUBATO_OK(act());
  return true;
}

Claims::Hold Claims::check(const std::string& key) const {
  const auto held = held_.find(key);
  if (held == held_.end()) return Hold::Lost;
  const auto claim = read_claim(file_of(key));
  struct stat there{};
  if (!claim || ::lstat(file_of(key).c_str(), &there) != 0) return Hold::Missing;
  return is_ours(held->second, *claim, there) ? Hold::Ours : Hold::Lost;
}

// Is the claim in the file `there` ours? Where its text is none, by whatever accident, it is if we made that file.
bool Claims::is_ours(const Held& held, const std::string& text, const struct stat& there) {
  if (const auto token = token_of(text); !token.empty()) return token == held.token;
  struct stat made{};
  return ::fstat(held.file.get(), &made) == 0 && is_same_file(made, there);
}

bool Claims::restore(const std::string& key) { return write_new(key, token(key)).ok(); }

std::vector<std::string> Claims::beat() {
  std::vector<std::string> gone;
  if (held_.empty() || now_() - last_beat_ < kBeat) return gone;
  last_beat_ = now_();
  ++beat_;
  for (const auto& [key, held] : held_) {
    const UniqueFd fd(::open(file_of(key).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat there{};
    // Looked at and written through one descriptor: a file that another makes in between is not touched.
    if (fd && ::fstat(fd.get(), &there) == 0 && is_ours(held, read_claim(fd.get()), there))
      (void)write_all(fd.get(), text(held.token, beat_), file_of(key));  // a full disk: the length stays, it may pass
    else if (check(key) != Hold::Ours)
      gone.push_back(key);
  }
  for (const auto& key : std::set(unwanted_)) release(key);
  return gone;
}

void Claims::release(const std::string& key) {
  const auto held = held_.find(key);
  if (held == held_.end()) return;
  const auto guarded = guard(kGuardPatience);
  const bool ours = check(key) == Hold::Ours;
  if (ours && (!guarded || !*guarded || (::unlink(file_of(key).c_str()) != 0 && errno != ENOENT))) {
    unwanted_.insert(key);
    return;
  }
  held_.erase(key);
  unwanted_.erase(key);
}

void Claims::remove_dead() {
  const auto guarded = guard(kGuardPatience);
  if (!guarded || !*guarded) return;
  std::error_code ignored;
  std::vector<fs::path> dead;
  for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
    if (!is_claim_file(entry.path())) continue;
    const auto claim = read_claim(entry.path());
    const auto holder = claim ? holder_of(*claim) : std::nullopt;
    if (holder && life_of(*holder) == Life::Dead) dead.push_back(entry.path());
  }
  for (const auto& file : dead) fs::remove(file, ignored);
}

}  // namespace rubato
