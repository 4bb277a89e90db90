#include "pipelines/job/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace rubato {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json parsed(const std::string& text) {
  const auto tree = parse_yaml(text, "t.yaml");
  EXPECT_TRUE(tree.ok()) << (tree.ok() ? "" : tree.error().message);
  return tree.ok() ? *tree : json("(error)");
}
std::string refusal(const std::string& text, const JsonLimits& limits = {}) {
  const auto tree = parse_yaml(text, "t.yaml", limits);
  EXPECT_FALSE(tree.ok()) << text;
  return tree.ok() ? "" : tree.error().message;
}

TEST(Yaml, CoreSchemaScalars) {
  EXPECT_EQ(parsed("[~, null, Null, NULL, '', \"\"]"), json::parse(R"([null,null,null,null,"",""])"));
  EXPECT_EQ(parsed("[true, True, TRUE, false, yes, no, on, off, y, n]"),
            json::parse(R"([true,true,true,false,"yes","no","on","off","y","n"])"));
  EXPECT_EQ(parsed("[0, -3, +12, 0o17, 0x1F, 007, 18446744073709551615, -9223372036854775808]"),
            json::parse("[0,-3,12,15,31,7,18446744073709551615,-9223372036854775808]"));
  EXPECT_EQ(parsed("[1.5, -.5, 3., 1e3, +2.5E-1]"), json::parse("[1.5,-0.5,3.0,1000.0,0.25]"));
  EXPECT_EQ(parsed("[1_000, 1:30, 2026-01-31, 0b11, '5', 1.2.3, e5, '.', -, 0x]"),
            json::parse(R"(["1_000","1:30","2026-01-31","0b11","5","1.2.3","e5",".","-","0x"])"));
  EXPECT_EQ(parsed("18446744073709551616"), json(18446744073709551616.0));
}

TEST(Yaml, BlockTextsAndNesting) {
  EXPECT_EQ(parsed("a:\n  - b: |\n      two\n      lines\n    c: {d: [1, {e: f}]}\n  - >\n    folded\n    text\n"),
            json::parse(R"({"a":[{"b":"two\nlines\n","c":{"d":[1,{"e":"f"}]}},"folded text\n"]})"));
  EXPECT_EQ(parsed("a:\nb: x\n"), json::parse(R"({"a":null,"b":"x"})"));
  EXPECT_EQ(parsed("\"esc \\u00e9 \\x41 \\n\": 'it''s'"), json::parse(R"({"esc é A \n":"it's"})"));
}

TEST(Yaml, PlacesAreKept) {
  SourceMap where;
  ASSERT_TRUE(parse_yaml("a: 1\nb:\n  - x\n  - c/d: ~\n", "t", {}, ErrorCode::JobInvalid, &where).ok());
  EXPECT_EQ(where["/a"].line, 1);
  EXPECT_EQ(where["/b"].line, 2);
  EXPECT_EQ(where["/b/0"].line, 3);
  EXPECT_EQ(where["/b/0"].column, 5);
  EXPECT_EQ(where["/b/1/c~1d"].line, 4);
  EXPECT_EQ(where["/b/1/c~1d"].column, 5);
}

TEST(Yaml, AnchorsAliasesAndTagsAreRefused) {
  EXPECT_THAT(refusal("a: &x [1]\nb: *x\n"), HasSubstr("t.yaml, line 1, column 4: anchors"));
  EXPECT_THAT(refusal("a: &x 1\n"), HasSubstr("anchors"));
  EXPECT_THAT(refusal("&x a: 1\n"), HasSubstr("anchors"));
  EXPECT_THAT(refusal("a: !!python/object x\n"), HasSubstr("tags"));
  EXPECT_THAT(refusal("a: !!str 5\n"), HasSubstr("tags"));
  EXPECT_THAT(refusal("a: !local {}\n"), HasSubstr("tags"));
  EXPECT_THAT(refusal("a: *x\n"), HasSubstr("line 1"));
}

TEST(Yaml, AmbiguousDocumentsAreRefused) {
  EXPECT_THAT(refusal("a: 1\na: 2\n"), HasSubstr("line 2, column 1: the key 'a' stands twice"));
  EXPECT_THAT(refusal("a: 1\n---\nb: 2\n"), HasSubstr("only one document"));
  EXPECT_THAT(refusal(""), HasSubstr("empty"));
  EXPECT_THAT(refusal("# nothing\n"), HasSubstr("empty"));
  EXPECT_THAT(refusal("? [1, 2]\n: x\n"), HasSubstr("a key must be a text"));
  EXPECT_THAT(refusal("~: x\n"), testing::AnyOf(HasSubstr("a key must be a text"), HasSubstr("null")));
  EXPECT_THAT(refusal("a: .inf\n"), HasSubstr("not a number that a job can use"));
  EXPECT_THAT(refusal("a: -.INF\n"), HasSubstr("not a number"));
  EXPECT_THAT(refusal("a: 1e999\n"), HasSubstr("too large"));
  EXPECT_THAT(refusal("a: 0xFFFFFFFFFFFFFFFFFF\n"), HasSubstr("too large"));
  EXPECT_THAT(refusal(std::string("a: b\0", 5)), HasSubstr("not valid UTF-8"));
  EXPECT_THAT(refusal("a: \"\\0\"\n"), HasSubstr("NUL"));
  EXPECT_THAT(refusal("a: \xff\n"), HasSubstr("not valid UTF-8"));
  EXPECT_THAT(refusal("a: [1\n"), HasSubstr("line"));
}

TEST(Yaml, AQuoteThatIsNeverClosedIsRefused) {
  EXPECT_THAT(refusal("a: 1\nb: \"x\n"), HasSubstr("line 2, column 4: the quote that opens here is never closed"));
  EXPECT_THAT(refusal("a: 1\nb: 'it''s\n"), HasSubstr("line 2, column 4: the quote"));
  EXPECT_THAT(refusal("é: \"x\\\"\n"), HasSubstr("the quote"));
  EXPECT_EQ(parsed("é: \"x\\\"\"\nb: 'it''s'"), json::parse(R"({"é":"x\"","b":"it's"})"));
  EXPECT_EQ(parsed("a: |\n  \"x\n"), json::parse(R"({"a":"\"x\n"})"));
  EXPECT_EQ(parsed("a: \"x\"  # \"y"), json::parse(R"({"a":"x"})"));
}

TEST(Yaml, LimitsHold) {
  std::string deep(16, '[');
  EXPECT_TRUE(parse_yaml(deep + std::string(16, ']'), "t").ok());
  EXPECT_THAT(refusal('[' + deep + std::string(17, ']')), HasSubstr("nested deeper than 16 levels"));
  EXPECT_THAT(refusal("a: " + std::string(100'000, '[')), HasSubstr("line 1"));
  EXPECT_THAT(refusal("a: b", {.max_bytes = 3}), HasSubstr("at most 3"));
  EXPECT_THAT(refusal("a: bbbb", {.max_string = 3}), HasSubstr("longer than 3 bytes"));
  EXPECT_THAT(refusal("[1, 2, 3]", {.max_values = 3}), HasSubstr("more than 3 values"));
}

}  // namespace
}  // namespace rubato
