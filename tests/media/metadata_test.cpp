// Metadata in every container, in the sidecar, and in files that mean harm.
#include <gmock/gmock.h>
#include <zlib.h>

#include <nlohmann/json.hpp>

#include "pipelines/media/container_tags.h"
#include "tests/media/media_test_util.h"

namespace rubato::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class EveryContainer : public testing::TestWithParam<const char*> {};

TEST_P(EveryContainer, CarriesTheJobWithAnyText) {
  const Folder folder;
  const fs::path path = folder / GetParam();
  const int frames = path.extension() == ".png" ? 1 : 5;
  auto writer = VideoWriter::create(path, {.width = 32, .height = 32}, Overwrite::Never);
  ASSERT_TRUE(writer) << why(writer);
  FrameHasher hasher;
  for (int i = 0; i < frames; ++i) {
    const auto frame = clip_frame(32, 32, i);
    hasher.add(frame);
    ASSERT_TRUE((*writer)->add_frame(frame));
  }
  const std::string digest = hasher.hex();
  EXPECT_EQ((*writer)->frames_sha256(), digest);
  const auto paths = (*writer)->finish({kJobJson, "A lighthouse, seed 7"});
  ASSERT_TRUE(paths) << why(paths);
  EXPECT_EQ(paths->back(), sidecar_path(path));

  json want = json::parse(kJobJson);
  ASSERT_EQ(want["job"]["prompt"], kPrompt);
  want["frames_sha256"] = digest;
  want["frame_count"] = frames;
  const auto inside = find_metadata(path);
  ASSERT_TRUE(inside) << why(inside);
  EXPECT_EQ(inside->source, MetadataSource::Container);
  EXPECT_EQ(json::parse(inside->metadata.json), want);
  EXPECT_EQ(inside->metadata.comment, "A lighthouse, seed 7");
  EXPECT_EQ(json::parse(file_bytes(sidecar_path(path))), want);
}

TEST_P(EveryContainer, FallsBackToTheSidecarOnlyWithoutItsOwn) {
  const Folder folder;
  const fs::path path = folder / GetParam();
  ASSERT_TRUE(write_clip(path, {.width = 32, .height = 32, .sidecar = false}, 1, Overwrite::Never, {}));
  EXPECT_THAT(folder.names(), testing::ElementsAre(GetParam()));
  const auto none = find_metadata(path);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::CannotRead);
  EXPECT_THAT(none.error().message, HasSubstr("carries no Rubato metadata"));
  put_file(sidecar_path(path), R"({"job":{"seed":9}})");
  const auto beside = find_metadata(path);
  ASSERT_TRUE(beside) << why(beside);
  EXPECT_EQ(beside->source, MetadataSource::Sidecar);
  EXPECT_EQ(json::parse(beside->metadata.json)["job"]["seed"], 9);
}

TEST_P(EveryContainer, KeepsWhatIsTooLargeInTheSidecarAlone) {
  const Folder folder;
  const fs::path path = folder / GetParam();
  json large = {{"job", {{"seed", 7}}}};
  for (int i = 0; i < 80; ++i) large["trace"].push_back(std::string(60'000, 'x'));
  const auto written = write_clip(path, {.width = 32, .height = 32}, 1, Overwrite::Never, Metadata::from(large));
  ASSERT_TRUE(written) << why(written);
  const auto found = find_metadata(path);
  ASSERT_TRUE(found) << why(found);
  EXPECT_EQ(found->source, MetadataSource::Sidecar);
  EXPECT_EQ(json::parse(found->metadata.json)["trace"].size(), 80u);
}

INSTANTIATE_TEST_SUITE_P(All, EveryContainer, testing::Values("a.mp4", "a.webm", "a.gif", "a.webp", "a.png"),
                         [](const auto& param) { return std::string(param.param).substr(2); });

TEST(MetadataTest, ReplacingWithoutMetadataRemovesTheStaleSidecar) {
  const Folder folder;
  ASSERT_TRUE(write_clip(folder / "a.mp4", {.width = 32, .height = 32}, 1));
  ASSERT_TRUE(write_clip(folder / "a.mp4", {.width = 32, .height = 32}, 2, Overwrite::Always, {}));
  EXPECT_THAT(folder.names(), testing::ElementsAre("a.mp4"));
}

TEST(MetadataTest, SidecarNames) {
  EXPECT_EQ(sidecar_path("out/clip.mp4"), "out/clip.mp4.json");
  EXPECT_EQ(sidecar_path("out/frames/"), "out/frames.json");
}

TEST(MetadataTest, SharingLeavesOutPromptsAndPaths) {
  const json shared = without_prompt_and_paths(json::parse(
      R"({"job":{"prompt":"a secret","negative_prompt":"b","prompt_2":"c","model":"/home/jo/models/wan","seed":3,"image":"cat.png","out":"x.mp4"},
          "models":[{"name":"wan","root":"/home/jo/models/wan","sha256":"ff"}],"files":["/home/jo/a","b"]})"));
  EXPECT_EQ(shared,
            json::parse(R"({"job":{"model":"wan","seed":3},"models":[{"name":"wan","sha256":"ff"}],"files":["b"]})"));
}

TEST(MetadataTest, MissingFilesAndFoldersSaySo) {
  const Folder folder;
  EXPECT_EQ(find_metadata(folder / "none.mp4").error().code, ErrorCode::CannotRead);
  EXPECT_FALSE(find_metadata(folder.path()));
  put_file(folder / "note.txt", "just words");
  EXPECT_THAT(find_metadata(folder / "note.txt").error().message, HasSubstr("carries no Rubato metadata"));
}

// ---- Files that mean harm.

std::string chunk(const std::string& type, const std::string& data) {
  const auto be = [](std::uint32_t n) {
    return std::string{static_cast<char>(n >> 24), static_cast<char>(n >> 16), static_cast<char>(n >> 8),
                       static_cast<char>(n)};
  };
  const std::string body = type + data;
  return be(static_cast<std::uint32_t>(data.size())) + body +
         be(static_cast<std::uint32_t>(
             crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()))));
}

