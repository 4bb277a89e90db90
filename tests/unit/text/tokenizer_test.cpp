// Ids against the reference tokenizers (tests/parity/make_text_vectors.py), and what happens to files that are not
// what they should be.
#include "engine/files/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sentencepiece_processor.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/base/files.h"
#include "engine/base/json.h"

namespace rubato {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Ids = std::vector<std::int32_t>;

const fs::path kData = fs::path(RUBATO_TEST_DATA) / "text";

json read_json(const fs::path& path) {
  auto text = read_file(path, 64u << 20);
  EXPECT_TRUE(text.ok());
  return json::parse(text.value());
}

const json& vectors() {
  static const json all = read_json(kData / "tokenizer_vectors.json");
  return all;
}

fs::path path_of(const json& set) {
  if (set["path"] == "practice") return fs::path(RUBATO_RESOURCES) / "practice/video/tokenizer";
  return kData / set["path"].get<std::string>();
}

std::shared_ptr<const Tokenizer> load(const fs::path& path) {
  auto tokenizer = Tokenizer::load(path);
  EXPECT_TRUE(tokenizer.ok()) << (tokenizer.ok() ? "" : tokenizer.error().message);
  return tokenizer.ok() ? *tokenizer : nullptr;
}

// One test per tokenizer.
class TokenizerParity : public testing::TestWithParam<int> {
 protected:
  const json& set() const { return vectors()["sets"][static_cast<std::size_t>(GetParam())]; }
};

TEST_P(TokenizerParity, GivesTheReferencesIds) {
  const auto tokenizer = load(path_of(set()));
  ASSERT_NE(tokenizer, nullptr);
  EXPECT_EQ(tokenizer->vocab_size(), set()["vocab_size"].get<std::size_t>());
  const json& texts = vectors()["texts"];
  ASSERT_EQ(texts.size(), set()["ids"].size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(tokenizer->encode(texts[i].get<std::string>()), set()["ids"][i].get<Ids>())
        << set()["path"] << " text " << i << ": " << texts[i];
  }
}

// For those that the reference loads as a folder, with its class.
class TokenizerFolderParity : public TokenizerParity {};

TEST_P(TokenizerFolderParity, PadsAndTruncatesAsTheReference) {
  const auto tokenizer = load(path_of(set()));
  ASSERT_NE(tokenizer, nullptr);
  for (std::size_t i = 0; i < set()["padded"].size(); ++i) {
    const auto text = vectors()["texts"][i].get<std::string>();
    const auto length = set()["padded"][i][0].get<std::size_t>();
    const Encoded encoded = tokenizer->encode_padded(text, length);
    EXPECT_EQ(encoded.ids, set()["padded"][i][1].get<Ids>()) << text;
    ASSERT_EQ(encoded.mask.size(), length);
    const std::size_t used = std::min(tokenizer->encode(text).size(), length);
    for (std::size_t k = 0; k < length; ++k) EXPECT_EQ(encoded.mask[k], k < used ? 1 : 0);
    EXPECT_EQ(encoded.cut_text.empty(), tokenizer->encode(text).size() <= length) << text;
  }
}

TEST_P(TokenizerFolderParity, DecodesAsTheReference) {
  const auto tokenizer = load(path_of(set()));
  ASSERT_NE(tokenizer, nullptr);
  for (std::size_t i = 0; i < set()["decoded"].size(); ++i) {
    EXPECT_EQ(tokenizer->decode(set()["ids"][i].get<Ids>()), set()["decoded"][i].get<std::string>())
        << vectors()["texts"][i];
  }
}

std::vector<int> sets_with(const char* key) {
  std::vector<int> found;
  for (std::size_t i = 0; i < vectors()["sets"].size(); ++i)
    if (vectors()["sets"][i].contains(key)) found.push_back(static_cast<int>(i));
  return found;
}

std::string name_of(const testing::TestParamInfo<int>& info) {
  auto name = vectors()["sets"][static_cast<std::size_t>(info.param)]["path"].get<std::string>();
  std::erase_if(name, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); });
  return name;
}

INSTANTIATE_TEST_SUITE_P(Files, TokenizerParity, testing::ValuesIn(sets_with("ids")), name_of);
INSTANTIATE_TEST_SUITE_P(Folders, TokenizerFolderParity, testing::ValuesIn(sets_with("padded")), name_of);

