#include "engine/base/text.h"

#include <gtest/gtest.h>

#include <limits>

namespace rubato {
namespace {

TEST(TextTest, SplitsTrimsAndJoins) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(split("", ','), std::vector<std::string>{""});
  EXPECT_EQ(trim("  a b\r\n"), "a b");
  EXPECT_EQ(trim(" \t"), "");
  EXPECT_EQ(join(split("a,b", ','), ", "), "a, b");
}

TEST(TextTest, FindsTheNearestNameAndNothingFar) {
  const std::vector<std::string> names{"frames", "guidance", "steps"};
  EXPECT_EQ(nearest_name("frame", names), "frames");
  EXPECT_EQ(nearest_name("guidence", names), "guidance");
  EXPECT_EQ(nearest_name("prompt", names), std::nullopt);
  EXPECT_EQ(nearest_name(std::string(10'000, 'a'), names), std::nullopt);
  EXPECT_EQ(did_you_mean("step", names), "; did you mean 'steps'?");
  EXPECT_EQ(did_you_mean("x", {}), "");
}

TEST(TextTest, WritesSizesAndTimesForPeople) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1000), "1.0 kB");
  EXPECT_EQ(human_bytes(999'960), "1.0 MB");
  EXPECT_EQ(human_bytes(39'100'000), "39.1 MB");
  EXPECT_EQ(human_duration(65), "1:05");
  EXPECT_EQ(human_duration(7387), "2:03:07");
  EXPECT_EQ(human_duration(-1), "0:00");
  EXPECT_EQ(human_duration(std::numeric_limits<double>::quiet_NaN()), "0:00");
  EXPECT_FALSE(human_duration(std::numeric_limits<double>::infinity()).empty());
}

TEST(TextTest, ReadsAmountsOfMemory) {
  EXPECT_EQ(parse_bytes("4096"), 4096u);
  EXPECT_EQ(parse_bytes("1.5GiB"), 1610612736u);
  EXPECT_EQ(parse_bytes(" 800 MB "), 800'000'000u);
  EXPECT_EQ(parse_bytes("2g"), 2'000'000'000u);
  EXPECT_EQ(parse_bytes("3Ki"), 3072u);
  EXPECT_EQ(parse_bytes("7 b"), 7u);
  EXPECT_EQ(parse_bytes("0"), 0u);
  EXPECT_EQ(parse_bytes("1TiB"), 1ull << 40);
  for (const auto* bad : {"", "GiB", "-1", "1.5.5G", "1e3", "5i", "5iB", "5x", "5 GBs", "inf", "nan", "9999999 TB", "0x10"})
    EXPECT_EQ(parse_bytes(bad), std::nullopt) << bad;
}

TEST(TextTest, KnowsUtf8) {
  for (const auto* good : {"", "a", "é", "€", "𝄞", "\xF4\x8F\xBF\xBF"}) EXPECT_TRUE(is_valid_utf8(good)) << good;
  for (const auto* bad : {"\x80", "\xC3", "\xC3(", "\xE2\x82", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"})
    EXPECT_FALSE(is_valid_utf8(bad)) << bad;
}

TEST(TextTest, ShowsWhatWouldDriveATerminal) {
  EXPECT_EQ(printable("a 漢字 🎬 é\n\tb"), "a 漢字 🎬 é\n\tb");
  EXPECT_EQ(printable("\x1b[31m\r\x7f"), "\\x1b[31m\\x0d\\x7f");
  EXPECT_EQ(printable("\u009b2J\u202e\u2066"), "\\x9b2J\\u202e\\u2066");
  EXPECT_EQ(printable("\xff\xc3("), "\\xff\\xc3(");
  EXPECT_EQ(printable("one\ntwo\tx", Lines::Escape), "one\\ntwo\\x09x");
  EXPECT_TRUE(is_printable_name("é 漢字.mp4"));
  for (const auto* bad : {"a\nb", "a\tb", "\xff", "\u202e", "\x1b"}) EXPECT_FALSE(is_printable_name(bad)) << bad;
}

TEST(TextTest, ListsTenNamesAndCountsTheRest) {
  std::vector<std::string> names{"a", "b"};
  EXPECT_EQ(list_names(names), "a, b");
  EXPECT_EQ(list_names(names, 1), "a and 1 more");
  names.assign(10, "x");
  EXPECT_EQ(list_names(names), "x, x, x, x, x, x, x, x, x, x");
  names.resize(500, "x");
  EXPECT_EQ(list_names(names), "x, x, x, x, x, x, x, x, x, x and 490 more");
}

TEST(TextTest, CutsBetweenCharacters) {
  EXPECT_EQ(clip_utf8("aé", 3), "aé");
  EXPECT_EQ(clip_utf8("aé", 2), "a");
  EXPECT_EQ(clip_utf8("€", 2), "");
}

}  // namespace
}  // namespace rubato
