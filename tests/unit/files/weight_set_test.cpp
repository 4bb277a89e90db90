#include "engine/files/weight_set.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/files/pipeline_folder.h"
#include "tests/support/model_files.h"

namespace rubato {
namespace {
namespace fs = std::filesystem;
using test::TempFolder;
using test::write_weights;

#define EXPECT_SAYS(text, words) EXPECT_NE((text).find(words), std::string::npos) << (text)

std::string error_of(const fs::path& path) {
  const auto set = WeightSet::open(path);
  return set.ok() ? "fine" : set.error().message;
}

TEST(WeightSetTest, OpensASingleFileByEitherName) {
  for (const auto* name : {"diffusion_pytorch_model.safetensors", "model.safetensors"}) {
    const TempFolder dir;
    const auto file = write_weights(dir, name, {{"a", {2, 3}}, {"b", {4}}});
    for (const auto& path : {dir.path(), file}) {
      const auto set = WeightSet::open(path).value();
      ASSERT_EQ(set.entries().size(), 2u);
      EXPECT_EQ(set.total_bytes(), 40u);
      EXPECT_EQ(set.find("a")->bytes().size(), 24u);
      EXPECT_EQ(set.find("c"), nullptr);
    }
  }
}

TEST(WeightSetTest, PrefersThePlainFileAndTakesAVariantWhereItIsTheOnlyOne) {
  const TempFolder dir;
  write_weights(dir, "model.fp16.safetensors", {{"half", {1}}});
  EXPECT_NE(WeightSet::open(dir.path()).value().find("half"), nullptr);
  write_weights(dir, "model.bf16.safetensors", {{"brain", {1}}});
  EXPECT_SAYS(error_of(dir.path()), "several versions of its weights (model.bf16.safetensors, model.fp16.safetensors)");
  write_weights(dir, "model.safetensors", {{"whole", {1}}});
  EXPECT_NE(WeightSet::open(dir.path()).value().find("whole"), nullptr);
}

constexpr const char* kIndex =
    R"({"metadata": {"total_size": 12}, "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors", "c": "model-00002-of-00002.safetensors"}})";

TEST(WeightSetTest, JoinsShardsByTheirIndex) {
  for (const auto* index : {"model.safetensors.index.json", "model.safetensors.index.fp16.json"}) {
    const TempFolder dir;
    dir.write(index, kIndex);
    write_weights(dir, "model-00001-of-00002.safetensors", {{"a", {1}}, {"unlisted", {5}}});
    write_weights(dir, "model-00002-of-00002.safetensors", {{"b", {1}}, {"c", {1}}});
    const auto set = WeightSet::open(dir.path()).value();
    EXPECT_EQ(set.entries().size(), 3u);
    EXPECT_EQ(set.files().size(), 2u);
    EXPECT_EQ(set.total_bytes(), 12u);
    EXPECT_NE(set.find("a")->file, set.find("b")->file);
    EXPECT_EQ(set.find("b")->file, set.find("c")->file);
  }
}

TEST(WeightSetTest, FollowsTheLinksOfAHubCache) {
  const TempFolder dir;
  write_weights(dir, "blobs/abc", {{"a", {1}}});
  fs::create_directories(dir / "snapshots/1/vae");
  fs::create_symlink("../../../blobs/abc", dir / "snapshots/1/vae/model.safetensors");
  EXPECT_EQ(WeightSet::open(dir / "snapshots/1/vae").value().entries().size(), 1u);
}

TEST(WeightSetTest, NamesAllMissingShards) {
  const TempFolder dir;
  dir.write("model.safetensors.index.json", kIndex);
  const auto set = WeightSet::open(dir.path());
  EXPECT_EQ(set.error().code, ErrorCode::ModelMissing);
  EXPECT_SAYS(set.error().message, "2 of the 2 files");
  EXPECT_SAYS(set.error().message, (dir / "model-00001-of-00002.safetensors").string());
  EXPECT_SAYS(set.error().message, (dir / "model-00002-of-00002.safetensors").string());
}

TEST(WeightSetTest, NamesDamagedShardsAndMissingTensorsTogether) {
  const TempFolder dir;
  dir.write("model.safetensors.index.json", kIndex);
  dir.write("model-00001-of-00002.safetensors", "nothing of use");
  write_weights(dir, "model-00002-of-00002.safetensors", {{"b", {1}}});
  const std::string text = error_of(dir.path());
  EXPECT_SAYS(text, "(2 problems)");
  EXPECT_SAYS(text, "model-00001-of-00002.safetensors is not a safetensors file");
  EXPECT_SAYS(text, "tensor 'c' is not in model-00002-of-00002.safetensors");
}

TEST(WeightSetTest, RefusesIndexesThatAreNotOne) {
  const TempFolder dir;
  const auto index = [&](std::string_view text) { return error_of(dir.write("model.safetensors.index.json", text)); };
  EXPECT_SAYS(index("{"), "line 1");
  EXPECT_SAYS(index("[]"), "has no weight_map");
  EXPECT_SAYS(index(R"({"weight_map": {}})"), "has no weight_map");
  EXPECT_SAYS(index(R"({"weight_map": {"a": 1}})"), "'a' names no file");
  for (const auto* bad : {"../secret.safetensors", "/etc/passwd", "a\\\\b", "..", "", "a\\u0000b"})
    EXPECT_SAYS(index(R"({"weight_map": {"a": ")" + std::string(bad) + "\"}}"), "not a plain file name");
}

TEST(WeightSetTest, ATruncatedFileIsOneProblemHoweverManyTensorsItLost) {
  const TempFolder dir;
  std::vector<test::ShapeOf> tensors;
  for (int i = 0; i < 500; ++i) tensors.push_back({fmt::format("blocks.{:03}.weight", i), {16}});
  const auto file = write_weights(dir, "model.safetensors", tensors);
  fs::resize_file(file, fs::file_size(file) - 64 * 300);
  const auto text = error_of(dir.path());
  EXPECT_SAYS(text, "'blocks.200.weight' ends at byte 12864 of the data and 299 more lie beyond it");
  EXPECT_LT(text.size(), file.string().size() + 200);
}

TEST(WeightSetTest, ChecksEveryComponentByItsHeaders) {
  const TempFolder dir;
  const auto root = test::write_pipeline(dir, "wan");
  const auto pipeline = PipelineFolder::open(root).value();
  EXPECT_TRUE(check_weight_files(pipeline).ok());
  for (const auto* part : {"transformer", "vae"}) {
    const auto file = root / part / "diffusion_pytorch_model.safetensors";
    fs::resize_file(file, fs::file_size(file) - 1);
  }
  const auto checked = check_weight_files(pipeline);
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().code, ErrorCode::ModelUnfit);
  EXPECT_SAYS(checked.error().message, (root / "transformer").string());
  EXPECT_SAYS(checked.error().message, (root / "vae").string());
}

