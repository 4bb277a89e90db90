// Whole renders with the real worker and the practice model, small enough for seconds: outputs, metadata, repeats,
// interruptions, deaths.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "engine/base/files.h"
#include "engine/base/text.h"
#include "tests/cli/program.h"

namespace rubato::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// A moment of a render: as soon as this many units of the phase are done.
struct Moment {
  const char* phase;  // "" = before the first phase
  int done = 0;
  friend void PrintTo(const Moment& m, std::ostream* out) { *out << (*m.phase != 0 ? m.phase : "start") << m.done; }
};

bool reached(const std::string& events, const Moment& moment) {
  if (*moment.phase == 0) return true;
  for (const auto& line : lines(events.substr(0, events.rfind('\n') + 1))) {
    const auto event = json::parse(line, nullptr, false);
    if (event.is_object() && event.value("phase", "") == moment.phase && event.value("i", 0) >= moment.done)
      return true;
  }
  return false;
}

class CliRender : public testing::Test {
 protected:
  void SetUp() override {
    if (!configured("rubato-worker") || !configured("rubato-media"))
      GTEST_SKIP() << "configured without libtorch, or RUBATO_MEDIA is OFF";
  }

  // A clip of 64x64 in three steps, unless `more` says otherwise.
  static std::vector<std::string> gen(const std::string& out, std::vector<std::string> more = {}) {
    std::vector<std::string> words{"gen",    "video", "-p",       "a red circle moves right",
                                   "-o",     out,     "--seed",   "7",
                                   "--size", "64x64", "--device", "cpu"};
    const auto unless = [&](const std::string& flag, const std::string& value) {
      if (std::find(more.begin(), more.end(), flag) == more.end()) words.insert(words.end(), {flag, value});
    };
    unless("--frames", "5");
    unless("--steps", "3");
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  json inspected(const std::string& file) {
    const auto done = run(here_, {"inspect", "--json", file});
    EXPECT_EQ(done.code, 0) << done.err;
    return json::parse(done.out, nullptr, false);
  }
  std::string frames_hash(const std::string& file) { return inspected(file)["metadata"].value("frames_sha256", ""); }

  // Everything in the folder but settings and caches.
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(dir_.path()))
      if (const auto name = entry.path().filename().string(); name != ".cache" && name != ".config" && name != ".local")
        names.push_back(name);
    std::sort(names.begin(), names.end());
    return names;
  }

  TempDir dir_;
  Shell here_{.folder = dir_.path()};
};

TEST_F(CliRender, AClipComesWithItsMetadataAndNothingElse) {
  const auto done = run(here_, gen("clip.mp4"));
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "clip.mp4\n");
  EXPECT_THAT(files(), testing::ElementsAre("clip.mp4", "clip.mp4.json"));

  const auto facts = inspected("clip.mp4");
  EXPECT_EQ(facts["media"]["frames"], 5);
  EXPECT_EQ(facts["media"]["width"], 64);
  EXPECT_EQ(facts["metadata"]["job"]["prompt"], "a red circle moves right");
  EXPECT_EQ(facts["metadata"]["job"]["seed"], 7);
  const auto text = run(here_, {"inspect", "clip.mp4"});
  EXPECT_THAT(text.out, HasSubstr("a red circle moves right"));
  EXPECT_THAT(text.err, IsEmpty());
}

TEST_F(CliRender, AFolderOfFramesIsNamedOnceAndKnowsHowItWasMade) {
  const auto done = run(here_, gen("frames/"));
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "frames/\n");
  for (const auto& line : lines(done.err))
    if (line.starts_with("warning: ")) {
      EXPECT_THAT(line, HasSubstr("was trained on"));  // 128x128, and longer
    }
  EXPECT_THAT(files(), testing::ElementsAre("frames", "frames.json"));
  EXPECT_THAT(run(here_, {"inspect", "frames"}).out, HasSubstr("a red circle moves right"));
}

TEST_F(CliRender, WithoutMetadataTheClipSaysSo) {
  ASSERT_EQ(run(here_, gen("clip.mp4", {"--no-metadata"})).code, 0);
  EXPECT_THAT(files(), testing::ElementsAre("clip.mp4"));
  const auto plain = run(here_, {"inspect", "clip.mp4"});
  EXPECT_EQ(plain.code, 0);
  EXPECT_THAT(plain.err, HasSubstr("no Rubato metadata"));
  EXPECT_EQ(run(here_, {"inspect", "--job", "clip.mp4"}).code, 2);
  EXPECT_EQ(run(here_, {"verify", "clip.mp4"}).code, 2);
}