TEST(Tokenizer, AgreesWithTheSentencePieceLibraryOnPlainText) {
  sentencepiece::SentencePieceProcessor library;
  ASSERT_TRUE(library.Load((kData / "t5_spiece/spiece.model").string()).ok());
  const auto tokenizer = load(kData / "t5_spiece");
  ASSERT_NE(tokenizer, nullptr);
  for (const char* text :
       {"a small red circle", "  the   ocean waves crash ", "夕焼けの海辺を歩く", "ＦＵＬＬ ﬁne", "zzz 😀 qqq", ""}) {
    Ids expected = library.EncodeAsIds(text);
    expected.push_back(tokenizer->eos_id());
    EXPECT_EQ(tokenizer->encode(text), expected) << text;
  }
}

TEST(Tokenizer, SaysWhichPartOfThePromptIsCut) {
  const auto tokenizer = load(fs::path(RUBATO_RESOURCES) / "practice/video/tokenizer");
  ASSERT_NE(tokenizer, nullptr);
  const auto cut = [&](std::string_view text, std::size_t n) { return tokenizer->encode_padded(text, n).cut_text; };
  EXPECT_EQ(cut("a small red circle", 5), "");
  EXPECT_EQ(cut("a small red circle", 4), "circle");
  EXPECT_EQ(cut("a  small \t red   circle ", 3), "red   circle");
  EXPECT_EQ(cut("a small red circle", 1), "a small red circle");
  EXPECT_EQ(cut("a small red circle", 0), "a small red circle");
  EXPECT_EQ(tokenizer->encode_padded("a small red circle", 1).ids, Ids{tokenizer->eos_id()});
  EXPECT_TRUE(tokenizer->encode_padded("a small red circle", 0).ids.empty());
  const auto mapped = load(kData / "t5");
  ASSERT_NE(mapped, nullptr);
  EXPECT_EQ(mapped->encode_padded("<extra_id_0> ＡＢＣ</s>été", 2).cut_text, "ＡＢＣ</s>été");
}

TEST(Tokenizer, ReadsDamagedUtf8AsReplacementCharacters) {
  const auto tokenizer = load(kData / "t5");
  ASSERT_NE(tokenizer, nullptr);
  EXPECT_EQ(tokenizer->encode("a \xC3\x28 b \xFF"), tokenizer->encode("a \xEF\xBF\xBD( b \xEF\xBF\xBD"));
}

TEST(Tokenizer, ThePipelinesClassGoesBeforeTheFolders) {
  const auto file = kData / "umt5/tokenizer.json";  // with byte fallback, which the T5 class leaves unused
  const auto as_it_is = load(file);
  auto as_t5 = Tokenizer::load(file, "T5TokenizerFast");
  ASSERT_TRUE(as_it_is != nullptr && as_t5.ok());
  EXPECT_EQ((*as_t5)->encode("\u4E2D"), load(kData / "umt5")->encode("\u4E2D"));
  EXPECT_NE((*as_t5)->encode("\u4E2D"), as_it_is->encode("\u4E2D"));
}

TEST(Tokenizer, KnowsItsPieces) {
  const auto tokenizer = load(kData / "umt5");
  ASSERT_NE(tokenizer, nullptr);
  EXPECT_EQ(tokenizer->pad_id(), 0);
  EXPECT_EQ(tokenizer->eos_id(), 1);
  EXPECT_EQ(tokenizer->unk_id(), 2);
  EXPECT_EQ(tokenizer->piece(1), "</s>");
  EXPECT_EQ(tokenizer->piece(-1), "");
  EXPECT_EQ(tokenizer->piece(1 << 30), "");
}

// ---- files that are not what they should be ------------------------------------------------------------------------

json minimal() {
  return json::parse(R"({"version":"1.0","added_tokens":[],"normalizer":null,"pre_tokenizer":null,"post_processor":null,
    "model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0.0],["a",-1.0],["</s>",0]],"byte_fallback":false}})");
}

std::string error_of(const json& file) {
  auto tokenizer = Tokenizer::from_json(file.dump(), "t.json");
  if (tokenizer.ok()) return "loaded";
  EXPECT_EQ(tokenizer.error().code, ErrorCode::ModelUnfit);
  return tokenizer.error().message;
}

TEST(TokenizerErrors, MinimalFileLoads) { EXPECT_EQ(error_of(minimal()), "loaded"); }

