#include "engine/files/pipeline_folder.h"

#include <gtest/gtest.h>

#include "tests/support/model_files.h"

namespace rubato {
namespace {
namespace fs = std::filesystem;
using test::TempFolder;

#define EXPECT_SAYS(text, words) EXPECT_NE((text).find(words), std::string::npos) << (text)

TEST(PipelineFolderTest, OpensACompleteFolder) {
  const TempFolder dir;
  const auto root = test::write_pipeline(dir, "wan");
  for (const auto& given : {root, root / "model_index.json"}) {
    const auto pipeline = PipelineFolder::open(given).value();
    EXPECT_EQ(pipeline.root, root);
    EXPECT_EQ(pipeline.class_name, "WanPipeline");
    EXPECT_EQ(pipeline.components.size(), 5u) << "the null transformer_2 is dropped";
    EXPECT_EQ(pipeline.find("transformer_2"), nullptr);
    EXPECT_EQ(pipeline.find("vae")->library, "diffusers");
    EXPECT_EQ(pipeline.find("vae")->class_name, "AutoencoderKLWan");
    EXPECT_EQ(pipeline.find("vae")->folder, root / "vae");
    EXPECT_DOUBLE_EQ(pipeline.index["boundary_ratio"].get<double>(), 0.875);
    EXPECT_FALSE(pipeline.index["expand_timesteps"].get<bool>());
    EXPECT_DOUBLE_EQ(pipeline.config("scheduler").value()["flow_shift"].get<double>(), 3.0);
    EXPECT_EQ(pipeline.config("tokenizer").value()["tokenizer_class"].get<std::string>(), "T5Tokenizer");
    EXPECT_GT(pipeline.weight_bytes("transformer").value(), 1536u * 64 * 4);
    EXPECT_EQ(pipeline.weight_bytes("scheduler").value(), 0u);
  }
}

TEST(PipelineFolderTest, NamesEveryMissingFileAtOnce) {
  const TempFolder dir;
  const auto root = test::write_pipeline(dir, "wan");
  fs::remove_all(root / "tokenizer");
  fs::remove(root / "vae/config.json");
  fs::remove(root / "vae/diffusion_pytorch_model.safetensors");
  fs::remove(root / "scheduler/scheduler_config.json");
  const auto opened = PipelineFolder::open(root);
  EXPECT_EQ(opened.error().code, ErrorCode::ModelMissing);
  const std::string& text = opened.error().message;
  EXPECT_SAYS(text, "the folder " + (root / "tokenizer").string());
  EXPECT_SAYS(text, (root / "vae/config.json").string() + " is missing");
  EXPECT_SAYS(text, (root / "vae/diffusion_pytorch_model.safetensors").string());
  EXPECT_SAYS(text, (root / "scheduler/scheduler_config.json").string() + " is missing");
  EXPECT_EQ(text.find("text_encoder"), std::string::npos) << text;

  std::vector<PipelineFolder::Missing> missing;
  ASSERT_TRUE(PipelineFolder::open_incomplete(root, missing).ok());
  EXPECT_EQ(missing.size(), 4u);
}

TEST(PipelineFolderTest, NamesMissingShardsAndRefusesPickles) {
  const TempFolder dir;
  const auto root = test::write_pipeline(dir, "wan");
  fs::remove(root / "text_encoder/model.safetensors");
  dir.write("wan/text_encoder/model.safetensors.index.json",
            R"({"weight_map": {"a": "model-00001-of-00001.safetensors"}})");
  fs::remove(root / "vae/diffusion_pytorch_model.safetensors");
  dir.write("wan/vae/diffusion_pytorch_model.bin", "\x80\x04\x95");
  const std::string text = PipelineFolder::open(root).error().message;
  EXPECT_SAYS(text, (root / "text_encoder/model-00001-of-00001.safetensors").string());
  EXPECT_SAYS(text, "diffusion_pytorch_model.bin is a Python pickle");
}

TEST(PipelineFolderTest, SaysWhatIsWrongWithAFolder) {
  const TempFolder dir;
  EXPECT_SAYS(PipelineFolder::open(dir / "none").error().message, "there is no model folder");
  EXPECT_SAYS(PipelineFolder::open(dir.path()).error().message, "model_index.json is missing");
  EXPECT_SAYS(PipelineFolder::open(dir.write("one.safetensors", "")).error().message, "is a single file");
  const auto verdict = [&](std::string_view index) {
    dir.write("m/model_index.json", index);
    return PipelineFolder::open(dir / "m").error().message;
  };
  EXPECT_SAYS(verdict("{"), "line 1");
  EXPECT_SAYS(verdict("[]"), "is not a JSON object");
  EXPECT_SAYS(verdict(R"({"vae": ["diffusers", "X"]})"), "has no _class_name");
  EXPECT_SAYS(verdict(R"({"_class_name": "WanPipeline", "vae": [null, null]})"), "names no components");
  EXPECT_SAYS(verdict(R"({"_class_name": "WanPipeline", "../vae": ["diffusers", "X"]})"), "not a folder name");
}

TEST(PipelineFolderTest, SaysWhichConfigurationCannotBeRead) {
  const TempFolder dir;
  const auto pipeline = PipelineFolder::open(test::write_pipeline(dir, "wan")).value();
  dir.write("wan/vae/config.json", "[1]");
  EXPECT_SAYS(pipeline.config("vae").error().message, "vae/config.json is not a JSON object");
  fs::remove(dir / "wan/vae/config.json");
  EXPECT_SAYS(pipeline.config("vae").error().message, "vae/config.json");
  EXPECT_SAYS(pipeline.config("image_encoder").error().message, "has no 'image_encoder'; it has scheduler, ");
}

}  // namespace
}  // namespace rubato
