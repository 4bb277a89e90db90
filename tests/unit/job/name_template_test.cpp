// Names of outputs: whatever a prompt holds, the name is one that every system takes, below the folder.
#include "pipelines/job/batch/name_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "engine/base/files.h"
#include "engine/base/text.h"
#include "engine/files/file_name.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

using testing::HasSubstr;

NameValues values() {
  NameValues v;
  v.when.tm_year = 126;
  v.when.tm_mon = 0;
  v.when.tm_mday = 31;
  v.when.tm_hour = 9;
  v.when.tm_min = 5;
  v.when.tm_sec = 7;
  v.job = "ring";
  v.index = 17;
  v.seed = UINT64_MAX;
  v.model = "/models/Wan2.1-T2V/";
  v.size = {832, 480};
  v.prompt = "a ring / in a forest: \"why?\"";
  v.preset = "fine";
  v.hash = "0123456789abcdef";
  v.variables = {{"look", "day"}};
  return v;
}
std::string name(std::string_view text, const NameValues& v = values(), std::string_view extension = {}) {
  const auto made = NameTemplate::parse(text);
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message);
  return made.ok() ? made->render(v, extension) : "";
}
std::string fault(std::string_view text) {
  const auto made = NameTemplate::parse(text);
  return made.ok() ? "" : made.error().message;
}
std::string prompt_name(std::string_view prompt, std::string_view text = "{prompt}") {
  NameValues v = values();
  v.prompt = prompt;
  return name(text, v);
}

TEST(NameTemplate, EveryPlaceholderIsFilled) {
  EXPECT_EQ(name("{date}/{time}-{job}-{index:04}-{seed}.mp4"), "20260131/090507-ring-0017-18446744073709551615.mp4");
  EXPECT_EQ(name("{date:%Y-%m}/{time:%H.%M}"), "2026-01/09.05");
  EXPECT_EQ(name("{model}_{w}x{h}_{preset}_{var.look}_{hash:8}"), "Wan2.1-T2V_832x480_fine_day_01234567");
  EXPECT_EQ(name("{prompt:6}.webm"), "a ring.webm");
  EXPECT_EQ(name("{prompt}"), "a ring _ in a forest_ _why__");
  EXPECT_EQ(name("{index}"), "17");
  EXPECT_EQ(name("{index:1}"), "17");
  EXPECT_EQ(name("a{{b}}"), "a{b}");
  EXPECT_EQ(name("{var.none}-{preset:2}"), "_-fi");
}

TEST(NameTemplate, AnExtensionIsPutWhereThereIsNone) {
  EXPECT_EQ(name("{job}", values(), ".mp4"), "ring.mp4");
  EXPECT_EQ(name("{job}.webm", values(), ".mp4"), "ring.webm");
  EXPECT_EQ(name("{model}", values(), ".mp4"), "Wan2.1-T2V.mp4");
  EXPECT_EQ(name("v1.5/{job}", values(), ".mp4"), "v1.5/ring.mp4");
}

TEST(NameTemplate, UnknownPlaceholdersNameTheNearest) {
  EXPECT_THAT(fault("{sed}"), HasSubstr("unknown placeholder {sed}; did you mean {seed}?"));
  EXPECT_THAT(fault("{}"), HasSubstr("unknown placeholder {}"));
  EXPECT_THAT(fault("{resolution}"), HasSubstr("there is {var.x}, {date}, {time}"));
  EXPECT_THAT(fault("{seed:4}"), HasSubstr("{seed} takes nothing behind a colon"));
  EXPECT_THAT(fault("{index:x}"), HasSubstr("a number of digits, 1 to 12"));
  EXPECT_THAT(fault("{index:999999999}"), HasSubstr("1 to 12"));
  EXPECT_THAT(fault("{prompt:0}"), HasSubstr("a number of characters, 1 to 120"));
  EXPECT_THAT(fault("{date:%c}"), HasSubstr("knows %Y, %y, %m"));
  EXPECT_THAT(fault("{date:%Y/%m}"), HasSubstr("may hold letters, digits"));
  EXPECT_THAT(fault("{date:}"), HasSubstr("1 to 60"));
  EXPECT_THAT(fault("{job"), HasSubstr("'{' without its '}'"));
  EXPECT_THAT(fault("job}"), HasSubstr("a lone '}'"));
  const auto made = NameTemplate::parse("{var.lok}");
  EXPECT_THAT(made->check_variables({{"look", "x"}}).error().message, HasSubstr("did you mean 'var.look'?"));
  EXPECT_TRUE(made->check_variables({{"lok", "x"}}).ok());
}

TEST(NameTemplate, WhatWouldLeaveTheFolderOrBeHiddenIsRefused) {
  for (const char* text :
       {"",   "/a",   "../a", "a/..", "a/../b", "./a", "a//b", "a//",      ".hidden",    "-rf",  " a",         "a.",
        "a ", "a\\b", "C:x",  "a\nb", "a\tb",   "a*b", "con",  "Com1.mp4", "nul.tar.gz", "\xFF", "LPT\xC2\xB9"})
    EXPECT_NE(fault(text), "") << text;
  EXPECT_NE(fault(std::string("a\0b", 3)), "");
  EXPECT_NE(fault(std::string(121, 'x')), "");
  EXPECT_NE(fault("\xE2\x80\xAE"
                  "gpj.exe"),
            "");  // turns the direction of the text
  for (const char* text : {"a", "a/b", "console", "com", "com10", "{job}", "a/b.c/d", "a..b", "漢字/é"})
    EXPECT_EQ(fault(text), "");
}