TEST_F(CliRender, EventsTellThePhasesInOrder) {
  const auto done = run(here_, gen("clip.mp4", {"--progress=json"}));
  ASSERT_EQ(done.code, 0) << done.err;
  std::vector<std::string> phases;
  double fraction = 0;
  for (const auto& event : ndjson(done.out)) {
    if (event["ev"] == "job.phase") phases.push_back(event["phase"]);
    if (event["ev"] == "job.progress") {
      EXPECT_GE(event["frac"].get<double>(), fraction - 1e-9);
      EXPECT_LE(event["frac"].get<double>(), 1.0);
      fraction = event["frac"];
    }
  }
  EXPECT_THAT(phases, testing::ElementsAre("load", "text", "denoise", "decode", "mux"));
}

// The whole process against the forecast, at sizes where the libraries count most and where the clip does.
TEST_F(CliRender, TheForecastOfMemoryHolds) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer's memory is not the program's";
#endif
  for (const std::vector<std::string>& clip :
       {std::vector<std::string>{"--size", "96x96", "--frames", "17"}, {"--size", "320x320", "--frames", "33"}}) {
    auto words = clip;
    words.insert(words.end(), {"--steps", "1", "-m", "practice-video", "--progress=json", "--overwrite=always"});
    auto command = gen("clip.mp4", words);
    const auto size = std::find(command.begin(), command.end(), "64x64");  // of gen(); the last one given wins
    command.erase(size - 1, size + 1);
    const auto done = run(here_, command);
    ASSERT_EQ(done.code, 0) << done.err;
    double forecast = 0, measured = 0;
    for (const auto& event : ndjson(done.out)) {
      if (event["ev"] == "plan") forecast = event["memory"][0]["host_bytes"];
      if (event["ev"] == "job.done") measured = event["report"]["peak_memory_bytes"];
    }
    EXPECT_GT(forecast, 0.8 * measured) << join(clip, " ");
    EXPECT_LT(forecast, 1.25 * measured) << join(clip, " ");
  }
}

TEST_F(CliRender, TheRecordedJobGivesTheSameFramesAgain) {
  ASSERT_EQ(run(here_, gen("a.mp4")).code, 0);
  const auto job = run(here_, {"inspect", "--job", "a.mp4"});
  ASSERT_EQ(job.code, 0) << job.err;
  EXPECT_THAT(job.out, HasSubstr("model: \"practice-video\"\n"));  // and no folder of this machine
  std::ofstream(dir_ / "job.yaml") << job.out;
  const auto again = run(here_, {"gen", "video", "--job", "job.yaml", "-o", "b.mp4"});
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(frames_hash("a.mp4"), Not(IsEmpty()));
  EXPECT_EQ(frames_hash("a.mp4"), frames_hash("b.mp4"));

  const auto other = run(here_, {"gen", "video", "--job", "job.yaml", "--seed", "8", "-o", "c.mp4"});
  ASSERT_EQ(other.code, 0) << other.err;
  EXPECT_NE(frames_hash("a.mp4"), frames_hash("c.mp4"));
}

TEST_F(CliRender, OutputsNameTheirModelAndNoFolder) {
  const auto models = dir_ / "models";
  fs::create_directory(models);
  fs::copy(fs::path(RUBATO_RESOURCES) / "practice" / "video", models / "mine", fs::copy_options::recursive);
  fs::remove(models / "mine" / "rubato.json");
  ASSERT_EQ(run(here_, gen("clip.mp4", {"-m", "./models/mine", "--guidance", "2"})).code, 0);
  EXPECT_EQ(inspected("clip.mp4")["metadata"]["job"]["model"], "mine");
  for (const auto* file : {"clip.mp4", "clip.mp4.json"})
    EXPECT_THAT(read_file(dir_ / file, 1 << 24).value(), Not(HasSubstr(dir_.path().string()))) << file;

  const auto lost = run(here_, {"verify", "clip.mp4"});
  EXPECT_EQ(lost.code, 4);
  EXPECT_THAT(lost.err, HasSubstr("there is no model 'mine'"));
  EXPECT_THAT(lost.err, HasSubstr("name the model or its folder with -m"));
  // By its name, and after it was renamed, by what is in it.
  ASSERT_EQ(run(here_, {"models", "scan", "models"}).code, 0);
  EXPECT_EQ(run(here_, {"verify", "clip.mp4"}).code, 0);
  fs::rename(models / "mine", models / "yours");
  ASSERT_EQ(run(here_, {"models", "check", "yours"}).code, 0);
  EXPECT_THAT(run(here_, {"inspect", "--job", "clip.mp4"}).out, HasSubstr("model: \"yours\"\n"));
  EXPECT_EQ(run(here_, {"verify", "clip.mp4"}).code, 0);
}

