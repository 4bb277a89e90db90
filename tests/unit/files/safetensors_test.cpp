#include "engine/files/safetensors.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "engine/base/check.h"
#include "engine/files/weight_kind.h"
#include "tests/support/safetensors_bytes.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace {
using test::safetensors_bytes;
using test::TempFolder;

// What the reader says about a file of this content; "fine" when it opens.
std::string verdict(std::string_view bytes) {
  const TempFolder dir;
  const auto path = dir.write("w.safetensors", bytes);
  const auto opened = SafetensorsFile::open(path);
  const auto header = read_safetensors_header(path);
  EXPECT_EQ(opened.ok(), header.ok()) << "both ways of reading agree";
  if (opened.ok()) return "fine";
  EXPECT_EQ(opened.error().message, header.error().message);
  EXPECT_EQ(opened.error().code, ErrorCode::ModelUnfit) << opened.error().message;
  std::string text = opened.error().message;
  EXPECT_TRUE(text.starts_with(path.string())) << text;
  return text.substr(path.string().size());
}

#define EXPECT_SAYS(text, words) EXPECT_NE((text).find(words), std::string::npos) << (text)

TEST(SafetensorsTest, ReadsWhatItWrites) {
  const TempFolder dir;
  const std::vector<float> floats{1, 2, 3, 4, 5, 6};
  const std::vector<std::uint8_t> bytes{7, 8, 9};
  const std::vector<std::int64_t> longs{-1};
  const std::vector<NamedTensor> tensors{
      {"bytes", DType::U8, {3}, std::as_bytes(std::span(bytes))},
      {"floats", DType::F32, {2, 3}, std::as_bytes(std::span(floats))},
      {"none", DType::BF16, {0, 4}, {}},
      {"scalar \"é\"", DType::I64, {}, std::as_bytes(std::span(longs))},
  };
  ASSERT_TRUE(write_safetensors(dir / "w.safetensors", tensors, {{"format", "pt"}}, Overwrite::Never).ok());
  EXPECT_EQ(write_safetensors(dir / "w.safetensors", tensors, {}, Overwrite::Never).error().code,
            ErrorCode::OutputExists);

  const auto file = SafetensorsFile::open(dir / "w.safetensors").value();
  ASSERT_EQ(file.tensors().size(), 4u);
  EXPECT_EQ(file.metadata().at("format"), "pt");
  for (const auto& tensor : tensors) {
    const TensorInfo* info = file.find(tensor.name);
    ASSERT_NE(info, nullptr) << tensor.name;
    EXPECT_EQ(info->dtype, tensor.dtype);
    EXPECT_EQ(info->shape, tensor.shape);
    EXPECT_TRUE(file.is_aligned(*info)) << tensor.name;
    const auto data = file.bytes(*info);
    ASSERT_EQ(data.size(), tensor.data.size());
    EXPECT_TRUE(data.empty() || std::memcmp(data.data(), tensor.data.data(), data.size()) == 0);
  }
  EXPECT_EQ(file.find("nothing"), nullptr);
  EXPECT_EQ(file.file().bytes().size(), 8u + 8 * ((file.find("scalar \"é\"")->begin - 8) / 8) + 8 + 24 + 3);
}

TEST(SafetensorsTest, WriterRefusesBugs) {
  const TempFolder dir;
  const std::vector<float> floats{1, 2};
  const auto data = std::as_bytes(std::span(floats));
  const auto write = [&](std::vector<NamedTensor> tensors) {
    static_cast<void>(write_safetensors(dir / "w", tensors, {}, Overwrite::Always));
  };
  EXPECT_THROW(write({{"a", DType::F32, {3}, data}}), InternalError);
  EXPECT_THROW(write({{"a", DType::F32, {2}, data}, {"a", DType::F32, {2}, data}}), InternalError);
  EXPECT_THROW(write({{"__metadata__", DType::F32, {2}, data}}), InternalError);
}

TEST(SafetensorsTest, TakesFilesOfOtherWriters) {
  EXPECT_EQ(verdict(safetensors_bytes("{}", 0)), "fine");
  EXPECT_EQ(verdict(safetensors_bytes(R"({"__metadata__": {"a": "b"}})", 0)), "fine");
  // Any order of names, no padding of the header, empty tensors anywhere.
  EXPECT_EQ(
      verdict(safetensors_bytes(
          R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]},"e":{"dtype":"F32","shape":[0],"data_offsets":[2,2]},
                                         "a":{"dtype":"BF16","shape":[],"data_offsets":[0,2]}}   )",
          6)),
      "fine");
  // A header whose length begins like a pickle of protocol 2.
  std::string header = R"({"__metadata__": {"a": ")";
  header += std::string(0x0280 - header.size() - 3, 'x') + "\"}}";
  ASSERT_EQ(header.size(), 0x0280u);
  EXPECT_EQ(verdict(safetensors_bytes(header, 0)), "fine");
}

