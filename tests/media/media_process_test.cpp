// rubato-media and its client: right answers, clear errors, and nothing else.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "app/media/sandbox.h"
#include "pipelines/job/media_client.h"
#include "tests/media/media_test_util.h"

namespace rubato::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

MediaClient client(double timeout_s = 60) { return MediaClient(fs::path(RUBATO_BIN_DIR) / "rubato-media", timeout_s); }

TEST(MediaProcess, ProbesWithTheNumbersOfTheLibrary) {
  const Folder folder;
  for (const char* name : {"clip.mp4", "clip.webm", "clip.gif", "clip.webp"}) {
    ASSERT_TRUE(write_clip(folder / name, {.width = 48, .height = 32}, 9));
    const auto reply = client().probe(folder / name);
    ASSERT_TRUE(reply) << why(reply);
    EXPECT_EQ(*reply, to_json(*probe(folder / name)));
    EXPECT_EQ((*reply)["frames"], 9);
  }
}

TEST(MediaProcess, HandsOverFramesThroughAMemfd) {
  const Folder folder;
  ASSERT_TRUE(write_clip(folder / "clip.mp4", {.width = 48, .height = 32}, 20));
  const auto all = read_frames(folder / "clip.mp4");
  ASSERT_TRUE(all) << why(all);
  const auto some = client().frames(folder / "clip.mp4", /*start=*/3, /*count=*/4, /*step=*/5);
  ASSERT_TRUE(some) << why(some);
  ASSERT_EQ(some->count, 4);
  EXPECT_EQ(some->width, 48);
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(std::ranges::equal(some->frame(i), all->frame(3 + 5 * i))) << i;
    EXPECT_DOUBLE_EQ(some->times_s[static_cast<std::size_t>(i)], all->times_s[static_cast<std::size_t>(3 + 5 * i)]);
  }
  const auto whole = client().frames(folder / "clip.mp4");
  ASSERT_TRUE(whole) << why(whole);
  EXPECT_TRUE(std::ranges::equal(whole->pixels, all->pixels));
  const auto beyond = client().frames(folder / "clip.mp4", 100);
  ASSERT_TRUE(beyond) << why(beyond);
  EXPECT_EQ(beyond->count, 0);
}

TEST(MediaProcess, ThumbnailsKeepTheShape) {
  const Folder folder;
  ASSERT_TRUE(write_clip(folder / "clip.webm", {.width = 96, .height = 48}, 3));
  const auto small = client().thumbnail(folder / "clip.webm", 24);
  ASSERT_TRUE(small) << why(small);
  EXPECT_EQ(small->width, 24);
  EXPECT_EQ(small->height, 12);
  EXPECT_EQ(small->count, 1);
}

TEST(MediaProcess, GivesBackTheJob) {
  const Folder folder;
  for (const char* name : {"clip.mp4", "frames/"}) {
    ASSERT_TRUE(write_clip(folder / name, {.width = 16, .height = 16}, 2));
    const auto reply = client().metadata(folder / name);
    ASSERT_TRUE(reply) << why(reply);
    EXPECT_EQ((*reply)["metadata"]["job"]["prompt"], kPrompt);
    EXPECT_EQ((*reply)["source"], std::string(name) == "clip.mp4" ? "container" : "sidecar");
  }
}

TEST(MediaProcess, KnowsAClipOfManyFilesByAnyOfItsNames) {
  const Folder folder;
  for (const auto& [output, digits] : {std::pair{"frames/", "frames/frame_000"}, {"p_####.png", "p_000"}}) {
    ASSERT_TRUE(write_clip(folder / output, {.width = 16, .height = 16}, 3));
    std::vector<std::string> names{output, digits + std::string("0.png"), digits + std::string("2.png")};
    if (std::string(output) == "p_####.png") names.emplace_back("p_%04d.png");
    for (const bool sidecar : {true, false}) {
      if (!sidecar) fs::remove(sidecar_path(folder / output));
      for (const auto& name : names) {
        const auto reply = client().metadata(folder / name);
        ASSERT_TRUE(reply) << name << sidecar << why(reply);
        EXPECT_EQ((*reply)["metadata"]["job"]["prompt"], kPrompt) << name;
        const auto media = client().probe((*reply)["sequence"].get<std::string>());
        ASSERT_TRUE(media) << why(media);
        EXPECT_EQ((*media)["frames"], 3) << name;
        EXPECT_EQ((*media)["container"], "png frames");
      }
    }
  }
}

TEST(MediaProcess, ASinglePictureIsNoPartOfItsNeighbours) {
  const Folder folder;
  ASSERT_TRUE(write_clip(folder / "a_0.png", {.width = 16, .height = 16}, 1));
  ASSERT_TRUE(write_clip(folder / "a_1.png", {.width = 16, .height = 16, .sidecar = false}, 1, Overwrite::Never, {}));
  const auto alone = client().metadata(folder / "a_0.png");
  ASSERT_TRUE(alone) << why(alone);
  EXPECT_FALSE(alone->contains("sequence"));
  EXPECT_EQ(client().metadata(folder / "a_1.png").error().code, ErrorCode::CannotRead);
}

