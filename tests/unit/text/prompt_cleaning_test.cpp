// Against ftfy and Python's html (tests/parity/make_text_vectors.py).
#include "engine/files/prompt_cleaning.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/base/files.h"

namespace rubato {
namespace {

TEST(PromptCleaning, CleansAsTheReference) {
  auto text = read_file(std::string(RUBATO_TEST_DATA) + "/text/prompt_cleaning_vectors.json", 16u << 20);
  ASSERT_TRUE(text.ok());
  const auto cases = nlohmann::json::parse(*text);
  ASSERT_GT(cases.size(), 400u);
  for (const auto& one : cases) EXPECT_EQ(clean_prompt(one[0].get<std::string>()), one[1].get<std::string>()) << one[0];
}

TEST(PromptCleaning, ReadsAsPeopleExpect) {
  EXPECT_EQ(clean_prompt("  a “red”\tcircle &amp;amp; a ﬁsh\r\n"), "a \"red\" circle & a fish");
  EXPECT_EQ(clean_prompt("Ã©tÃ©"), "été");
  EXPECT_EQ(clean_prompt("\xEF\xBB\xBF"
                         "ＢＯＭ"),
            "BOM");
}

TEST(PromptCleaning, CleaningAgainChangesNothingInOrdinaryText) {
  for (const char* text : {"a fox, 35mm film", "naïve café – “quoted”", "夕焼けの海辺", "Привет, мир"}) {
    const std::string once = clean_prompt(text);
    EXPECT_EQ(clean_prompt(once), once);
  }
}

TEST(PromptCleaning, ReadsDamagedUtf8) {
  EXPECT_EQ(clean_prompt("a\xFF"
                         "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(clean_prompt(std::string("a\0b", 3)), "ab");
}

}  // namespace
}  // namespace rubato
