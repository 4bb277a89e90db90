// Full disks, dead processes and damaged files.
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdlib>

#include "tests/media/media_test_util.h"

namespace rubato::test {
namespace {

using testing::HasSubstr;

// Exit code of `body` in a child process; -signal if one ended it.
template <typename Body>
int in_child(const Body& body) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

class KilledRender : public testing::TestWithParam<const char*> {};

TEST_P(KilledRender, LeavesNothingUnderTheFinalNameAndATemporaryThatPlays) {
  const Folder folder;
  const int frames = 100;
  const int code = in_child([&] {
    auto writer = VideoWriter::create(folder / GetParam(), {.width = 64, .height = 64, .fps_num = 8}, Overwrite::Never);
    if (!writer) return 1;
    for (int i = 0; i < frames; ++i)
      if (!(*writer)->add_frame(clip_frame(64, 64, i))) return 2;
    ::kill(::getpid(), SIGKILL);
    return 3;
  });
  ASSERT_EQ(code, -SIGKILL);
  const auto names = folder.names();
  ASSERT_EQ(names.size(), 1u);
  EXPECT_THAT(names[0], testing::StartsWith("." + std::string(GetParam())));
  EXPECT_THAT(names[0], testing::EndsWith(".tmp"));

  const auto saved = read_frames(folder / names[0]);
  ASSERT_TRUE(saved) << why(saved);
  EXPECT_GE(saved->count, frames / 2) << "all but what the encoder still looks ahead at";
  for (std::int64_t i = 0; i < saved->count; ++i)
    EXPECT_GE(psnr(saved->frame(i), clip_frame(64, 64, static_cast<int>(i))), 36) << i;
  const std::string play = "ffmpeg -v error -i '" + (folder / names[0]).string() + "' -f null - 2>&1";
  EXPECT_EQ(std::system(play.c_str()), 0) << "other players take it as well";
}

INSTANTIATE_TEST_SUITE_P(Streams, KilledRender, testing::Values("clip.mp4", "clip.webm"),
                         [](const auto& param) { return std::string(param.param).substr(5); });

// A file system of `size` mounted on `folder` for this process alone; false where that is not allowed.
bool mount_small_disk(const fs::path& folder, const char* size) {
  if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  return ::mount("tmpfs", folder.c_str(), "tmpfs", 0, size) == 0;
}

class FullDisk : public testing::TestWithParam<const char*> {};

TEST_P(FullDisk, IsSaidAndLeavesNothing) {
  const Folder folder;
  constexpr int kNoMount = 77;
  const int code = in_child([&] {
    if (!mount_small_disk(folder.path(), "size=64k")) return kNoMount;
    auto writer = VideoWriter::create(
        folder / GetParam(),
        {.width = 256, .height = 256, .quality = std::string_view(GetParam()).ends_with(".mp4") ? 0 : -1},
        Overwrite::Never);
    if (!writer) return 1;
    Result<> added;
    for (int i = 0; i < 40 && added; ++i) {
      auto noise = clip_frame(256, 256, i);
      for (std::size_t k = 0; k < noise.size(); ++k)
        noise[k] = static_cast<std::uint8_t>(noise[k] + (k * 2654435761u * static_cast<unsigned>(i + 1) >> 13) % 64);
      added = (*writer)->add_frame(noise);
    }
    Error error = added ? Error{} : added.error();
    if (added) {
      const auto finished = (*writer)->finish({kJobJson, ""});
      if (finished) return 2;
      error = finished.error();
    }
    writer->reset();
    if (error.code != ErrorCode::CannotWrite) return 3;
    if (error.message.find("the disk is full") == std::string::npos) return 4;
    return folder.names().empty() ? 0 : 5;
  });
  if (code == kNoMount) GTEST_SKIP() << "a small disk cannot be mounted here";
  EXPECT_EQ(code, 0);
}

INSTANTIATE_TEST_SUITE_P(Kinds, FullDisk, testing::Values("a.mp4", "a.webm", "a.gif", "a.webp", "a_##.png"),
                         [](const auto& param) { return "kind" + std::to_string(param.index); });

TEST(Folders, MissingAndReadOnlyOnesAreNamed) {
  const Folder folder;
  const auto missing = VideoWriter::create(folder / "none" / "a.mp4", {.width = 16, .height = 16}, Overwrite::Never);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::CannotWrite);
  EXPECT_THAT(missing.error().message, HasSubstr("does not exist"));
  EXPECT_FALSE(VideoWriter::create(folder / "none" / "a_##.png", {.width = 16, .height = 16}, Overwrite::Never));
  if (::geteuid() == 0) return;  // the super-user may write anywhere
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
  for (const char* name : {"a.mp4", "a_##.png", "frames/"}) {
    const auto refused = VideoWriter::create(folder / name, {.width = 16, .height = 16}, Overwrite::Never);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("not writable"));
  }
  fs::permissions(folder.path(), fs::perms::owner_all);
}