TEST(MediaProcess, NamesTheFrameThatIsMissing) {
  const Folder folder;
  ASSERT_TRUE(write_clip(folder / "p_####.png", {.width = 16, .height = 16}, 4));
  fs::remove(folder / "p_0002.png");
  const auto gap = client().probe(folder / "p_####.png");
  ASSERT_FALSE(gap);
  EXPECT_EQ(gap.error().code, ErrorCode::Corrupt);
  EXPECT_THAT(gap.error().message, HasSubstr("p_0002.png is missing"));
  const auto none = client().probe(folder / "q_####.png");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::CannotRead);
  EXPECT_THAT(none.error().message, HasSubstr("there is no q_0000.png"));
}

TEST(MediaProcess, ReadsTheFramesOfManyFilesInOrder) {
  const Folder folder;
  ASSERT_TRUE(write_clip(folder / "p_####.png", {.width = 16, .height = 16}, 5));
  const auto some = read_frames(folder / "p_####.png", {.start = 1, .count = 2, .step = 2});
  ASSERT_TRUE(some) << why(some);
  ASSERT_EQ(some->count, 2);
  EXPECT_TRUE(std::ranges::equal(some->frame(0), clip_frame(16, 16, 1)));
  EXPECT_TRUE(std::ranges::equal(some->frame(1), clip_frame(16, 16, 3)));
}

TEST(MediaProcess, PassesErrorsOnWithTheirCode) {
  const Folder folder;
  EXPECT_EQ(client().probe(folder / "none.mp4").error().code, ErrorCode::CannotRead);
  put_file(folder / "note.mp4", "just words, and enough of them that a demuxer has something to chew on");
  const auto words = client().probe(folder / "note.mp4");
  ASSERT_FALSE(words);
  EXPECT_EQ(words.error().code, ErrorCode::Corrupt);
  EXPECT_THAT(words.error().message, HasSubstr("note.mp4"));
  EXPECT_THAT(client().metadata(folder / "note.mp4").error().message, HasSubstr("carries no Rubato metadata"));
  const auto missing = MediaClient(folder / "no-such-program").probe(folder / "note.mp4");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("could not be started"));
}

TEST(MediaProcess, IsStoppedWhenItTakesTooLongOrTalksNonsense) {
  const Folder folder;
  const auto script = [&](const char* name, std::string_view text) {
    put_file(folder / name, text);
    fs::permissions(folder / name, fs::perms::owner_all);
    return MediaClient(folder / name, 0.3);
  };
  const auto slow = script("slow", "#!/bin/sh\nexec sleep 20\n").probe("x");
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().code, ErrorCode::TimeLimit);
  EXPECT_FALSE(script("words", "#!/bin/sh\necho hello\n").probe("x"));
  EXPECT_FALSE(script("list", "#!/bin/sh\necho '[1]'\n").probe("x"));
  EXPECT_FALSE(script("code", "#!/bin/sh\necho '{}'\nexit 3\n").probe("x"));
  const auto dead = script("dead", "#!/bin/sh\nkill -SEGV $$\n").probe("x");
  ASSERT_FALSE(dead);
  EXPECT_THAT(dead.error().message, HasSubstr("signal 11"));
  for (const char* lie :
       {R"({"width":1000,"height":1000,"count":9,"times_s":[0,0,0,0,0,0,0,0,0]})",
        R"({"width":-1,"height":1,"count":1,"times_s":[0]})", R"({"width":1,"height":1,"count":1,"times_s":[]})",
        R"({"width":1e9,"height":1,"count":1,"times_s":[0]})"})
    EXPECT_FALSE(script("lie", std::string("#!/bin/sh\necho '") + lie + "'\necho -n abc >&3\n").frames("x")) << lie;
  EXPECT_TRUE(
      script("truth", "#!/bin/sh\necho '{\"width\":1,\"height\":1,\"count\":1,\"times_s\":[0]}'\nprintf abc >&3\n")
          .frames("x"));
}

// Runs `body` in a child inside the sandbox and gives its exit code.
template <typename Body>
int in_sandbox(const Body& body) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(enter_sandbox() ? body() : 99);
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

TEST(Sandbox, RefusesFilesSocketsAndPrograms) {
  const Folder folder;
  const std::string target = (folder / "new").string();
  EXPECT_EQ(in_sandbox([] { return 0; }), 0);
  EXPECT_EQ(in_sandbox([] { return ::open("/etc/passwd", O_RDONLY) < 0 && errno == EPERM ? 0 : 1; }), 0);
  EXPECT_EQ(in_sandbox([&] { return ::open(target.c_str(), O_WRONLY | O_CREAT, 0600) < 0 ? 0 : 1; }), 0);
  EXPECT_EQ(in_sandbox([] { return ::socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM ? 0 : 1; }), 0);
  EXPECT_EQ(in_sandbox([] { return ::socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? 0 : 1; }), 0);
  EXPECT_EQ(in_sandbox([] { return ::fork() < 0 ? 0 : 1; }), 0);
  EXPECT_EQ(in_sandbox([&] { return ::unlink(folder.path().c_str()) < 0 && errno == EPERM ? 0 : 1; }), 0);
  EXPECT_EQ(in_sandbox([] {
              char* const none[] = {nullptr};
              return ::execve("/bin/true", none, none) < 0 && errno == EPERM ? 0 : 1;
            }),
            0);
}

TEST(Sandbox, AllowsThreadsAndMemory) {
  EXPECT_EQ(in_sandbox([] {
              int sum = 0;
              std::thread([&] { sum = 7; }).join();
              return sum == 7 && std::vector<char>(8 << 20).size() > 0 ? 0 : 1;
            }),
            0);
}

}  // namespace
}  // namespace rubato::test
