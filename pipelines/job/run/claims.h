// Claims: which of many processes, on many hosts that share a folder, renders a job.
//
// A job is claimed by creating KEY.lock, which succeeds for one process alone (a link to a file that is written
// already; O_EXCL where there are no links). The file says who holds it and carries a counter that the holder raises
// every ten seconds. A claim is stale when its process is known to be dead (same boot, same process numbers), or when
// the counter has not moved for two minutes of the *observer's* clock: clocks of hosts are never compared. Taking over
// a stale claim is serialised by one lock (folder_lock.h), which the kernel releases when its holder dies, and the
// claim is read again under it, so that two observers cannot both take it.
//
// A holder keeps its claim's file open. What somebody else made of the text is mended with the next beat, as long as it
// is still that file: whoever takes a claim over makes a new one.
//
// A holder that was only stopped wakes up later and does not know yet that its claim went to another. Therefore each
// claim has a random token, the job renders in a folder that bears the token's name (work_folders.h), and whoever
// takes the claim over renames that folder: what the former holder still does leads nowhere.
//
// Errors: CannotWrite (disk full, read-only folder, another user's file that is closed to us). Not thread-safe.
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "pipelines/job/channel.h"
#include "pipelines/job/host_identity.h"
#include "pipelines/job/run/folder_lock.h"

namespace rubato {

class Claims {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kBeat{10}, kStale{120};
  static constexpr std::chrono::seconds kStall{3};  // with the lock for taking over, which is held for moments

  // `folder` exists. `now` is for tests.
  explicit Claims(std::filesystem::path folder, std::function<Clock::time_point()> now = Clock::now);
  // Releases what is still held.
  ~Claims();
  Claims(const Claims&) = delete;
  Claims& operator=(const Claims&) = delete;

  // True: the job is ours until release(). False: another process holds it and may be alive; ask again later.
  Result<bool> try_claim(const std::string& key);
  // The lock for taking over can be had by this user: CannotWrite with a sentence. It may be busy.
  Result<> check_access();
  // Who has kept others from taking claims over or giving them back for kStall now, since it was stopped in the middle
  // of that: "render-3, process 4711"; "" = nobody, as far as the last try of ours says.
  const std::string& stalled_by() const { return stalled_by_; }
  // Who holds a claim that try_claim did not get: "render-3, process 4711"; "another process" once it is free.
  std::string holder(const std::string& key) const;

  // The token of a claim that is held; "" when it is not.
  std::string token(const std::string& key) const;
  // Runs `act` while nobody can take the claim over; keep it short, others wait. False: nothing was run, since the
  // claim is another's by now or others are busy taking claims over.
  Result<bool> while_ours(const std::string& key, const std::function<Result<>()>& act);

  enum class Hold {
    Ours,
    Missing,  // its file is gone: somebody deleted it, or took the claim over and is done
    Lost,     // another process holds the job, since this one was stopped or cut off for too long
  };
  // Is the claim still ours, as the file says now?
  Hold check(const std::string& key) const;
  // Makes the missing file of a held claim again; false when another was faster.
  bool restore(const std::string& key);
  // Raises the counters when it is time to (call it at least every few seconds). Returns the keys that are not ours any
  // more, as far as the files say.
  std::vector<std::string> beat();
  // On a disk that is read-only at the moment the file stays; it is removed when that is possible again.
  void release(const std::string& key);
  // Removes the claims of processes of this host that are dead.
  void remove_dead();

  std::filesystem::path file_of(const std::string& key) const;

 private:
  struct Seen {  // another's claim as it was when it last changed
    std::string text;
    Clock::time_point since;
  };
  struct Held {
    std::string token;
    UniqueFd file;
  };
  std::string text(const std::string& token, std::uint64_t beat) const;
  static bool is_ours(const Held& held, const std::string& text, const struct ::stat& there);
  Result<FolderLock> guard(std::chrono::milliseconds patience);
  bool is_stale(const std::string& key, const std::string& text);
  Result<bool> take_over(const std::string& key, const std::string& stale_text);
  Result<> write_new(const std::string& key, const std::string& token);

  std::filesystem::path folder_;
  std::function<Clock::time_point()> now_;
  HostIdentity me_;
  std::map<std::string, Held> held_;  // by key
  std::set<std::string> unwanted_;    // of those: released, but the file could not be removed yet
  Seen guard_seen_;                   // the lock for taking over as it was when it first could not be had
  std::string stalled_by_;
  std::map<std::string, Seen> seen_;
  std::uint64_t beat_ = 0;
  Clock::time_point last_beat_;
};

}  // namespace rubato