TEST_F(CliRender, VerifySaysBitIdenticalAndWritesNothing) {
  ASSERT_EQ(run(here_, gen("clip.mp4")).code, 0);
  const auto before = files();
  const auto done = run(here_, {"verify", "clip.mp4"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out,
              testing::MatchesRegex("clip.mp4: bit-identical before encoding .same device, same version.; the "
                                    "file plays these frames at PSNR [0-9.]+ dB\n"));
  EXPECT_EQ(files(), before);
}

TEST_F(CliRender, VerifyFindsOtherFrames) {
  ASSERT_EQ(run(here_, gen("clip.safetensors")).code, 0);
  auto bytes = read_file(dir_ / "clip.safetensors", 16 << 20).value();
  // The recorded seed is part of the header; another one of the same length makes other frames.
  const auto seed = bytes.find("\\\"seed\\\":7");
  ASSERT_NE(seed, std::string::npos);
  bytes[seed + 9] = '8';
  std::ofstream(dir_ / "other.safetensors", std::ios::binary) << bytes;
  const auto done = run(here_, {"verify", "other.safetensors"});
  EXPECT_EQ(done.code, 11) << done.err;
  EXPECT_THAT(done.err, HasSubstr("not bit-identical, PSNR"));
  EXPECT_THAT(done.out, IsEmpty());
}

TEST_F(CliRender, VerifyFindsALosslessFileThatWasAltered) {
  // One byte of one frame: the metadata is as it was.
  ASSERT_EQ(run(here_, gen("clip.safetensors")).code, 0);
  EXPECT_EQ(run(here_, {"verify", "clip.safetensors"}).out,
            "clip.safetensors: bit-identical, the file's own frames too (same device, same version)\n");
  auto bytes = read_file(dir_ / "clip.safetensors", 16 << 20).value();
  const float other = bytes[bytes.size() - 1] == 0 ? 1.0f : 0.0f;
  std::memcpy(bytes.data() + bytes.size() - sizeof other, &other, sizeof other);
  std::ofstream(dir_ / "clip.safetensors", std::ios::binary) << bytes;
  const auto tensors = run(here_, {"verify", "clip.safetensors"});
  EXPECT_EQ(tensors.code, 11) << tensors.out;
  EXPECT_THAT(tensors.err, HasSubstr("it was changed after it was made"));

  // Pictures: two frames change places.
  ASSERT_EQ(run(here_, gen("p_####.png")).code, 0);
  fs::rename(dir_ / "p_0002.png", dir_ / "kept.png");
  fs::rename(dir_ / "p_0003.png", dir_ / "p_0002.png");
  fs::rename(dir_ / "kept.png", dir_ / "p_0003.png");
  const auto pictures = run(here_, {"verify", "p_####.png"});
  EXPECT_EQ(pictures.code, 11) << pictures.out;
  EXPECT_THAT(pictures.err, HasSubstr("the file holds others"));
}

TEST_F(CliRender, FramesAreKnownByFolderByPatternAndByAnyOfThem) {
  ASSERT_EQ(run(here_, gen("p_####.png")).code, 0);
  ASSERT_EQ(run(here_, gen("frames/")).code, 0);
  for (const auto* name : {"p_####.png", "p_0000.png", "p_0003.png", "frames/", "frames/frame_0004.png"}) {
    const auto facts = inspected(name);
    EXPECT_EQ(facts["metadata"]["job"]["seed"], 7) << name;
    EXPECT_EQ(facts["media"]["frames"], 5) << name;
    const auto job = run(here_, {"inspect", "--job", name});
    EXPECT_EQ(job.code, 0) << job.err;
    EXPECT_THAT(job.out, HasSubstr("seed: 7"));
  }
  for (const auto* name : {"p_####.png", "p_0003.png", "frames/"}) {
    const auto done = run(here_, {"verify", name});
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("bit-identical, the file's own frames too"));
  }
}

TEST_F(CliRender, APromptThatIsTooLongIsWarnedAboutWithThePartThatIsCut) {
  auto words = gen("clip.mp4", {"--max-sequence-length", "8"});
  words[3] = "a red circle moves right and a blue square moves left";
  const auto done = run(here_, words);
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.err, HasSubstr("warning: "));
  EXPECT_THAT(done.err, HasSubstr("square moves left"));
}