TEST(SafetensorsTest, RefusesCutOffFiles) {
  const std::string whole = safetensors_bytes(R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})", 16);
  EXPECT_EQ(verdict(whole), "fine");
  EXPECT_SAYS(verdict(""), "is empty");
  EXPECT_SAYS(verdict(whole.substr(0, 5)), "not a safetensors file");
  EXPECT_SAYS(verdict(whole.substr(0, 20)), "is cut off inside its header");
  EXPECT_SAYS(verdict(whole.substr(0, whole.size() - 1)), "tensor 'a' ends at byte 16 of the data, the file holds 15");
  EXPECT_SAYS(verdict(whole + "x"), "1 bytes at the end belong to no tensor");
}

TEST(SafetensorsTest, RefusesHeadersBeyondItsLimits) {
  std::string huge = safetensors_bytes("{\"", 16);
  huge[3] = 2;  // 32 MiB
  EXPECT_SAYS(verdict(huge), "at most 16777216 are allowed");
  huge[7] = '\x7F';
  EXPECT_SAYS(verdict(huge), "at most 16777216 are allowed");
  EXPECT_SAYS(verdict(safetensors_bytes(R"({"a":[[[[[[[[1]]]]]]]]})", 0)), "nested deeper than 8 levels");
  std::string many = "{";
  for (int i = 0; i <= 200'000; ++i)
    many += fmt::format(R"("t{}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}},)", i);
  many.back() = '}';
  EXPECT_SAYS(verdict(safetensors_bytes(many, 0)), "at most 200000 are allowed");
}

TEST(SafetensorsTest, RefusesHeadersThatAreNotOne) {
  EXPECT_SAYS(verdict(safetensors_bytes("{nope}", 0)), "header, line 1");
  EXPECT_SAYS(verdict(safetensors_bytes("{\"a\xFF\": 1}", 0)), "UTF-8");
  EXPECT_SAYS(verdict(safetensors_bytes(R"({"__metadata__": {"a": 1}})", 0)), "__metadata__ 'a' is not a string");
  EXPECT_SAYS(verdict(safetensors_bytes(R"({"__metadata__": []})", 0)), "__metadata__ is not an object");
}

// One row a tensor; what must be said about it.
struct BadTensor {
  const char *tensor, *words;
};
class BadTensorTest : public testing::TestWithParam<BadTensor> {};

TEST_P(BadTensorTest, IsNamed) {
  const std::string text = verdict(safetensors_bytes(fmt::format(R"({{"w":{}}})", GetParam().tensor), 16));
  EXPECT_SAYS(text, GetParam().words);
  EXPECT_SAYS(text, "'w'");
}

INSTANTIATE_TEST_SUITE_P(
    All, BadTensorTest,
    testing::Values(
        BadTensor{R"(3)", "is not an object"},
        BadTensor{R"({"dtype":"F32","shape":[4]})", "lacks dtype, shape or data_offsets"},
        BadTensor{R"({"dtype":"F32","shape":[4],"data_offsets":[0,16],"x":1})", "unknown key 'x'"},
        BadTensor{R"({"dtype":"F12","shape":[4],"data_offsets":[0,16]})", "unknown dtype \"F12\""},
        BadTensor{R"({"dtype":7,"shape":[4],"data_offsets":[0,16]})", "unknown dtype 7"},
        BadTensor{R"({"dtype":"F32","shape":[5],"data_offsets":[0,16]})", "has 16 bytes, and [5] of F32 need 20"},
        BadTensor{R"({"dtype":"F32","shape":[-4],"data_offsets":[0,16]})", "a shape that is not a list"},
        BadTensor{R"({"dtype":"F32","shape":[4.0],"data_offsets":[0,16]})", "a shape that is not a list"},
        BadTensor{R"({"dtype":"F32","shape":4,"data_offsets":[0,16]})", "a shape that is not a list"},
        BadTensor{R"({"dtype":"F32","shape":[1,1,1,1,1,1,1,1,4],"data_offsets":[0,16]})", "a shape that is not a list"},
        BadTensor{R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,16]})", "impossible shape"},
        BadTensor{R"({"dtype":"F64","shape":[2305843009213693954],"data_offsets":[0,16]})", "impossible shape"},
        BadTensor{R"({"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,16]})",
                  "a shape that is not a list"},
        BadTensor{R"({"dtype":"F32","shape":[4],"data_offsets":[16,0]})", "ends (0) before it begins (16)"},
        BadTensor{R"({"dtype":"F32","shape":[4],"data_offsets":[0]})", "data_offsets that are not two whole numbers"},
        BadTensor{R"({"dtype":"F32","shape":[4],"data_offsets":[-16,0]})",
                  "data_offsets that are not two whole numbers"},
        BadTensor{R"({"dtype":"F32","shape":[4],"data_offsets":[0,1e3]})",
                  "data_offsets that are not two whole numbers"},
        BadTensor{R"({"dtype":"F32","shape":[4],"data_offsets":[18446744073709551600,18446744073709551615]})",
                  "ends at byte 18446744073709551615"},
        BadTensor{R"({"dtype":"F32","shape":[3],"data_offsets":[4,16]})",
                  "4 bytes before tensor 'w' belong to no tensor"},
        BadTensor{
            R"({"dtype":"F32","shape":[4],"data_offsets":[0,16]},"v":{"dtype":"F32","shape":[2],"data_offsets":[8,16]})",
            "tensors 'w' and 'v' overlap"},
        BadTensor{
            R"({"dtype":"F32","shape":[4],"data_offsets":[0,16]},"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]})",
            "the name 'w' stands twice"}));