TEST(NameTemplate, ValuesCannotMakePartsOrHideThem) {
  EXPECT_EQ(prompt_name("../../etc/passwd"), "_._.._etc_passwd");
  EXPECT_EQ(prompt_name(".."), "_");
  EXPECT_EQ(prompt_name("-rf x"), "_rf x");
  EXPECT_EQ(prompt_name("con"), "con_");
  EXPECT_EQ(prompt_name("aux", "{prompt}.mp4"), "aux_.mp4");
  EXPECT_EQ(prompt_name("Nul.x"), "Nul_.x");
  EXPECT_EQ(prompt_name("a\nb\tc\x01"), "a_b_c_");
  EXPECT_EQ(prompt_name(" ends in dots... "), "ends in dots");
  EXPECT_EQ(prompt_name(""), "_");
  EXPECT_EQ(prompt_name("e\xCC\x81"), "é");  // NFC
  EXPECT_EQ(prompt_name("a\xFF\xFE"), "a__");
  EXPECT_EQ(prompt_name("\xE2\x80\xAE"
                        "abc"),
            "_abc");
}

TEST(NameTemplate, LongPromptsLeaveRoomForTheRest) {
  std::string prompt;
  while (prompt.size() < 300) prompt += "лампа 漢字 ";
  const auto long_name = prompt_name(prompt, "{index:04}-{prompt}-{seed}.mp4");
  EXPECT_LE(long_name.size(), kMaxNamePart);
  EXPECT_GT(long_name.size(), kMaxNamePart - 8);
  EXPECT_TRUE(is_valid_utf8(long_name));
  EXPECT_TRUE(long_name.starts_with("0017-лампа"));
  EXPECT_TRUE(long_name.ends_with("-18446744073709551615.mp4")) << long_name;
  NameValues v = values();
  v.prompt = prompt;
  v.variables["look"] = prompt;
  const auto shared = name("{prompt}-{var.look}-{hash}", v, ".mp4");
  EXPECT_LE(shared.size(), kMaxNamePart);
  EXPECT_TRUE(shared.ends_with("-0123456789abcdef.mp4")) << shared;
  EXPECT_EQ(prompt_name("длинный", "{prompt:3}"), "дли");
}

// Random values in random templates: the name is a good one, below the folder, and says itself again.
TEST(NameTemplate, AnyValuesGiveAGoodName) {
  std::mt19937_64 random(5);
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  const std::vector<std::string> pieces{"/",         "..",           "\\",   ":",   "a",  " ", ".", "-",    "é",
                                        "e\xCC\x81", "漢",           "\x01", "con", "🎬", "{", "}", "\xFF", "\xCC\x81",
                                        "nul",       "\xE2\x80\xAE", "com1", "_"};
  const std::vector<std::string> holes{"{job}",   "{prompt}", "{prompt:7}", "{var.x}", "{preset}",
                                       "{model}", "{hash:9}", "{index:5}",  "-",       "a",
                                       "/",       ".mp4",     "{seed}",     "{w}x{h}"};
  test::TempFolder folder;
  int rendered = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string text;
    for (std::size_t n = 1 + pick(5); n > 0; --n) text += holes[pick(holes.size())];
    const auto made = NameTemplate::parse(text);
    if (!made.ok()) continue;
    ++rendered;
    const auto value = [&] {
      std::string s;
      for (std::size_t n = pick(60); n > 0; --n) s += pieces[pick(pieces.size())];
      return s;
    };
    NameValues v = values();
    v.job = value();
    v.prompt = value();
    v.preset = value();
    v.model = value();
    v.hash = value();
    v.variables["x"] = value();
    const auto path = made->render(v, pick(2) == 0 ? ".mp4" : "");
    const auto file = std::string_view(path).substr(0, path.size() - (path.ends_with('/') ? 1 : 0));  // frames/
    for (const auto& part : split(file, '/')) EXPECT_EQ(name_part_fault(part).value_or(""), "") << path;
    EXPECT_EQ(split(path, '/').size(), split(text, '/').size()) << path;
    const auto again = NameTemplate::parse(literal_name(path));
    ASSERT_TRUE(again.ok()) << again.error().message << '\n' << path;
    EXPECT_TRUE(again->is_constant());
    EXPECT_EQ(again->render(values()), path);
    EXPECT_EQ(made->render(v), made->render(v));
    if (round % 20 == 0) {
      EXPECT_TRUE(SafePath::inside(folder.path(), path).ok()) << path;
    }
  }
  EXPECT_GT(rendered, 1000);
}

TEST(NameTemplate, ASlashAtTheEndNamesAFolder) {
  const auto folder = NameTemplate::parse("day/{index:03}/");
  ASSERT_TRUE(folder.ok()) << folder.error().message;
  NameValues values;
  values.index = 7;
  EXPECT_EQ(folder->render(values, ".mp4"), "day/007/");
  EXPECT_FALSE(NameTemplate::parse("day//").ok());
  EXPECT_FALSE(NameTemplate::parse("/").ok());
}

TEST(NameTemplate, ARefusalQuotesWhatWasWritten) {
  const auto refused = NameTemplate::parse("../../frames/");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, "the name '../../frames/' leaves the output folder by '..'");
}

}  // namespace
}  // namespace rubato