TEST_F(CliRender, ADamagedModelEndsWithFourAndNamesTheFile) {
  const auto model = dir_ / "model";
  fs::copy(fs::path(RUBATO_RESOURCES) / "practice" / "video", model, fs::copy_options::recursive);
  const auto weights = model / "vae" / "diffusion_pytorch_model.safetensors";
  fs::resize_file(weights, fs::file_size(weights) / 2);
  const auto done = run(here_, gen("clip.mp4", {"-m", "model"}));
  EXPECT_EQ(done.code, 4) << done.err;
  EXPECT_THAT(done.err, HasSubstr("vae"));
  EXPECT_FALSE(fs::exists(dir_ / "clip.mp4"));
  EXPECT_EQ(run(here_, {"models", "check", "model"}).code, 4);

  fs::remove(weights);
  const auto missing = run(here_, gen("clip.mp4", {"-m", "model"}));
  EXPECT_EQ(missing.code, 4);
  EXPECT_THAT(missing.err, HasSubstr("diffusion_pytorch_model.safetensors"));
}

TEST_F(CliRender, AnInterruptedRenderGoesOnAndGivesTheSameFrames) {
  const std::vector<std::string> longer{"--frames", "9", "--steps", "24"};
  auto words = gen("clip.mp4", longer);
  words.push_back("--progress=json");
  Program program(here_, words);
  ASSERT_TRUE(program.wait_until([&] { return reached(program.out(), {"denoise", 2}); })) << program.err();
  program.signal(SIGINT);
  const auto stopped = program.finish();
  ASSERT_EQ(stopped.code, 130) << stopped.err;
  EXPECT_THAT(stopped.err, HasSubstr("is kept in clip.mp4.rubato-partial"));
  EXPECT_FALSE(fs::exists(dir_ / "clip.mp4"));

  const auto resumed = run(here_, gen("clip.mp4", longer));
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("going on after step"));
  EXPECT_THAT(resumed.err, Not(HasSubstr("warning: going on")));
  EXPECT_FALSE(fs::exists(dir_ / "clip.mp4.rubato-partial"));
  ASSERT_EQ(run(here_, gen("whole.mp4", longer)).code, 0);
  EXPECT_EQ(frames_hash("clip.mp4"), frames_hash("whole.mp4"));
}

TEST_F(CliRender, TheSecondCtrlCLeavesNoClip) {
  Program program(here_, gen("clip.mp4", {"--steps", "200", "--progress=json"}));
  ASSERT_TRUE(program.wait_for("\"phase\":\"denoise\""));
  program.signal(SIGINT);
  program.signal(SIGINT);
  const auto done = program.finish(std::chrono::seconds(20));
  EXPECT_EQ(done.code, 130);
  EXPECT_FALSE(fs::exists(dir_ / "clip.mp4"));
}

// The worker is killed at such a moment.
class CliKill : public CliRender, public testing::WithParamInterface<Moment> {};

TEST_P(CliKill, LeavesNothingBrokenUnderTheFinalName) {
  const auto words = gen("clip.mp4", {"--frames", "9", "--steps", "9", "--progress=json"});
  Program program(here_, words);
  int worker = -1;
  while (worker < 0) worker = child_of(program.pid(), "rubato-worker");
  ASSERT_TRUE(program.wait_until([&] { return reached(program.out(), GetParam()); })) << program.err();
  ::kill(worker, SIGKILL);
  const auto done = program.finish();
  // The last phases are over in moments, so the clip may have been finished first.
  if (done.code != 0) {
    EXPECT_EQ(done.code, 7) << done.err;
    EXPECT_THAT(done.err, HasSubstr("SIGKILL"));
    const auto events = ndjson(done.out);
    EXPECT_EQ(events.back()["code"], 7);
    if (fs::exists(dir_ / "clip.mp4")) {
      EXPECT_THAT(done.err, HasSubstr("clip.mp4 was finished before that"));
    } else {
      EXPECT_THAT(done.err, HasSubstr("kept"));
      EXPECT_FALSE(fs::exists(dir_ / "clip.mp4.json"));
      // The same command ends what was begun.
      const auto again = run(here_, gen("clip.mp4", {"--frames", "9", "--steps", "9"}));
      EXPECT_EQ(again.code, 0) << again.err;
    }
  }
  EXPECT_EQ(inspected("clip.mp4")["media"]["frames"], 9);
}

INSTANTIATE_TEST_SUITE_P(AtAnyMoment, CliKill,
                         testing::Values(Moment{""}, Moment{"load"}, Moment{"load", 2}, Moment{"text"},
                                         Moment{"denoise"}, Moment{"denoise", 3}, Moment{"denoise", 6},
                                         Moment{"denoise", 9}, Moment{"decode"}, Moment{"decode", 2}, Moment{"mux"}));

}  // namespace
}  // namespace rubato::test