TEST(WeightSetTest, SaysWhatIsMissing) {
  const TempFolder dir;
  EXPECT_SAYS(error_of(dir / "none"), "does not exist");
  EXPECT_SAYS(error_of(dir.path()),
              (dir / "diffusion_pytorch_model.safetensors").string() + " (or model.safetensors beside it) is missing");
  write_weights(dir, "model-00001-of-00003.safetensors", {{"a", {1}}});
  EXPECT_SAYS(error_of(dir.path()), "no *.safetensors.index.json");
}

TEST(WeightSetTest, RefusesPicklesWhateverTheyAreCalled) {
  const std::string zip("PK\x03\x04\0\0\0\0", 8);
  for (const auto* name :
       {"diffusion_pytorch_model.bin", "pytorch_model.bin", "weights.pth", "model.ckpt", "model.safetensors"}) {
    const TempFolder dir;
    dir.write(name, zip);
    const auto set = WeightSet::open(dir.path());
    EXPECT_EQ(set.error().code, ErrorCode::ModelUnfit);
    EXPECT_SAYS(set.error().message, name);
    EXPECT_SAYS(set.error().message, "save_file");
  }
}

TEST(WeightSetTest, TakesSafetensorsUnderAnotherName) {
  const TempFolder dir;
  write_weights(dir, "pytorch_model.bin", {{"a", {1}}});
  EXPECT_EQ(error_of(dir.path()), "fine");
}

}  // namespace
}  // namespace rubato
