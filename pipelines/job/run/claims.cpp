#include "pipelines/job/run/claims.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/base/files.h"
#include "engine/base/ids.h"
#include "engine/base/json.h"
#include "pipelines/job/channel.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kMaxClaimBytes = 4096;

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

// The file whose flock serialises takeovers and releases.
Result<UniqueFd> open_guard(const fs::path& folder) {
  const auto file = folder / "takeover";
  UniqueFd guard(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!guard) return write_error(file, errno);
  return guard;
}

Result<> write_all(int fd, const std::string& text, const fs::path& file) {
  // One small write from the start: a reader sees the old or the new text. The length never changes.
  const auto written = ::pwrite(fd, text.data(), text.size(), 0);
  if (written != static_cast<ssize_t>(text.size())) return write_error(file, written < 0 ? errno : ENOSPC);
  return {};
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
  const auto written = write_new(key);
  if (written) return true;
  if (written.error().code == ErrorCode::OutputExists) return false;  // another was a moment faster
  return written.error();
}

Result<> Claims::write_new(const std::string& key) {
  const auto file = file_of(key);
  const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd) {
    if (errno == EEXIST) return Error{ErrorCode::OutputExists, fmt::format("{} exists", file.string())};
    return write_error(file, errno);
  }
  const auto token = new_ulid();
  if (auto written = write_all(fd.get(), text(token, beat_), file); !written) {
    ::unlink(file.c_str());
    return written;
  }
  held_[key] = token;
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
  RUBATO_TRY(guard, open_guard(folder_));
  if (::flock(guard.get(), LOCK_EX | LOCK_NB) != 0) return false;  // somebody takes something over; ask again later
  const auto current = read_claim(file_of(key));
  if (current && *current != stale_text) return false;  // it moved after all, or was taken
  // Under the guard, removing and creating is one act for everybody who takes over; a process that claims a free key
  // in between wins by O_EXCL.
  if (current && ::remove(file_of(key).c_str()) != 0) return write_error(file_of(key), errno);
  const auto written = write_new(key);
  if (written) return true;
  if (written.error().code == ErrorCode::OutputExists) return false;
  return written.error();
}

std::string Claims::holder(const std::string& key) const {
  const auto claim = read_claim(file_of(key));
  const auto holder = claim ? holder_of(*claim) : std::nullopt;
  if (holder) return fmt::format("{}, process {}", holder->host, holder->pid);
  return fmt::format("somebody whose claim {} cannot be read", file_of(key).string());
}

std::vector<std::string> Claims::beat() {
  std::vector<std::string> lost;
  if (held_.empty() || now_() - last_beat_ < kBeat) return lost;
  last_beat_ = now_();
  ++beat_;
  for (const auto& [key, token] : held_) {
    if (!still_ours(key)) {
      lost.push_back(key);
      continue;
    }
    const UniqueFd fd(::open(file_of(key).c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    if (fd) (void)write_all(fd.get(), text(token, beat_), file_of(key));  // a full disk: the length stays, it may pass
  }
  for (const auto& key : lost) held_.erase(key);
  for (const auto& key : std::set(unwanted_)) release(key);
  return lost;
}

bool Claims::still_ours(const std::string& key) const {
  const auto held = held_.find(key);
  if (held == held_.end()) return false;
  const auto claim = read_claim(file_of(key));
  return claim && token_of(*claim) == held->second;
}

void Claims::release(const std::string& key) {
  const auto guard = open_guard(folder_);
  if (guard) (void)::flock(guard->get(), LOCK_EX);  // held for moments only
  if (still_ours(key) && ::unlink(file_of(key).c_str()) != 0 && errno != ENOENT) {
    unwanted_.insert(key);
    return;
  }
  held_.erase(key);
  unwanted_.erase(key);
}

}  // namespace rubato
