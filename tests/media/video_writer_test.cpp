// Every kind of output: written, read back, measured.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/media/media_test_util.h"

namespace rubato::test {
namespace {

using testing::HasSubstr;

struct Kind {
  const char* file;
  const char* container;
  const char* codec;
  VideoCodec choice;
  double min_psnr;
};

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.file; }

class EveryKind : public testing::TestWithParam<Kind> {};

TEST_P(EveryKind, ComesBackAsItWasWritten) {
  const Kind kind = GetParam();
  const Folder folder;
  const VideoFormat format{.width = 96, .height = 64, .fps_num = 16, .codec = kind.choice};
  const int count = 33;
  const auto written = write_clip(folder / kind.file, format, count);
  ASSERT_TRUE(written) << why(written);
  EXPECT_EQ(written->front(), folder / kind.file);

  const auto info = probe(folder / kind.file);
  ASSERT_TRUE(info) << why(info);
  EXPECT_EQ(info->container, kind.container);
  EXPECT_EQ(info->codec, kind.codec);
  EXPECT_EQ(info->width, 96);
  EXPECT_EQ(info->height, 64);
  EXPECT_EQ(info->frames, count);
  EXPECT_NEAR(info->fps(), 16, 0.2);
  EXPECT_NEAR(info->duration_s, count / 16.0, 0.03);
  if (info->container == "mp4" || info->container == "webm") {
    EXPECT_LE(info->max_keyframe_gap_s, 1.001) << "a key frame at least every second";
  }
  EXPECT_FALSE(info->has_audio);

  const auto frames = read_frames(folder / kind.file);
  ASSERT_TRUE(frames) << why(frames);
  ASSERT_EQ(frames->count, count);
  for (int i = 0; i < count; ++i) {
    EXPECT_GE(psnr(frames->frame(i), clip_frame(96, 64, i)), kind.min_psnr) << "frame " << i;
    EXPECT_NEAR(frames->times_s[static_cast<std::size_t>(i)], i / 16.0, 0.011) << "frame " << i;
  }
}

TEST_P(EveryKind, GivesTheSameBytesAgain) {
  const Folder folder;
  const VideoFormat format{.width = 96, .height = 64, .codec = GetParam().choice};
  fs::create_directory(folder / "a");
  fs::create_directory(folder / "b");
  ASSERT_TRUE(write_clip(folder / "a" / GetParam().file, format, 20));
  ASSERT_TRUE(write_clip(folder / "b" / GetParam().file, format, 20));
  EXPECT_TRUE(file_bytes(folder / "a" / GetParam().file) == file_bytes(folder / "b" / GetParam().file));
}

TEST_P(EveryKind, WritesOneFrame) {
  const Folder folder;
  const auto written = write_clip(folder / GetParam().file, {.width = 96, .height = 64, .codec = GetParam().choice}, 1);
  ASSERT_TRUE(written) << why(written);
  const auto frames = read_frames(folder / GetParam().file);
  ASSERT_TRUE(frames) << why(frames);
  EXPECT_EQ(frames->count, 1);
  EXPECT_GE(psnr(frames->frame(0), clip_frame(96, 64, 0)), GetParam().min_psnr);
}

TEST_P(EveryKind, LeavesNothingWithoutFinish) {
  const Folder folder;
  {
    auto writer = VideoWriter::create(folder / GetParam().file, {.width = 96, .height = 64, .codec = GetParam().choice},
                                      Overwrite::Never);
    ASSERT_TRUE(writer) << why(writer);
    for (int i = 0; i < 20; ++i) ASSERT_TRUE((*writer)->add_frame(clip_frame(96, 64, i)));
    EXPECT_FALSE(fs::exists(folder / GetParam().file));
  }
  EXPECT_TRUE(folder.names().empty());
}

TEST_P(EveryKind, RefusesAnExistingOutputAndReplacesItOnRequest) {
  const Folder folder;
  const VideoFormat format{.width = 96, .height = 64, .codec = GetParam().choice};
  put_file(folder / GetParam().file, "mine");
  const auto refused = VideoWriter::create(folder / GetParam().file, format, Overwrite::Never);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::OutputExists);
  EXPECT_EQ(file_bytes(folder / GetParam().file), "mine");
  const auto replaced = write_clip(folder / GetParam().file, format, 3, Overwrite::Always);
  ASSERT_TRUE(replaced) << why(replaced);
  EXPECT_TRUE(probe(folder / GetParam().file));
}