TEST(TokenizerErrors, NamesTheUnsupportedPart) {
  const auto changed = [](const char* pointer, const json& value) {
    json file = minimal();
    file[json::json_pointer(pointer)] = value;
    return error_of(file);
  };
  using testing::HasSubstr;
  EXPECT_THAT(changed("/model/type", "BPE"), HasSubstr("BPE"));
  EXPECT_THAT(changed("/normalizer", {{"type", "Lowercase"}}), HasSubstr("'Lowercase'"));
  EXPECT_THAT(changed("/normalizer",
                      json::parse(R"({"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"BertNormalizer"}]})")),
              HasSubstr("normalizer.normalizers[1]"));
  EXPECT_THAT(changed("/normalizer", json::parse(R"({"type":"Replace","pattern":{"Regex":"(a|b)+"},"content":"c"})")),
              HasSubstr("(a|b)+"));
  EXPECT_THAT(changed("/pre_tokenizer", {{"type", "ByteLevel"}}), HasSubstr("'ByteLevel'"));
  EXPECT_THAT(changed("/post_processor", {{"type", "RobertaProcessing"}}), HasSubstr("'RobertaProcessing'"));
  EXPECT_THAT(changed("/model/unk_id", 3), HasSubstr("unk_id 3"));
  EXPECT_THAT(changed("/model/unk_id", nullptr), HasSubstr("unk_id"));
  EXPECT_THAT(changed("/model/unk_id", -1), HasSubstr("unk_id"));
  EXPECT_THAT(changed("/model/unk_id", 99999999999), HasSubstr("unk_id"));
  EXPECT_THAT(changed("/model/vocab", json::array()), HasSubstr("empty"));
  EXPECT_THAT(changed("/model/vocab", {{"a", 1}}), HasSubstr("vocab"));
  EXPECT_THAT(changed("/model/vocab/1", "a"), HasSubstr("[1]"));
  EXPECT_THAT(changed("/model/vocab/1", {std::string(2000, 'x'), -1.0}), HasSubstr("[1]"));
  EXPECT_THAT(changed("/added_tokens", json::parse(R"([{"id":7,"content":"<x>","special":true}])")),
              HasSubstr("has id 7, but the vocabulary gives it 3"));
  EXPECT_THAT(changed("/normalizer", json::parse(R"({"type":"Precompiled","precompiled_charsmap":"////fw=="})")),
              HasSubstr("cut short"));
  EXPECT_THAT(changed("/normalizer", json::parse(R"({"type":"Precompiled","precompiled_charsmap":"*"})")),
              HasSubstr("base64"));
  EXPECT_THAT(
      changed(
          "/post_processor",
          json::parse(
              R"({"type":"TemplateProcessing","single":[{"Sequence":{"id":"A"}},{"SpecialToken":{"id":"</s>"}}],"special_tokens":{"</s>":{"ids":[9]}}})")),
      HasSubstr("not in the vocabulary"));
  EXPECT_THAT(
      changed("/post_processor", json::parse(R"({"type":"TemplateProcessing","single":[],"special_tokens":{}})")),
      HasSubstr("text A"));
  EXPECT_THAT(error_of(json::array()), HasSubstr("holds array (JSON), but"));
}

TEST(TokenizerErrors, NamesMissingAndDamagedFiles) {
  const auto message = [](const fs::path& path) {
    auto tokenizer = Tokenizer::load(path);
    return tokenizer.ok() ? std::string("loaded") : tokenizer.error().message;
  };
  EXPECT_THAT(message(kData / "nowhere"), testing::HasSubstr("nowhere"));
  EXPECT_THAT(message(kData), testing::HasSubstr("neither tokenizer.json nor spiece.model"));
  const fs::path folder = fs::path(testing::TempDir()) / "rubato_tokenizer_errors";
  fs::create_directories(folder);
  std::ofstream(folder / "spiece.model") << "not a model";
  EXPECT_THAT(message(folder), testing::HasSubstr("not a SentencePiece model"));
  // Its name says what it should be, whatever it holds.
  for (const auto* text : {"[]", "\"words\"", "null", "3"}) {
    std::ofstream(folder / "tokenizer.json") << text;
    EXPECT_THAT(message(folder), testing::HasSubstr("a tokenizer.json is an object with a 'model'")) << text;
  }
  std::ofstream(folder / "tokenizer.json") << "";
  EXPECT_THAT(message(folder), testing::Not(testing::HasSubstr("SentencePiece")));
  std::ofstream(folder / "tokenizer.json") << "{\"model\": ";
  EXPECT_THAT(message(folder), testing::HasSubstr("tokenizer.json"));
  std::ofstream(folder / "tokenizer.json") << minimal().dump();
  std::ofstream(folder / "tokenizer_config.json") << R"({"padding_side": "left"})";
  EXPECT_THAT(message(folder), testing::HasSubstr("padding_side 'left'"));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace rubato
