#include "engine/files/model_card.h"

#include <gtest/gtest.h>

#include "engine/base/ids.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace {
using test::TempFolder;

#define EXPECT_SAYS(text, words) EXPECT_NE((text).find(words), std::string::npos) << (text)

TEST(ModelCardTest, ReadsEveryField) {
  const auto card =
      ModelCard::parse(
          R"({"version": 2, "name": "practice-video", "title": "Practice video", "description": "Small shapes.",
    "limits": ["One object only."], "prompts": ["a red circle", "a blue square"], "practice": true, "from the future": {"x": 1},
    "defaults": {"size": "128x96", "frames": 65, "fps": 16, "steps": 30, "guidance": 3.5, "negative_prompt": "", "max_sequence_length": 32, "tempo": "slow"},
    "words": ["a", "red"], "trained": {"sizes": ["128x96"], "frames": [33, 65]},
    "grammar": {"colour": ["red"]}, "preview": {"matrix": [[1, 2, 3], [4, 5, 6.5]], "bias": [0.5, 0.5, 0.4],
      "first": {"matrix": [[1, 1, 1], [2, 2, 2]], "bias": [0.1, 0.2, 0.3]}},
    "checksums": {"vae/config.json": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}})",
          "rubato.json")
          .value();
  EXPECT_EQ(card.version, 2);
  EXPECT_EQ(card.name, "practice-video");
  EXPECT_EQ(card.title, "Practice video");
  EXPECT_EQ(card.limits, std::vector<std::string>{"One object only."});
  EXPECT_EQ(card.prompts.size(), 2u);
  EXPECT_TRUE(card.practice);
  EXPECT_EQ(card.defaults.width, 128);
  EXPECT_EQ(card.defaults.height, 96);
  EXPECT_EQ(card.defaults.frames, 65);
  EXPECT_EQ(card.defaults.fps, 16);
  EXPECT_EQ(card.defaults.steps, 30);
  EXPECT_EQ(card.defaults.guidance, 3.5);
  EXPECT_EQ(card.defaults.guidance_2, std::nullopt);
  EXPECT_EQ(card.defaults.negative_prompt, "");
  EXPECT_EQ(card.defaults.max_sequence_length, 32);
  EXPECT_EQ(card.defaults.all["tempo"].get<std::string>(), "slow");
  EXPECT_EQ(card.grammar["colour"][0].get<std::string>(), "red");
  EXPECT_EQ(card.words, (std::vector<std::string>{"a", "red"}));
  EXPECT_EQ(card.trained_sizes, std::vector<std::string>{"128x96"});
  EXPECT_EQ(card.trained_frames, (std::vector<int>{33, 65}));
  ASSERT_TRUE(card.preview);
  ASSERT_EQ(card.preview->matrix.size(), 2u);
  EXPECT_DOUBLE_EQ(card.preview->matrix[1][2], 6.5);
  EXPECT_DOUBLE_EQ(card.preview->bias[2], 0.4);
  ASSERT_EQ(card.preview->first_matrix.size(), 2u);
  EXPECT_DOUBLE_EQ(card.preview->first_bias[1], 0.2);
  EXPECT_EQ(card.checksums.size(), 1u);
}

TEST(ModelCardTest, NeedsNothing) {
  const auto card = ModelCard::parse("{}", "rubato.json").value();
  EXPECT_EQ(card.version, 1);
  EXPECT_FALSE(card.practice);
  EXPECT_FALSE(card.preview);
  EXPECT_EQ(card.defaults.frames, std::nullopt);
  const TempFolder dir;
  EXPECT_FALSE(ModelCard::load(dir.path()).value().has_value());
}

TEST(ModelCardTest, NamesEverythingThatIsMalformed) {
  const auto card = ModelCard::parse(
      R"({"name": 3, "limits": [1], "practice": "yes", "preview": {"matrix": [[1, 2]]}, "checksums": {"a": "b"},
    "defaults": {"size": "big", "frames": 0, "fps": 16.5, "steps": -1, "guidance": "high"}})",
      "rubato.json");
  EXPECT_EQ(card.error().code, ErrorCode::ModelUnfit);
  for (const auto* words : {"'name'", "'limits'", "'practice'", "'preview.matrix'", "the checksum of 'a'",
                            "'defaults.size' is not a size such as \"832x480\"", "'defaults.frames'", "'defaults.fps'",
                            "'defaults.steps'", "'defaults.guidance'"})
    EXPECT_SAYS(card.error().message, words);
  for (const auto* bad : {"[]", "{\"defaults\": 1}", "{\"a\": 1, \"a\": 2}", "{\"preview\": {\"matrix\": []}}"})
    EXPECT_FALSE(ModelCard::parse(bad, "f").ok()) << bad;
}

TEST(ModelCardTest, WordsAreBounded) {
  const auto card = [](const std::string& words) {
    return ModelCard::parse("{\"words\": [" + words + "]}", "rubato.json");
  };
  std::string many = "\"a\"";
  for (int i = 0; i < 20'000; ++i) many += ",\"a\"";
  EXPECT_SAYS(card(many).error().message, "'words' is not a list of at most 20000 texts");
  EXPECT_SAYS(card('"' + std::string(65, 'a') + '"').error().message, "'words' is not a list of words of 1 to 64");
  EXPECT_FALSE(card("\"\"").ok());
  EXPECT_TRUE(card('"' + std::string(64, 'a') + '"').ok());
  for (const auto* trained : {R"({"sizes": ["big"]})", R"({"frames": [0]})", R"({"frames": 3})"})
    EXPECT_FALSE(ModelCard::parse(std::string("{\"trained\": ") + trained + "}", "f").ok()) << trained;
}

TEST(ModelCardTest, ComparesChecksums) {
  const TempFolder dir;
  dir.write("vae/config.json", "abc");
  dir.write("changed", "abd");
  ModelCard card;
  card.checksums = {{"vae/config.json", sha256_hex("abc")},
                    {"changed", sha256_hex("abc")},
                    {"gone", sha256_hex("abc")},
                    {"../outside", sha256_hex("abc")}};
  const auto wrong = card.verify_checksums(dir.path());
  ASSERT_EQ(wrong.size(), 3u);
  EXPECT_SAYS(wrong[0], "'../outside' is refused");
  EXPECT_SAYS(wrong[1], "changed has changed");
  EXPECT_SAYS(wrong[2], "gone");
}

}  // namespace
}  // namespace rubato