TEST(DamagedFiles, EveryCutGivesFramesOrAnError) {
  const Folder folder;
  for (const char* name : {"a.mp4", "a.webm", "a.gif", "a.webp", "a.png"}) {
    const bool png = std::string_view(name) == "a.png";
    ASSERT_TRUE(write_clip(folder / name, {.width = 32, .height = 32}, png ? 1 : 8, Overwrite::Never, {}));
    const std::string good = file_bytes(folder / name);
    for (int part = 0; part < 24; ++part) {
      put_file(folder / "cut", good.substr(0, good.size() * static_cast<std::size_t>(part) / 24));
      const auto frames = read_frames(folder / "cut");
      EXPECT_FALSE(png && frames) << "half a picture is no picture; part " << part;
      EXPECT_LE(frames ? frames->count : 0, 8) << name << " part " << part;
      EXPECT_THAT(frames ? "cut" : frames.error().message, HasSubstr("cut")) << "names the file";
      (void)probe(folder / "cut");
    }
  }
}

TEST(DamagedFiles, FlippedBytesAreSurvived) {
  const Folder folder;
  for (const char* name : {"a.mp4", "a.webm", "a.gif", "a.webp", "a.png"}) {
    ASSERT_TRUE(write_clip(folder / name, {.width = 32, .height = 32}, 1, Overwrite::Never, {}));
    const std::string good = file_bytes(folder / name);
    for (std::size_t at = 0; at < good.size(); at += 1 + good.size() / 40) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 0xFF);
      put_file(folder / "bad", bad);
      (void)read_frames(folder / "bad");
      (void)probe(folder / "bad");
    }
  }
}

TEST(DamagedFiles, HugePicturesAreRefusedBeforeTheyAreAllocated) {
  const Folder folder;
  ASSERT_TRUE(write_clip(folder / "a.png", {.width = 8, .height = 8}, 1, Overwrite::Never, {}));
  std::string png = file_bytes(folder / "a.png");
  for (const std::size_t at : {16u, 20u})
    png.replace(at, 4, std::string("\0\x01\0\0", 4));  // 65536 x 65536; the checksum is wrong as well
  put_file(folder / "huge.png", png);
  const auto refused = read_image(folder / "huge.png");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("65536x65536"));
}

TEST(DamagedFiles, EmptyFilesFoldersAndFifosAreRefused) {
  const Folder folder;
  put_file(folder / "empty.mp4", "");
  EXPECT_EQ(probe(folder / "empty.mp4").error().code, ErrorCode::Corrupt);
  EXPECT_EQ(probe(folder.path()).error().code, ErrorCode::CannotRead);
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(probe(folder / "fifo").error().code, ErrorCode::CannotRead);
}

TEST(MediaReader, CollectsNoMoreThanItsBound) {
  const Folder folder;
  ASSERT_TRUE(write_clip(folder / "a.mp4", {.width = 32, .height = 32}, 8));
  const auto refused = read_frames(folder / "a.mp4", {.max_bytes = 3 * 32 * 32 * 3});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::OutOfMemory);
}

