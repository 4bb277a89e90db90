// The shipped practice model: its card is true, and its prompts are made of words it knows.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "engine/files/model_card.h"
#include "engine/files/tokenizer.h"

namespace rubato {
namespace {

const std::filesystem::path kModel = std::filesystem::path(RUBATO_RESOURCES) / "practice/video";

ModelCard practice_card() {
  auto card = ModelCard::load(kModel);
  EXPECT_TRUE(card.ok()) << (card.ok() ? "" : card.error().message);
  EXPECT_TRUE(card.ok() && card->has_value());
  return card.ok() ? card->value_or(ModelCard{}) : ModelCard{};
}

TEST(PracticeModel, CardNamesDefaultsAndSaysThatItIsForPractice) {
  const ModelCard card = practice_card();
  EXPECT_EQ(card.name, "practice-video");
  EXPECT_TRUE(card.practice);
  EXPECT_FALSE(card.limits.empty());
  EXPECT_EQ(card.defaults.width, 128);
  EXPECT_EQ(card.defaults.frames, 65);
  EXPECT_EQ(card.defaults.max_sequence_length, 32);
  ASSERT_TRUE(card.preview.has_value());
  EXPECT_EQ(card.preview->matrix.size(), 8u);
  EXPECT_EQ(card.preview->first_matrix.size(), 8u);
}

TEST(PracticeModel, FilesAgreeWithTheirChecksums) {
  const ModelCard card = practice_card();
  EXPECT_GE(card.checksums.size(), 10u);
  EXPECT_TRUE(card.verify_checksums(kModel).empty());
}

TEST(PracticeModel, PromptsFitAndHoldOnlyKnownWords) {
  const ModelCard card = practice_card();
  auto tokenizer = Tokenizer::load(kModel / "tokenizer", "T5TokenizerFast");
  ASSERT_TRUE(tokenizer.ok());
  ASSERT_FALSE(card.prompts.empty());
  for (const std::string& prompt : card.prompts) {
    const auto encoded = (*tokenizer)->encode_padded(prompt, 32);
    EXPECT_EQ(encoded.cut_text, "") << prompt;
    // A word that the model knows is one piece; an unknown one falls apart into letters.
    const auto tokens = std::count(encoded.mask.begin(), encoded.mask.end(), 1);
    const auto words = 1 + std::count(prompt.begin(), prompt.end(), ' ');
    const auto commas = std::count(prompt.begin(), prompt.end(), ',');
    EXPECT_EQ(tokens, words + commas + 1) << prompt;
  }
}

}  // namespace
}  // namespace rubato
