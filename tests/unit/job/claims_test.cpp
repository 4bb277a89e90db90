#include "pipelines/job/run/claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "engine/base/files.h"
#include "pipelines/job/run/folder_lock.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

using namespace std::chrono_literals;
using test::TempFolder;

// A claim as another, living host would have written it.
std::string foreign_claim(std::uint64_t beat) {
  nlohmann::json claim{
      {"host", "far-away"}, {"boot", "another boot"}, {"pid_namespace", "pid:[1]"}, {"pid", 7u},
      {"started", 1u},      {"version", 1},           {"token", "01FOREIGN"},       {"beat", std::to_string(beat)}};
  return claim.dump() + "\n";
}

TEST(Claims, AreTakenOnceAndFreeAfterRelease) {
  const TempFolder folder;
  Claims a(folder.path()), b(folder.path());
  EXPECT_TRUE(*a.try_claim("k"));
  EXPECT_TRUE(*a.try_claim("k")) << "asking again changes nothing";
  EXPECT_FALSE(*b.try_claim("k"));
  EXPECT_NE(b.holder("k").find(std::to_string(::getpid())), std::string::npos);
  a.release("k");
  EXPECT_TRUE(*b.try_claim("k"));
}

TEST(Claims, OfADeadProcessOnThisHostAreFreeAtOnce) {
  const TempFolder folder;
  const auto child = ::fork();
  if (child == 0) {
    Claims theirs(folder.path());
    (void)theirs.try_claim("k");
    ::_exit(0);  // like kill -9: nothing is released
  }
  ::waitpid(child, nullptr, 0);
  ASSERT_TRUE(std::filesystem::exists(folder / "k.lock"));
  Claims mine(folder.path());
  EXPECT_TRUE(*mine.try_claim("k"));
}