std::string deflated(const std::string& text) {
  uLongf size = compressBound(text.size());
  std::string out(size, '\0');
  compress2(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(text.data()), text.size(), 9);
  out.resize(size);
  return out;
}

// A small PNG with one more chunk after its header.
std::string png_with(const std::string& extra) {
  const Folder folder;
  EXPECT_TRUE(write_clip(folder / "a.png", {.width = 8, .height = 8}, 1, Overwrite::Never, {}));
  std::string png = file_bytes(folder / "a.png");
  return png.insert(33, extra);
}

Result<ContainerTags> tags_of(const std::string& bytes) {
  auto source = ByteSource::memory(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
  return container_tags(source);
}

using namespace std::string_literals;

TEST(HostilePng, BombsAreRefusedInEveryTextChunk) {
  const std::string bomb = deflated(std::string(64u << 20, 'x'));  // 64 MiB in 65 KB
  for (const auto& extra : {chunk("zTXt", "rubato\0\0"s + bomb), chunk("iTXt", "rubato\0\1\0\0\0"s + bomb)}) {
    const auto found = tags_of(png_with(extra));
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ErrorCode::Corrupt);
    EXPECT_THAT(found.error().message, HasSubstr("inflates beyond"));
  }
  // Texts of others are not even inflated, neither for metadata nor for the picture.
  const Folder folder;
  put_file(folder / "b.png", png_with(chunk("zTXt", "Other\0\0"s + bomb)));
  EXPECT_FALSE(tags_of(file_bytes(folder / "b.png"))->rubato);
  EXPECT_EQ(read_image(folder / "b.png")->pixels, clip_frame(8, 8, 0));
}

TEST(HostilePng, PlainAndCompressedTextsOfOthersAreRead) {
  EXPECT_EQ(tags_of(png_with(chunk("tEXt", "rubato\0{}"s)))->rubato, "{}");
  EXPECT_EQ(tags_of(png_with(chunk("zTXt", "rubato\0\0"s + deflated("{\"a\":1}"))))->rubato, "{\"a\":1}");
  EXPECT_EQ(tags_of(png_with(chunk("iTXt", "rubato\0\0\0en\0Rubato\0{}"s)))->rubato, "{}");
}

TEST(HostilePng, DamageIsNamed) {
  std::string flipped = png_with(chunk("tEXt", "rubato\0{}"s));
  flipped[33 + 8 + 7] ^= 1;
  EXPECT_THAT(tags_of(flipped).error().message, HasSubstr("checksum"));
  EXPECT_FALSE(tags_of(png_with(chunk("iTXt", "rubato\0\1"s))));
  EXPECT_FALSE(tags_of(png_with(chunk("zTXt", "rubato\0\0cut"s))));
  EXPECT_FALSE(tags_of(png_with(chunk("zTXt", "rubato\0\7"s + deflated("{}")))));
}

TEST(HostileJson, WrongMetadataIsCorruptNotTrusted) {
  const Folder folder;
  for (const auto& text : {"[1,2]"s, "{\"a\":1,\"a\":2}"s, "{broken"s, "{\"a\":\"\xff\"}"s, std::string(5000, '[')}) {
    put_file(folder / "a.png", png_with(chunk("tEXt", "rubato\0"s + text)));
    const auto found = find_metadata(folder / "a.png");
    ASSERT_FALSE(found) << text.substr(0, 40);
    EXPECT_EQ(found.error().code, ErrorCode::Corrupt);
  }
}

TEST(HostileContainers, EveryPrefixAndEveryFlipIsSurvived) {
  const Folder folder;
  for (const char* name : {"a.mp4", "a.webm", "a.gif", "a.webp", "a.png"}) {
    ASSERT_TRUE(write_clip(folder / name, {.width = 16, .height = 16}, 1));
    const std::string good = file_bytes(folder / name);
    ASSERT_TRUE(tags_of(good)->rubato) << name;
    for (std::size_t n = 0; n < good.size(); n += 1 + n / 200) {
      (void)tags_of(good.substr(0, n));
      for (const int bit : {0x01, 0x80, 0xff}) {
        std::string bad = good;
        bad[n] = static_cast<char>(bad[n] ^ bit);
        (void)tags_of(bad);
      }
    }
  }
}

}  // namespace
}  // namespace rubato::test
