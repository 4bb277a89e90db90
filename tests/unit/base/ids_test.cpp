#include "engine/base/ids.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

TEST(UlidTest, IncreasesAndKeepsItsForm) {
  std::string before;
  for (int i = 0; i < 2000; ++i) {  // many share a millisecond
    const std::string id = new_ulid();
    EXPECT_TRUE(is_ulid(id)) << id;
    EXPECT_LT(before, id);
    before = id;
  }
}

TEST(UlidTest, BeginsWithTheTime) {
  constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const auto now_ms = [] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  };
  const auto before = now_ms();
  const std::string id = new_ulid();
  std::int64_t ms = 0;
  for (int i = 0; i < 10; ++i) ms = ms * 32 + static_cast<std::int64_t>(kDigits.find(id[static_cast<std::size_t>(i)]));
  EXPECT_GE(ms, before);
  EXPECT_LE(ms, now_ms());
}

TEST(UlidTest, IsUniqueAcrossThreads) {
  std::vector<std::vector<std::string>> made(4);
  {
    std::vector<std::jthread> threads;
    for (auto& list : made)
      threads.emplace_back([&list] {
        for (int i = 0; i < 500; ++i) list.push_back(new_ulid());
      });
  }
  std::set<std::string> all;
  for (const auto& list : made) all.insert(list.begin(), list.end());
  EXPECT_EQ(all.size(), 2000u);
}

TEST(UlidTest, RefusesOtherText) {
  EXPECT_FALSE(is_ulid(""));
  EXPECT_FALSE(is_ulid("01ARZ3NDEKTSV4RRFFQ69G5FA"));
  EXPECT_FALSE(is_ulid("01ARZ3NDEKTSV4RRFFQ69G5FAI"));  // no letter I
  EXPECT_FALSE(is_ulid("81ARZ3NDEKTSV4RRFFQ69G5FAV"));  // more than 128 bits
  EXPECT_TRUE(is_ulid("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
}

TEST(Sha256Test, GivesThePublishedVectors) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 hash;
  for (int i = 0; i < 1000; ++i) hash.update(std::string(1000, 'a'));
  EXPECT_EQ(hash.hex(), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256Test, HashesFiles) {
  const test::TempFolder dir;
  EXPECT_EQ(sha256_file(dir.write("a", "abc")).value(), sha256_hex("abc"));
  const std::string large(3'000'001, 'b');
  EXPECT_EQ(sha256_file(dir.write("b", large)).value(), sha256_hex(large));
  EXPECT_EQ(sha256_file(dir / "none").error().code, ErrorCode::CannotRead);
  EXPECT_EQ(sha256_file(dir.path()).error().code, ErrorCode::CannotRead);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(sha256_file(dir / "b", stop.get_token()).error().code, ErrorCode::Cancelled);
}

}  // namespace
}  // namespace rubato
