#include "pipelines/job/run/claims.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "engine/base/files.h"
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
  EXPECT_TRUE(mine.still_ours("b"));
  mine.release("a");
  EXPECT_TRUE(std::filesystem::exists(folder / "a.lock")) << "another's claim is not ours to remove";
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
          if (mine.still_ours(key)) continue;
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