// The kernel kills it at the first byte that it writes into a file.
TEST(Claims, OfAProcessThatWasKilledWhileItClaimedAreFreeAtOnce) {
  const TempFolder folder;
  const auto child = ::fork();
  if (child == 0) {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::setrlimit(RLIMIT_FSIZE, &none);
    std::signal(SIGXFSZ, SIG_DFL);
    Claims theirs(folder.path());
    (void)theirs.try_claim("k");
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(std::filesystem::exists(folder / "k.lock"));
  Claims mine(folder.path());
  EXPECT_TRUE(*mine.try_claim("k"));
}

TEST(Claims, LeaveNothingBesideThem) {
  const TempFolder folder;
  Claims mine(folder.path()), other(folder.path());
  EXPECT_TRUE(*mine.try_claim("k"));
  EXPECT_FALSE(*other.try_claim("k"));
  EXPECT_FALSE(other.restore("k"));
  const auto files = std::filesystem::directory_iterator(folder.path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
  EXPECT_EQ(mine.check("k"), Claims::Hold::Ours);
}

TEST(Claims, OfAnotherHostAreStaleWhenTheCounterStandsForTwoMinutesOfOurClock) {
  const TempFolder folder;
  folder.write("k.lock", foreign_claim(5));
  Claims::Clock::time_point now{1h};
  Claims mine(folder.path(), [&] { return now; });
  EXPECT_FALSE(*mine.try_claim("k"));
  now += 119s;
  EXPECT_FALSE(*mine.try_claim("k"));
  folder.write("k.lock", foreign_claim(6));  // it lives
  now += 119s;
  EXPECT_FALSE(*mine.try_claim("k"));
  now += 119s;
  EXPECT_FALSE(*mine.try_claim("k"));
  now += 2s;
  EXPECT_TRUE(*mine.try_claim("k"));
}

TEST(Claims, HalfWrittenOnesAreWaitedForAndThenTaken) {
  const TempFolder folder;
  folder.write("k.lock", "");
  Claims::Clock::time_point now{1h};
  Claims mine(folder.path(), [&] { return now; });
  EXPECT_FALSE(*mine.try_claim("k"));
  now += 121s;
  EXPECT_TRUE(*mine.try_claim("k"));
}

// A folder, a link that leads nowhere, more bytes than a claim has: whatever stands there, nobody waits for ever.
TEST(Claims, WhatCannotBeReadIsWaitedForAndThenTaken) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "folder.lock");
  std::filesystem::create_symlink("nowhere", folder / "link.lock");
  folder.write("large.lock", std::string(10'000, ' '));
  Claims::Clock::time_point now{1h};
  Claims mine(folder.path(), [&] { return now; });
  for (const auto* key : {"folder", "link", "large"}) EXPECT_FALSE(*mine.try_claim(key)) << key;
  EXPECT_NE(mine.holder("large").find("cannot be read"), std::string::npos);
  now += 121s;
  for (const auto* key : {"folder", "link", "large"}) EXPECT_TRUE(*mine.try_claim(key)) << key;
}

TEST(Claims, BeatsAndNoticesThatAnotherTookOver) {
  const TempFolder folder;
  Claims::Clock::time_point now{1h};
  Claims mine(folder.path(), [&] { return now; });
  ASSERT_TRUE(*mine.try_claim("a"));
  ASSERT_TRUE(*mine.try_claim("b"));
  const auto before = test::slurp(folder / "a.lock");
  EXPECT_TRUE(mine.beat().empty());
  EXPECT_EQ(test::slurp(folder / "a.lock"), before) << "not yet time";
  now += 11s;
  EXPECT_TRUE(mine.beat().empty());
  EXPECT_NE(test::slurp(folder / "a.lock"), before);
  folder.write("a.lock", foreign_claim(1));
  now += 11s;
  EXPECT_EQ(mine.beat(), std::vector<std::string>{"a"});
  EXPECT_EQ(mine.check("b"), Claims::Hold::Ours);
  mine.release("a");
  EXPECT_TRUE(std::filesystem::exists(folder / "a.lock")) << "another's claim is not ours to remove";
}

// The former holder was only stopped, between two acts of its own.
TEST(Claims, OnesThatWereTakenOverAreNotTouchedByTheirFormerHolder) {
  const TempFolder folder;
  Claims::Clock::time_point now{1h};
  Claims stopped(folder.path(), [&] { return now; }), other(folder.path(), [&] { return now; });
  ASSERT_TRUE(*stopped.try_claim("k"));
  const auto token = stopped.token("k");
  EXPECT_FALSE(token.empty());
  EXPECT_FALSE(*other.try_claim("k"));
  now += 121s;
  ASSERT_TRUE(*other.try_claim("k"));
  EXPECT_NE(other.token("k"), token);

  const auto claim = test::slurp(folder / "k.lock");
  EXPECT_TRUE(*stopped.try_claim("k")) << "it does not know yet";
  bool acted = false;
  const auto act = [&]() -> Result<> {
    acted = true;
    return {};
  };
  EXPECT_EQ(stopped.beat(), std::vector<std::string>{"k"});
  EXPECT_EQ(stopped.check("k"), Claims::Hold::Lost);
  EXPECT_FALSE(*stopped.while_ours("k", act));
  EXPECT_FALSE(acted);
  stopped.release("k");
  EXPECT_EQ(test::slurp(folder / "k.lock"), claim);
  EXPECT_TRUE(*other.while_ours("k", act));
  EXPECT_TRUE(acted);
}

TEST(Claims, ThatSomebodyDeletedAreMissingAndCanBeMadeAgain) {
  const TempFolder folder;
  Claims mine(folder.path());
  ASSERT_TRUE(*mine.try_claim("k"));
  std::filesystem::remove(folder / "k.lock");
  EXPECT_EQ(mine.check("k"), Claims::Hold::Missing);
  EXPECT_TRUE(mine.restore("k"));
  EXPECT_EQ(mine.check("k"), Claims::Hold::Ours);
  std::filesystem::remove(folder / "k.lock");
  Claims other(folder.path());
  ASSERT_TRUE(*other.try_claim("k"));
  EXPECT_FALSE(mine.restore("k"));
  EXPECT_EQ(mine.check("k"), Claims::Hold::Lost);
}

TEST(Claims, OfDeadProcessesAreRemovedAndThoseOfOthersStay) {
  const TempFolder folder;
  const auto child = ::fork();
  if (child == 0) {
    Claims theirs(folder.path());
    (void)theirs.try_claim("dead");
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  folder.write("far.lock", foreign_claim(1));
  folder.write("host-1.sqlite.lock", "");
  Claims mine(folder.path());
  ASSERT_TRUE(*mine.try_claim("own"));
  mine.remove_dead();
  EXPECT_FALSE(std::filesystem::exists(folder / "dead.lock"));
  for (const auto* file : {"far.lock", "own.lock", "host-1.sqlite.lock"})
    EXPECT_TRUE(std::filesystem::exists(folder / file)) << file;
}

// An editor, a sync program, a broken disk: as long as it is our file, the claim is ours and says so again.
TEST(Claims, WhoseTextSomebodySpoiledStayWithTheirHolderAndAreMended) {
  const TempFolder folder;
  Claims::Clock::time_point now{1h};
  Claims mine(folder.path(), [&] { return now; });
  for (const auto& rubbish : {std::string(), std::string("{\"token\":"), std::string(10'000, 'x')}) {
    ASSERT_TRUE(*mine.try_claim("k"));
    folder.write("k.lock", rubbish);
    EXPECT_EQ(mine.check("k"), Claims::Hold::Ours);
    now += 11s;
    EXPECT_TRUE(mine.beat().empty());
    const auto claim = nlohmann::json::parse(test::slurp(folder / "k.lock"), nullptr, false);
    ASSERT_TRUE(claim.is_object()) << test::slurp(folder / "k.lock");
    EXPECT_EQ(claim["token"], mine.token("k"));
    mine.release("k");
    EXPECT_FALSE(std::filesystem::exists(folder / "k.lock"));
  }
  // Another's new file that says nothing yet is not ours.
  ASSERT_TRUE(*mine.try_claim("k"));
  std::filesystem::rename(folder / "k.lock", folder / "taken");
  folder.write("k.lock", "");
  EXPECT_EQ(mine.check("k"), Claims::Hold::Lost);
}

// A process that was stopped while it held the lock for taking over: after some seconds it is known by name.
TEST(Claims, SayWhoKeepsThemFromChangingHands) {
  const TempFolder folder;
  Claims::Clock::time_point now{1h};
  Claims mine(folder.path(), [&] { return now; });
  folder.write("k.lock", foreign_claim(1));
  EXPECT_FALSE(*mine.try_claim("k"));
  now += 121s;
  {
    const auto stopped = FolderLock::take(folder / "takeover", 0ms);
    ASSERT_TRUE(stopped.ok() && *stopped);
    EXPECT_FALSE(*mine.try_claim("k"));
    EXPECT_EQ(mine.stalled_by(), "") << "it may be a matter of moments";
    now += 4s;
    EXPECT_FALSE(*mine.try_claim("k"));
    EXPECT_THAT(mine.stalled_by(), testing::EndsWith(", process " + std::to_string(::getpid())));
  }
  EXPECT_TRUE(*mine.try_claim("k"));
  EXPECT_EQ(mine.stalled_by(), "");
  // Busy is not stalled: the lock is another's each time.
  folder.write("l.lock", foreign_claim(1));
  EXPECT_FALSE(*mine.try_claim("l"));
  now += 121s;
  for (int i = 0; i < 3; ++i, now += 4s) {
    const auto busy = FolderLock::take(folder / "takeover", 0ms);
    ASSERT_TRUE(busy.ok() && *busy);
    EXPECT_FALSE(*mine.try_claim("l"));
    EXPECT_EQ(mine.stalled_by(), "");
  }
}

// Two users of one group share a folder: what the umask allows is what holds.
TEST(Claims, AreWritableForAGroupWhereTheUmaskSaysSo) {
  const TempFolder folder;
  const auto usual = ::umask(002);
  Claims mine(folder.path());
  EXPECT_TRUE(*mine.try_claim("k"));
  EXPECT_TRUE(mine.check_access().ok());
  ::umask(usual);
  for (const auto* file : {"k.lock", "takeover"}) {
    const auto mode = std::filesystem::status(folder / file).permissions();
    EXPECT_EQ(static_cast<unsigned>(mode), 0664u) << file;
  }
}

TEST(Claims, OfAnotherUserThatAreClosedToThisOneAreSaidInOneSentence) {
  const auto* file = "/etc/passwd";  // root's, and not open to others
  const bool root = ::geteuid() == 0;
  ASSERT_EQ(root ? ::seteuid(65534) : 0, 0);
  const auto refused = FolderLock::take(file, 0ms);
  ASSERT_EQ(root ? ::seteuid(0) : 0, 0);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::CannotWrite);
  EXPECT_THAT(refused.error().message, testing::StartsWith("/etc/passwd belongs to user 0 and may not be written by"));
  EXPECT_THAT(refused.error().message, testing::HasSubstr("umask 002"));
}

// Many processes rush for the claims of a dead one: each is taken exactly once.
TEST(Claims, StaleOnesAreTakenOverByExactlyOne) {
  const TempFolder folder;
  constexpr int kKeys = 40, kProcesses = 6;
  const auto dead = ::fork();
  if (dead == 0) {
    Claims theirs(folder.path());
    for (int k = 0; k < kKeys; ++k) (void)theirs.try_claim("k" + std::to_string(k));
    ::_exit(0);
  }
  ::waitpid(dead, nullptr, 0);
  std::filesystem::create_directories(folder / "won");
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    const auto child = ::fork();
    if (child == 0) {
      Claims mine(folder.path());
      for (int round = 0; round < 10; ++round)
        for (int k = 0; k < kKeys; ++k) {
          const auto key = "k" + std::to_string(k);
          if (!mine.token(key).empty()) continue;
          const auto got = mine.try_claim(key);
          if (got && *got) folder.write("won/" + key + "-" + std::to_string(p), "");
        }
      folder.write("tried/" + std::to_string(p), "");
      while (!std::filesystem::exists(folder / "go")) std::this_thread::sleep_for(1ms);
      ::_exit(0);
    }
    children.push_back(child);
  }
  // All have tried before any ends, so that no claim becomes stale a second time.
  const auto files = [&](const char* name) {
    std::error_code none;
    return std::distance(std::filesystem::directory_iterator(folder / name, none),
                         std::filesystem::directory_iterator());
  };
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (files("tried") < kProcesses && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(10ms);
  folder.write("go", "");
  for (const auto child : children) ::waitpid(child, nullptr, 0);
  EXPECT_EQ(files("won"), kKeys);
}

}  // namespace
}  // namespace rubato