INSTANTIATE_TEST_SUITE_P(All, EveryKind,
                         testing::Values(Kind{"clip.mp4", "mp4", "h264", VideoCodec::Auto, 40},
                                         Kind{"clip.webm", "webm", "vp9", VideoCodec::Auto, 40},
                                         Kind{"av1.webm", "webm", "av1", VideoCodec::Av1, 40},
                                         Kind{"clip.gif", "gif", "gif", VideoCodec::Auto, 30},
                                         Kind{"clip.webp", "webp", "webp", VideoCodec::Auto, 38}),
                         [](const auto& param) {
                           std::string name = param.param.file;
                           std::erase(name, '.');
                           return name;
                         });

TEST(Mp4Output, IsTaggedBt709WithTheIndexInFront) {
  const Folder folder;
  ASSERT_TRUE(write_clip(folder / "clip.mp4", {.width = 96, .height = 64}, 5));
  const std::string bytes = file_bytes(folder / "clip.mp4");
  EXPECT_LT(bytes.find("moov"), bytes.find("mdat"));
  EXPECT_EQ(bytes.find("moof"), std::string::npos) << "no fragment is left";
  const auto colr = bytes.find("colrnclx");
  ASSERT_NE(colr, std::string::npos);
  EXPECT_EQ(bytes.substr(colr + 8, 7), std::string_view("\0\1\0\1\0\1\0", 7))
      << "primaries, transfer, matrix 1; limited range";
}

TEST(Mp4Output, NamesTheNearestEvenSizes) {
  const Folder folder;
  const auto refused = VideoWriter::create(folder / "clip.mp4", {.width = 127, .height = 65}, Overwrite::Never);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::JobInvalid);
  EXPECT_THAT(refused.error().message, HasSubstr("126x64 and 128x66"));
  EXPECT_TRUE(folder.names().empty());
}

TEST(OddSizes, GoIntoEveryOtherKind) {
  const Folder folder;
  for (const char* name : {"a.webm", "a.gif", "a.webp"}) {
    const auto written = write_clip(folder / name, {.width = 37, .height = 21}, 3);
    ASSERT_TRUE(written) << why(written);
    const auto frames = read_frames(folder / name);
    ASSERT_TRUE(frames) << why(frames);
    EXPECT_EQ(frames->width, 37);
    EXPECT_EQ(frames->height, 21);
    EXPECT_GE(psnr(frames->frame(2), clip_frame(37, 21, 2)), 30) << name;
  }
}

TEST(FrameRates, FractionsAndSlowOnesKeepTheirTimes) {
  const Folder folder;
  int number = 0;
  for (const auto& [num, den] : {std::pair{24000, 1001}, std::pair{1, 2}, std::pair{60, 1}}) {
    const fs::path path = folder / ("clip" + std::to_string(number++) + ".mp4");
    ASSERT_TRUE(write_clip(path, {.width = 32, .height = 32, .fps_num = num, .fps_den = den}, 5));
    const auto info = probe(path);
    ASSERT_TRUE(info) << why(info);
    const double fps = static_cast<double>(num) / den;
    EXPECT_NEAR(info->fps(), fps, 0.01 * fps);
    EXPECT_NEAR(info->duration_s, 5 / fps, 0.01 / fps);
  }
}

TEST(PngOutput, OneFrameIsExact) {
  const Folder folder;
  const auto written = write_clip(folder / "still.png", {.width = 33, .height = 17}, 1);
  ASSERT_TRUE(written) << why(written);
  const auto image = read_image(folder / "still.png");
  ASSERT_TRUE(image) << why(image);
  EXPECT_EQ(image->pixels, clip_frame(33, 17, 0));
}

TEST(PngOutput, ManyFramesForOneFileAreRefusedEarlyAndLate) {
  const Folder folder;
  const auto early =
      check_output(folder / "still.png", {.width = 16, .height = 16, .expected_frames = 65}, Overwrite::Never);
  ASSERT_FALSE(early);
  EXPECT_THAT(early.error().message, HasSubstr("still_####.png"));
  const auto late = write_clip(folder / "still.png", {.width = 16, .height = 16}, 2);
  ASSERT_FALSE(late);
  EXPECT_THAT(late.error().message, HasSubstr("still_####.png"));
  EXPECT_TRUE(folder.names().empty());
}

TEST(PngFrames, ATemplateNumbersFromZero) {
  for (const char* name : {"shot_####.png", "shot_%04d.png"}) {
    const Folder folder;
    const auto written = write_clip(folder / name, {.width = 16, .height = 16}, 3);
    ASSERT_TRUE(written) << why(written);
    EXPECT_THAT(folder.names(), testing::UnorderedElementsAre("shot_0000.png", "shot_0001.png", "shot_0002.png",
                                                              std::string(name) + ".json"));
    EXPECT_EQ(read_image(folder / "shot_0002.png")->pixels, clip_frame(16, 16, 2));
    const auto again = write_clip(folder / name, {.width = 16, .height = 16}, 3);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::OutputExists);
  }
}