TEST(SafetensorsTest, NamesAllProblemsOfAFileAtOnce) {
  const std::string text = verdict(safetensors_bytes(
      R"({"a":{"dtype":"F33","shape":[4],"data_offsets":[0,16]}, "b":{"dtype":"F32","shape":[3],"data_offsets":[8,24]},
          "c":{"dtype":"F32","shape":[4],"data_offsets":[24,40]}, "d":{"dtype":"F32","shape":[1],"data_offsets":[24,28]}, "d":{"dtype":"F32","shape":[1],"data_offsets":[36,40]}})",
      32));
  EXPECT_SAYS(text, " is damaged (6 problems): ");
  for (const auto* words :
       {"the name 'd' stands twice", "'a' has the unknown dtype", "'b' has 16 bytes, and [3] of F32 need 12",
        "'c' ends at byte 40 of the data and 1 more lie beyond it, the file holds 32", "'a' and 'b' overlap",
        "'c' and 'd' overlap"})
    EXPECT_SAYS(text, words);
}

TEST(SafetensorsTest, CountsProblemsThatItDoesNotShow) {
  std::string header = "{";
  for (int i = 0; i < 100; ++i)
    header += fmt::format(R"("t{:03}":{{"dtype":"X","shape":[0],"data_offsets":[0,0]}},)", i);
  header.back() = '}';
  const std::string text = verdict(safetensors_bytes(header, 0));
  EXPECT_SAYS(text, "(100 problems)");
  EXPECT_SAYS(text, "; and 90 more");
  EXPECT_LT(text.size(), 1500u);
}

TEST(SafetensorsTest, ShowsNamesWithoutControlCharacters) {
  const std::string text = verdict(safetensors_bytes(R"({"a\u001b[31m\n":1})", 0));
  EXPECT_SAYS(text, "'a?[31m?'");
}

TEST(SafetensorsTest, SaysThatAFileIsMissing) {
  EXPECT_EQ(SafetensorsFile::open("/none/w.safetensors").error().code, ErrorCode::CannotRead);
  EXPECT_EQ(read_safetensors_header("/none/w.safetensors").error().code, ErrorCode::CannotRead);
  EXPECT_EQ(read_safetensors_header("/").error().code, ErrorCode::CannotRead);
}

struct Content {
  const char* words;
  std::string bytes;
};

TEST(WeightKindTest, RefusesOtherContentWhateverItIsCalled) {
  std::string tar(512, '\0');
  tar.replace(257, 5, "ustar");
  const Content rows[] = {
      {"zip archive such as torch.save writes", std::string("PK\x03\x04\0\0\x08\x08\0\0archive/data.pkl", 27)},
      {"Python pickle", std::string("\x80\x02}q\0(X\x06\0\0\0weight", 16)},
      {"Python pickle", "\x80\x04\x95"},
      {"Python pickle",
       std::string("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e", 15)},  // torch before 1.6
      {"Python pickle", "(dp0\nS'a'\n."},
      {"Python pickle", tar},
      {"GGUF file, which this version of Rubato does not read yet", std::string("GGUF\x03\0\0\0", 8)},
      {"git lfs pull", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n"},
      {"is a web page", "<!DOCTYPE html><html></html>"},
      {"is not a safetensors file", "something else"},
  };
  for (const auto& row : rows) EXPECT_SAYS(verdict(row.bytes), row.words);
  EXPECT_SAYS(verdict(rows[0].bytes), "weights_only=True");  // how to convert it
}

}  // namespace
}  // namespace rubato
