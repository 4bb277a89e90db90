#include "engine/base/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace rubato {
namespace {

std::string message(std::string_view text, const JsonLimits& limits = {}) {
  const auto parsed = parse_json(text, "f.json", limits);
  return parsed.ok() ? "parsed" : parsed.error().message;
}

TEST(JsonTest, ReadsOrdinaryText) {
  const auto value = parse_json("\xEF\xBB\xBF{\"a\": [1, -2, 2.5, true, null, \"\\u00e9\"]}", "f.json").value();
  EXPECT_EQ(value["a"][0].get<int>(), 1);
  EXPECT_TRUE(value["a"][0].is_number_unsigned());
  EXPECT_EQ(value["a"][1].get<int>(), -2);
  EXPECT_EQ(value["a"][5].get<std::string>(), "é");
}

TEST(JsonTest, SaysWhereTextIsMalformed) {
  EXPECT_TRUE(message("{\"a\": 1,\n  \"b\": nope}").starts_with("f.json, line 2, column 9: "))
      << message("{\"a\": 1,\n  \"b\": nope}");
  for (const auto* bad : {"", "{", "[1,]", "{\"a\" 1}", "// c\n1", "{} {}", "'a'", "[1e999]", "NaN", "\"\x01\""})
    EXPECT_NE(message(bad), "parsed") << bad;
}

TEST(JsonTest, DoesNotQuoteAWholeFileInItsMessage) {
  EXPECT_LT(message("[\"" + std::string(50'000, 'x')).size(), 500u);
}

TEST(JsonTest, RefusesDoubleKeysWithTheirPlace) {
  EXPECT_EQ(message("{\"a\": 1,\n \"b\": {\"é\": 1, \"é\": 2}}"),
            "f.json, line 2, column 16: the key 'é' stands twice");
  EXPECT_EQ(message("{\"steps\": 1e400}"), "f.json, line 1, column 11: the number 1e400 is too large");
}

TEST(JsonTest, ListsDoubleKeysWhereAsked) {
  std::vector<std::string> twice;
  JsonLimits limits;
  limits.duplicates = &twice;
  const auto value = parse_json(R"({"a": 1, "b": {"c": 1, "c": [2]}, "a": {"d": 3}})", "f.json", limits).value();
  EXPECT_EQ(twice, (std::vector<std::string>{"c", "a"}));
  EXPECT_EQ(value["a"]["d"].get<int>(), 3);
  EXPECT_EQ(value["b"]["c"][0].get<int>(), 2);
}

TEST(JsonTest, HoldsItsLimits) {
  JsonLimits limits;
  limits.max_depth = 2;
  limits.max_string = 3;
  limits.max_values = 4;
  limits.max_bytes = 40;
  EXPECT_EQ(message("[[1]]", limits), "parsed");
  EXPECT_NE(message("[[[]]]", limits), "parsed");
  EXPECT_EQ(message("\"abc\"", limits), "parsed");
  EXPECT_NE(message("\"abcd\"", limits), "parsed");
  EXPECT_NE(message("{\"abcd\": 1}", limits), "parsed");
  EXPECT_EQ(message("[1, 2, 3]", limits), "parsed");
  EXPECT_NE(message("[1, 2, 3, 4]", limits), "parsed");
  EXPECT_NE(message("1" + std::string(40, ' '), limits), "parsed");
}

TEST(JsonTest, SurvivesDeepNesting) { EXPECT_NE(message(std::string(1'000'000, '[')), "parsed"); }

TEST(JsonTest, RefusesBrokenUtf8) {
  for (const auto* bad :
       {"\"\xFF\"", "\"\xC0\xAF\"", "\"\xED\xA0\x80\"", "\"\xE2\x82\"", "\"\xF4\x90\x80\x80\"", "\"\\ud800\""})
    EXPECT_NE(message(bad), "parsed") << bad;
}

TEST(JsonTest, RecordsWhereValuesStand) {
  SourceMap where;
  ASSERT_TRUE(parse_json("{\"jobs\": [\n  {\"a/b\": 12,\n   \"é\": true, \"c\": [10,\n 20\n]}]}", "f.json", {},
                         ErrorCode::Corrupt, &where)
                  .ok());
  const auto at = [&](const std::string& pointer) { return std::pair(where[pointer].line, where[pointer].column); };
  EXPECT_EQ(at(""), std::pair(1, 1));
  EXPECT_EQ(at("/jobs"), std::pair(1, 2));
  EXPECT_EQ(at("/jobs/0"), std::pair(2, 3));
  EXPECT_EQ(at("/jobs/0/a~1b"), std::pair(2, 4));
  EXPECT_EQ(at("/jobs/0/é"), std::pair(3, 4));
  EXPECT_EQ(at("/jobs/0/c"), std::pair(3, 15));
  EXPECT_EQ(at("/jobs/0/c/0"), std::pair(3, 21));
  EXPECT_EQ(at("/jobs/0/c/1"), std::pair(4, 2));
}

}  // namespace
}  // namespace rubato