TEST(MediaReader, ReadsWhatOthersWrote) {
  const Folder folder;
  const auto made = [&](const std::string& name, const std::string& options) {
    const std::string command = "ffmpeg -v error -y -f lavfi -i testsrc2=s=64x48:d=0.5:r=10 " + options + " '" +
                                (folder / name).string() + "' 2>/dev/null";
    return std::system(command.c_str()) == 0;
  };
  ASSERT_TRUE(made("a.mkv", "-c:v libx264 -crf 1"));
  ASSERT_TRUE(made("a.avi", "-c:v mpeg4 -q:v 2"));
  ASSERT_TRUE(made("a.mov", "-f lavfi -i sine=d=0.5 -c:v libx264 -crf 1 -pix_fmt yuv444p"));
  // ffmpeg writes the matrix of a turned camera only when it copies.
  const std::string turn = "ffmpeg -v error -y -i '" + (folder / "a.mov").string() +
                           "' -c copy -metadata:s:v rotate=90 '" + (folder / "b.mov").string() + "'";
  ASSERT_EQ(std::system(turn.c_str()), 0);
  ASSERT_TRUE(made("a.jpg", "-frames:v 1 -q:v 1"));
  EXPECT_EQ(probe(folder / "a.mkv")->frames, 5);
  EXPECT_FALSE(probe(folder / "a.mkv")->has_audio);
  EXPECT_EQ(read_frames(folder / "a.avi")->count, 5);
  const auto upright = read_image(folder / "a.mkv");
  ASSERT_TRUE(upright) << why(upright);
  const auto jpeg = read_image(folder / "a.jpg");
  ASSERT_TRUE(jpeg) << why(jpeg);
  EXPECT_EQ(jpeg->width, 64);
  EXPECT_GE(psnr(jpeg->pixels, upright->pixels), 25);

  const auto info = probe(folder / "b.mov");
  ASSERT_TRUE(info) << why(info);
  EXPECT_TRUE(info->has_audio);
  EXPECT_EQ(info->width, 48);
  EXPECT_EQ(info->height, 64);
  const auto turned = read_image(folder / "b.mov");
  ASSERT_TRUE(turned) << why(turned);
  ASSERT_EQ(turned->width, 48);
  const std::string shown =
      "ffmpeg -v error -y -i '" + (folder / "b.mov").string() + "' -frames:v 1 '" + (folder / "b.png").string() + "'";
  ASSERT_EQ(std::system(shown.c_str()), 0);
  EXPECT_GE(psnr(turned->pixels, read_image(folder / "b.png")->pixels), 30) << "turned as ffmpeg shows it";
}

TEST(MediaReader, TurnsJpegsByTheirExifOrientation) {
  const Folder folder;
  const std::string command =
      "ffmpeg -v error -y -f lavfi -i testsrc2=s=64x48:d=0.1 -frames:v 1 -q:v 1 '" + (folder / "a.jpg").string() + "'";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const std::string plain = file_bytes(folder / "a.jpg");
  // An APP1 segment with one big-endian Exif entry: orientation 6, "turn clockwise to view".
  const std::string exif(
      "\xFF\xE1\0\x22"
      "Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0",
      36);
  put_file(folder / "b.jpg", std::string(plain).insert(2, exif));
  const auto upright = read_image(folder / "a.jpg"), turned = read_image(folder / "b.jpg");
  ASSERT_TRUE(upright && turned) << why(upright) << why(turned);
  ASSERT_EQ(turned->width, 48);
  ASSERT_EQ(turned->height, 64);
  for (int y = 0; y < 64; ++y)
    for (int x = 0; x < 48; ++x)
      for (int c = 0; c < 3; ++c)
        ASSERT_EQ(turned->pixels[static_cast<std::size_t>((y * 48 + x) * 3 + c)],
                  upright->pixels[static_cast<std::size_t>(((47 - x) * 64 + y) * 3 + c)]);
}

}  // namespace
}  // namespace rubato::test
