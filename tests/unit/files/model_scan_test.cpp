#include "engine/files/model_scan.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>

#include "engine/base/text.h"
#include "engine/files/content_hash.h"
#include "engine/files/pipeline_folder.h"
#include "tests/support/model_files.h"

namespace rubato {
namespace {
namespace fs = std::filesystem;
using test::TempFolder;
using test::wan_transformer;
using test::write_weights;

#define EXPECT_SAYS(text, words) EXPECT_NE((text).find(words), std::string::npos) << (text)

ModelScan scan(const TempFolder& dir, const fs::path& cache = {}) {
  const std::vector<fs::path> folders{dir.path()};
  return scan_models(folders, cache);
}

std::vector<std::string> names(const ModelScan& found) {
  std::vector<std::string> list;
  for (const auto& model : found.models) list.push_back(model.name);
  return list;
}

const ModelPart& part(const ModelEntry& model, std::string_view name) {
  for (const auto& p : model.parts)
    if (p.name == name) return p;
  throw std::runtime_error("no part " + std::string(name));
}

TEST(ModelScanTest, FindsPipelineFolders) {
  const TempFolder dir;
  const auto root = test::write_pipeline(dir, "deep/down/wan13");
  const auto found = scan(dir);
  ASSERT_EQ(names(found), std::vector<std::string>{"wan13"});
  const auto& model = found.models[0];
  EXPECT_TRUE(model.complete()) << model.summary();
  EXPECT_EQ(model.root, root);
  EXPECT_EQ(model.title, "Wan 2.1 T2V 1.3B");
  EXPECT_EQ(model.family, "wan");
  EXPECT_EQ(model.kind, "video");
  EXPECT_EQ(part(model, "transformer").weight_bytes,
            fs::file_size(root / "transformer/diffusion_pytorch_model.safetensors"));
  EXPECT_EQ(part(model, "scheduler").weight_bytes, 0u);
  EXPECT_GT(model.bytes, part(model, "transformer").weight_bytes);
  EXPECT_TRUE(found.problems.empty());
}

TEST(ModelScanTest, LeavesOutPipesAndNamesThatAreNoText) {
  const TempFolder dir;
  test::write_pipeline(dir, "fine");
  test::write_pipeline(dir, "two\nlines");
  test::write_pipeline(dir, "latin-\xe9");
  ASSERT_EQ(::mkfifo((dir.path() / "pipe.safetensors").c_str(), 0600), 0);
  const auto found = scan(dir);
  EXPECT_EQ(names(found), std::vector<std::string>{"fine"});
  ASSERT_EQ(found.problems.size(), 3u);
  const auto all = found.problems[0] + "|" + found.problems[1] + "|" + found.problems[2];
  EXPECT_SAYS(all, "'two\\nlines' in");
  EXPECT_SAYS(all, "'latin-\\xe9' in");
  EXPECT_SAYS(all, "pipe.safetensors is a pipe or device");
  EXPECT_TRUE(is_printable_name(all));
}

TEST(ModelScanTest, NamesWhatAPipelineLacksAndWhatIsDamaged) {
  const TempFolder dir;
  const auto root = test::write_pipeline(dir, "wan");
  fs::remove_all(root / "text_encoder");
  fs::resize_file(root / "vae/diffusion_pytorch_model.safetensors", 400);
  const auto found = scan(dir);
  ASSERT_EQ(found.models.size(), 1u);
  EXPECT_FALSE(found.models[0].complete());
  const std::string text = found.models[0].summary();
  EXPECT_SAYS(text, "Wan 2.1 T2V 1.3B: scheduler yes, text_encoder: the folder " + (root / "text_encoder").string());
  EXPECT_SAYS(text, "transformer yes, vae yes; ");
  EXPECT_SAYS(text, (root / "vae/diffusion_pytorch_model.safetensors").string() + " is damaged");
}

TEST(ModelScanTest, ReadsTheCard) {
  const TempFolder dir;
  test::write_pipeline(dir, "video");
  dir.write("video/rubato.json", R"({"name": "practice-video", "title": "Practice video", "practice": true})");
  const auto found = scan(dir);
  ASSERT_EQ(names(found), std::vector<std::string>{"practice-video"});
  EXPECT_EQ(found.models[0].title, "Practice video");
  EXPECT_TRUE(found.models[0].practice);
  dir.write("video/rubato.json", "{");
  EXPECT_SAYS(scan(dir).models[0].problems.at(0), "rubato.json, line 1");
}

// A hub cache keeps blobs under their hashes and snapshots as links to them.
TEST(ModelScanTest, FindsTheSnapshotsOfAHubCache) {
  const TempFolder dir;
  const std::string cache = "hub/models--Wan-AI--Wan2.1-T2V-1.3B-Diffusers";
  for (const std::string revision : {"0123456789abcdef", "fedcba9876543210"}) {
    const auto real = test::write_pipeline(dir, "real-" + revision);
    for (const auto& entry : fs::recursive_directory_iterator(real)) {
      if (!entry.is_regular_file()) continue;
      const auto below = entry.path().lexically_relative(real);
      const auto link = dir / cache / "snapshots" / revision / below;
      std::string blob = revision + below.string();
      std::replace(blob.begin(), blob.end(), '/', '-');
      fs::create_directories(link.parent_path());
      fs::create_directories(dir / cache / "blobs");
      fs::rename(entry.path(), dir / cache / "blobs" / blob);
      fs::create_symlink(fs::path(below.has_parent_path() ? "../../../blobs" : "../../blobs") / blob, link);
    }
    fs::remove_all(real);
  }
  dir.write(cache + "/refs/main", "fedcba9876543210\n");
  const auto found = scan(dir);
  ASSERT_EQ(names(found), (std::vector<std::string>{"Wan-AI/Wan2.1-T2V-1.3B-Diffusers",
                                                    "Wan-AI/Wan2.1-T2V-1.3B-Diffusers@01234567"}));
  EXPECT_EQ(found.models[0].root.filename(), "fedcba9876543210") << "the revision that main names";
  for (const auto& model : found.models) EXPECT_TRUE(model.complete()) << model.summary();
  EXPECT_TRUE(found.problems.empty()) << found.problems[0];

  // Half a download: the link is there, its blob is not.
  fs::remove(dir / cache / "blobs/fedcba9876543210vae-diffusion_pytorch_model.safetensors");
  EXPECT_SAYS(scan(dir).models[0].summary(),
              "vae: " + (found.models[0].root / "vae/diffusion_pytorch_model.safetensors").string() +
                  " is a link that leads nowhere");
}

TEST(ModelScanTest, EndsInLoopsOfSymbolicLinks) {
  const TempFolder dir;
  const auto root = test::write_pipeline(dir, "a/wan");
  fs::create_directory_symlink(dir.path(), dir / "a/up");
  fs::create_directory_symlink(".", dir / "a/self");
  fs::create_directory_symlink(root, dir / "again");
  fs::create_symlink("ring2.safetensors", dir / "ring1.safetensors");
  fs::create_symlink("ring1.safetensors", dir / "ring2.safetensors");
  const std::vector<fs::path> twice{dir.path(), dir / "a", dir.path()};
  const auto found = scan_models(twice, {});
  EXPECT_EQ(found.models.size(), 1u) << "each real folder once";
  ASSERT_EQ(found.problems.size(), 2u);
  EXPECT_SAYS(found.problems[0], "leads nowhere");
}

TEST(ModelScanTest, GivesEqualFoldersDifferentNames) {
  const TempFolder dir;
  for (const std::string place : {"a", "b", "c/a"}) test::write_pipeline(dir, place + "/wan");
  EXPECT_EQ(names(scan(dir)), (std::vector<std::string>{"a/wan", "a/wan#2", "b/wan"}));
}

// ComfyUI keeps each part as a file of its own, under the authors' names.
TEST(ModelScanTest, GroupsLooseFilesByContent) {
  const TempFolder dir;
  const auto transformer = write_weights(dir, "comfy/diffusion_models/some_t2v.safetensors",
                                         {{"model.diffusion_model.patch_embedding.weight", {1536, 16, 1, 2, 2}},
                                          {"model.diffusion_model.blocks.0.self_attn.norm_q.weight", {1536}},
                                          {"model.diffusion_model.blocks.29.self_attn.norm_q.weight", {1536}}});
  write_weights(dir, "comfy/vae/v22.safetensors",
                {{"conv2.weight", {48, 48, 1, 1, 1}}, {"decoder.head.0.gamma", {256, 1, 1, 1}}});
  write_weights(dir, "comfy/vae/hunyuan.safetensors",
                {{"post_quant_conv.weight", {16, 16, 1, 1, 1}}, {"decoder.conv_norm_out.weight", {128}}});
  write_weights(dir, "comfy/text_encoders/t5.safetensors",
                {{"shared.weight", {4, 4096}},
                 {"encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", {32, 64}}});
  auto found = scan(dir);
  ASSERT_EQ(names(found), std::vector<std::string>{"some_t2v"});
  EXPECT_FALSE(found.models[0].complete());
  EXPECT_EQ(found.models[0].form, ModelEntry::Form::LooseFiles);
  EXPECT_EQ(found.models[0].root, transformer);
  EXPECT_EQ(found.models[0].summary(),
            "Wan 2.1 T2V 1.3B: transformer yes, vae missing: expected a Wan 2.1 VAE of 16 channels such as "
            "wan_2.1_vae.safetensors, "
            "text_encoder missing: expected a UMT5-XXL encoder such as umt5_xxl_fp16.safetensors, "
            "tokenizer missing: expected the UMT5 tokenizer, tokenizer.json or spiece.model");

  const auto vae = write_weights(dir, "comfy/vae/v21.safetensors",
                                 {{"conv2.weight", {16, 16, 1, 1, 1}}, {"decoder.head.0.gamma", {96, 1, 1, 1}}});
  write_weights(dir, "comfy/text_encoders/umt5.safetensors",
                {{"shared.weight", {4, 4096}},
                 {"encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight", {32, 64}},
                 {"spiece_model", {100}}});
  found = scan(dir);
  ASSERT_EQ(found.models.size(), 1u);
  EXPECT_TRUE(found.models[0].complete()) << found.models[0].summary();
  EXPECT_EQ(part(found.models[0], "vae").path, vae);
  EXPECT_EQ(part(found.models[0], "tokenizer").path.filename(), "umt5.safetensors");
  EXPECT_EQ(part(found.models[0], "transformer").weight_bytes, 4u * (1536 * 16 * 4 + 2 * 1536));
}

TEST(ModelScanTest, PairsTheExpertsOfA14BAndNamesTheMissingOne) {
  const TempFolder dir;
  write_weights(dir, "m/wan2.2_t2v_low_noise_14B_fp16.safetensors", wan_transformer(5120, 40, 16));
  auto found = scan(dir);
  ASSERT_EQ(names(found), std::vector<std::string>{"wan2.2_t2v_14B_fp16"});
  EXPECT_SAYS(found.models[0].summary(), "Wan 2.2 T2V A14B: transformer missing: expected the high-noise expert");
  write_weights(dir, "m/wan2.2_t2v_high_noise_14B_fp16.safetensors", wan_transformer(5120, 40, 16));
  found = scan(dir);
  ASSERT_EQ(names(found), std::vector<std::string>{"wan2.2_t2v_14B_fp16"});
  EXPECT_EQ(part(found.models[0], "transformer").path.filename(), "wan2.2_t2v_high_noise_14B_fp16.safetensors");
  EXPECT_EQ(part(found.models[0], "transformer_2").path.filename(), "wan2.2_t2v_low_noise_14B_fp16.safetensors");
}

TEST(ModelScanTest, TellsThePicklesBesideAnOriginalCheckpoint) {
  const TempFolder dir;
  dir.write(
      "Wan2.1-T2V-14B/diffusion_pytorch_model.safetensors.index.json",
      R"({"weight_map": {"a": "diffusion_pytorch_model-00001-of-00002.safetensors", "b": "diffusion_pytorch_model-00002-of-00002.safetensors"}})");
  write_weights(dir, "Wan2.1-T2V-14B/diffusion_pytorch_model-00001-of-00002.safetensors",
                {{"patch_embedding.weight", {5120, 16, 1, 2, 2}}});
  write_weights(dir, "Wan2.1-T2V-14B/diffusion_pytorch_model-00002-of-00002.safetensors",
                {{"blocks.39.self_attn.norm_q.weight", {5120}}});
  dir.write("Wan2.1-T2V-14B/Wan2.1_VAE.pth", std::string("PK\x03\x04\0\0", 6));
  dir.write("Wan2.1-T2V-14B/firmware.bin", "of no concern");
  dir.write("Wan2.1-T2V-14B/google/umt5-xxl/spiece.model", "");
  const auto found = scan(dir);
  ASSERT_EQ(names(found), std::vector<std::string>{"Wan2.1-T2V-14B"});
  const auto& model = found.models[0];
  EXPECT_EQ(model.title, "Wan 2.1 T2V 14B");
  ASSERT_EQ(model.problems.size(), 1u);
  EXPECT_SAYS(model.problems[0], "Wan2.1_VAE.pth is a zip archive such as torch.save writes");
  EXPECT_EQ(part(model, "tokenizer").path.filename(), "umt5-xxl");
  EXPECT_TRUE(found.problems.empty()) << "what belongs to a model is told there";
}

TEST(ModelScanTest, ReportsFoldersThatAreNotThere) {
  const std::vector<fs::path> folders{"/none/at/all"};
  const auto found = scan_models(folders, {});
  ASSERT_EQ(found.problems.size(), 1u);
  EXPECT_SAYS(found.problems[0], "/none/at/all");
}

TEST(ModelScanTest, ReadsAHeaderOnceAndAgainWhenTheFileChanges) {
  const TempFolder dir, cache;
  test::write_pipeline(dir, "wan");
  write_weights(dir, "loose.safetensors", {{"a", {1}}});
  EXPECT_EQ(scan(dir, cache.path()).headers_read, 4u);
  const auto again = scan(dir, cache.path());
  EXPECT_EQ(again.headers_read, 0u);
  EXPECT_EQ(again.models.at(0).title, "Wan 2.1 T2V 1.3B");
  write_weights(dir, "loose.safetensors", {{"a", {2}}});
  EXPECT_EQ(scan(dir, cache.path()).headers_read, 1u);
  dir.write("loose.safetensors", "damaged");
  EXPECT_EQ(scan(dir, cache.path()).problems.size(), 1u);
  const auto warm = scan(dir, cache.path());
  EXPECT_EQ(warm.headers_read, 0u);
  EXPECT_EQ(warm.problems.size(), 1u) << "the cache keeps what is wrong too";
}

TEST(ModelScanTest, SurvivesADamagedCache) {
  const TempFolder dir, cache;
  test::write_pipeline(dir, "wan");
  const auto want = scan(dir).models[0].summary();
  const auto file = cache / "model_scan.json";
  scan(dir, cache.path());
  const std::string sound = test::slurp(file);
  for (const std::string& damage : {std::string("{"), std::string("[]"), std::string("\0\xFF", 2),
                                    sound.substr(0, sound.size() / 2), std::string(R"({"version": 999, "files": {}})"),
                                    std::string(R"({"version": 1, "files": {"x": [1, 2], "y": null}})")}) {
    cache.write("model_scan.json", damage);
    EXPECT_EQ(scan(dir, cache.path()).models.at(0).summary(), want) << damage;
    EXPECT_EQ(scan(dir, cache.path()).headers_read, 0u) << "it was written anew after: " << damage;
  }
  const TempFolder nowhere;
  EXPECT_EQ(scan(dir, nowhere.write("file", "") / "cache").models.size(), 1u) << "a cache that cannot be written";
}

// The promise is 20,000 files in under 2 s with a warm cache; this keeps it at a tenth of that, with room for slow
// machines.
TEST(ModelScanTest, RescansThousandsOfFilesQuickly) {
  const TempFolder dir, cache;
  for (int folder = 0; folder < 40; ++folder)
    for (int i = 0; i < 50; ++i) write_weights(dir, fmt::format("{}/w{}.safetensors", folder, i), {{"a", {1}}});
  EXPECT_EQ(scan(dir, cache.path()).headers_read, 2000u);
  const auto start = std::chrono::steady_clock::now();
  const auto warm = scan(dir, cache.path());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(warm.files, 2000u);
  EXPECT_EQ(warm.headers_read, 0u);
  EXPECT_LT(took.count(), 2.0);
}

TEST(ResolveModelTest, TakesPathsAndNames) {
  const TempFolder dir;
  const auto root = test::write_pipeline(dir, "models/Wan2.1-T2V");
  const auto practice = test::write_pipeline(dir, "practice/video");
  const ModelFolders where{{dir / "models"}, dir / "practice", {}};
  EXPECT_EQ(resolve_model(root.string(), where).value(), root);
  EXPECT_EQ(resolve_model((root / "model_index.json").string(), where).value(), root);
  EXPECT_EQ(resolve_model("Wan2.1-T2V", where).value(), root);
  EXPECT_EQ(resolve_model("wan2.1-t2v", where).value(), root);
  EXPECT_EQ(resolve_model("practice-video", where).value(), practice);

  const auto unknown = resolve_model("Wan2.1-TV2", where);
  EXPECT_EQ(unknown.error().code, ErrorCode::ModelMissing);
  EXPECT_SAYS(unknown.error().message, "did you mean 'Wan2.1-T2V'?");
  EXPECT_SAYS(resolve_model("/no/such/folder", where).error().message, "there is no model folder /no/such/folder");
  EXPECT_SAYS(resolve_model("anything", {}).error().message, "no models were found");
  EXPECT_FALSE(resolve_model("", where).ok());
}

TEST(ResolveModelTest, LeavesOutTheOrganisationOnlyWhereThatIsClear) {
  const TempFolder dir;
  const auto one = test::write_pipeline(dir, "models--A--wan/snapshots/1");
  EXPECT_EQ(resolve_model("wan", {{dir.path()}, {}, {}}).value(), one);
  test::write_pipeline(dir, "models--B--wan/snapshots/1");
  EXPECT_FALSE(resolve_model("wan", {{dir.path()}, {}, {}}).ok());
  EXPECT_EQ(resolve_model("A/wan", {{dir.path()}, {}, {}}).value(), one);
}

TEST(ResolveModelTest, SaysThatLooseFilesAreNoFolder) {
  const TempFolder dir;
  write_weights(dir, "t2v.safetensors", wan_transformer(1536, 30, 16));
  EXPECT_SAYS(resolve_model("t2v", {{dir.path()}, {}, {}}).error().message, "vae missing: expected");
  write_weights(dir, "vae.safetensors", {{"conv2.weight", {16, 16, 1, 1, 1}}, {"decoder.head.0.gamma", {96, 1, 1, 1}}});
  write_weights(
      dir, "umt5.safetensors",
      {{"shared.weight", {4, 4096}}, {"blocks.1.pos_embedding.embedding.weight", {32, 64}}, {"spiece_model", {100}}});
  const auto found = resolve_model("t2v", {{dir.path()}, {}, {}});
  EXPECT_EQ(found.error().code, ErrorCode::ModelUnfit);
  EXPECT_SAYS(found.error().message, "loose files");
}

TEST(ResolveModelTest, SaysWhatAnIncompleteModelLacks) {
  const TempFolder dir;
  const auto root = test::write_pipeline(dir, "wan-13");
  fs::remove(root / "vae/config.json");
  const auto found = resolve_model("wan-13", {{dir.path()}, {}, {}});
  EXPECT_EQ(found.error().code, ErrorCode::ModelMissing);
  EXPECT_SAYS(found.error().message, "vae: " + (root / "vae/config.json").string() + " is missing");
}

TEST(ContentHashTest, FollowsTheContentAndNotThePlace) {
  const TempFolder dir, cache;
  const auto hash = [&](const fs::path& root) {
    return model_content_hash(PipelineFolder::open(root).value(), cache.path()).value();
  };
  const auto a = test::write_pipeline(dir, "a"), b = test::write_pipeline(dir, "elsewhere/b");
  const std::string first = hash(a);
  EXPECT_EQ(first.size(), 64u);
  EXPECT_EQ(hash(b), first);
  dir.write("a/README.md", "words");
  dir.write("a/vae/README.md", "words");
  EXPECT_EQ(hash(a), first) << "words about a model do not change it";
  dir.write("a/vae/config.json", R"({"_class_name": "y"})");
  EXPECT_NE(hash(a), first);
  write_weights(dir, "elsewhere/b/vae/diffusion_pytorch_model.safetensors", {{"other", {1}}});
  EXPECT_NE(hash(b), first);
}

TEST(ContentHashTest, IsKeptInTheCache) {
  const TempFolder dir, cache;
  const auto root = test::write_pipeline(dir, "a");
  const auto pipeline = PipelineFolder::open(root).value();
  EXPECT_EQ(known_content_hash(pipeline, cache.path()), std::nullopt);
  const std::string first = model_content_hash(pipeline, cache.path()).value();
  EXPECT_EQ(known_content_hash(pipeline, cache.path()), first);
  EXPECT_TRUE(fs::exists(cache / "file_hashes.json"));
  EXPECT_EQ(model_content_hash(pipeline, cache.path()).value(), first);
  cache.write("file_hashes.json", "{broken");
  EXPECT_EQ(model_content_hash(pipeline, cache.path()).value(), first);
  EXPECT_EQ(model_content_hash(pipeline, {}).value(), first);
}

TEST(ContentHashTest, MayBeStopped) {
  const TempFolder dir, cache;
  const auto pipeline = PipelineFolder::open(test::write_pipeline(dir, "a")).value();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(model_content_hash(pipeline, cache.path(), stop.get_token()).error().code, ErrorCode::Cancelled);
}

}  // namespace
}  // namespace rubato