TEST(PngFrames, AFolderAppearsAtOnce) {
  const Folder folder;
  const fs::path target = folder / "frames/";
  {
    auto writer = VideoWriter::create(target, {.width = 16, .height = 16}, Overwrite::Never);
    ASSERT_TRUE(writer) << why(writer);
    for (int i = 0; i < 4; ++i) ASSERT_TRUE((*writer)->add_frame(clip_frame(16, 16, i)));
    EXPECT_FALSE(fs::exists(folder / "frames"));
    const auto paths = (*writer)->finish({kJobJson, ""});
    ASSERT_TRUE(paths) << why(paths);
    EXPECT_EQ(paths->size(), 5u);
  }
  EXPECT_THAT(folder.names(), testing::ElementsAre("frames", "frames.json"));
  EXPECT_EQ(read_image(folder / "frames/frame_0003.png")->pixels, clip_frame(16, 16, 3));

  EXPECT_EQ(write_clip(target, {.width = 16, .height = 16}, 2).error().code, ErrorCode::OutputExists);
  ASSERT_TRUE(write_clip(target, {.width = 16, .height = 16}, 2, Overwrite::Always));
  EXPECT_FALSE(fs::exists(folder / "frames/frame_0003.png")) << "a shorter clip leaves no older frame behind";
  put_file(folder / "frames/letter.txt", "mine");
  const auto mixed = write_clip(target, {.width = 16, .height = 16}, 2, Overwrite::Always);
  ASSERT_FALSE(mixed);
  EXPECT_THAT(mixed.error().message, HasSubstr("letter.txt"));
  EXPECT_EQ(file_bytes(folder / "frames/letter.txt"), "mine");
}

TEST(OutputNames, UnknownExtensionsNameTheKnownAndTheNearest) {
  const auto wrong = container_of("clip.mp5");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::Usage);
  EXPECT_THAT(wrong.error().message, HasSubstr(".mp4, .webm, .gif, .webp, .png"));
  EXPECT_THAT(wrong.error().message, HasSubstr("did you mean '.mp4'?"));
  EXPECT_THAT(container_of("clip").error().message, HasSubstr("no extension"));
  EXPECT_EQ(*container_of("CLIP.MP4"), Container::Mp4);
  EXPECT_EQ(*container_of("a_##.png"), Container::PngFrames);
  EXPECT_EQ(*container_of("take #1, 100%.png"), Container::Png);
  EXPECT_THAT(codec_from_name("vp8").error().message, HasSubstr("did you mean 'vp9'?"));
}

TEST(OutputNames, CodecsAndContainersMustFit) {
  const auto vp9 = check_output("clip.mp4", {.width = 16, .height = 16, .codec = VideoCodec::Vp9}, Overwrite::Never);
  ASSERT_FALSE(vp9);
  EXPECT_THAT(vp9.error().message, HasSubstr(".webm"));
  EXPECT_FALSE(check_output("clip.gif", {.width = 16, .height = 16, .codec = VideoCodec::Av1}, Overwrite::Never));
  EXPECT_FALSE(check_output("clip.mp4", {.width = 16, .height = 16, .quality = 52}, Overwrite::Never));
  EXPECT_FALSE(check_output("clip.mp4", {.width = 0, .height = 16}, Overwrite::Never));
  EXPECT_FALSE(check_output("clip.mp4", {.width = 20000, .height = 16}, Overwrite::Never));
  EXPECT_FALSE(check_output("clip.mp4", {.width = 16, .height = 16, .fps_num = 0}, Overwrite::Never));
  EXPECT_FALSE(check_output("a_##_##.png", {.width = 16, .height = 16}, Overwrite::Never));
}

TEST(VideoWriterTest, NeedsAFrame) {
  const Folder folder;
  auto writer = VideoWriter::create(folder / "clip.mp4", {.width = 16, .height = 16}, Overwrite::Never);
  ASSERT_TRUE(writer) << why(writer);
  EXPECT_FALSE((*writer)->finish({kJobJson, ""}));
  writer->reset();
  EXPECT_TRUE(folder.names().empty());
}

TEST(VideoWriterTest, ReplacesASidecarOnlyOnRequest) {
  const Folder folder;
  put_file(folder / "clip.mp4.json", "mine");
  const auto refused = VideoWriter::create(folder / "clip.mp4", {.width = 16, .height = 16}, Overwrite::Never);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::OutputExists);
  EXPECT_EQ(file_bytes(folder / "clip.mp4.json"), "mine");
}

}  // namespace
}  // namespace rubato::test
