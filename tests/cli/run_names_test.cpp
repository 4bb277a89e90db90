// Which files a run writes, and which it leaves alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "engine/base/files.h"
#include "tests/cli/program.h"

namespace rubato::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class CliRunNames : public testing::Test {
 protected:
  void SetUp() override {
    if (!configured("rubato-worker") || !configured("rubato-media"))
      GTEST_SKIP() << "configured without libtorch, or RUBATO_MEDIA is OFF";
  }
  // A job a name, each of a second or less.
  void write_jobs(const std::vector<std::string>& names, const std::string& prompt = "a red circle moves right") const {
    std::ofstream file(dir_ / "shots.csv");
    file << "prompt,size,frames,steps,seed,device,out\n";
    int seed = 0;
    for (const auto& name : names) file << prompt << ",64x64,5,2," << ++seed << ",cpu," << name << "\n";
  }
  Finished run_jobs(std::vector<std::string> more = {}) const {
    std::vector<std::string> words{"run", "shots.csv", "--out", "out"};
    words.insert(words.end(), more.begin(), more.end());
    return run(here_, words);
  }
  std::string text_of(const std::string& file) const {
    const auto text = read_file(dir_ / ("out/" + file), 1 << 20);
    return text ? *text : "";
  }
  void put(const std::string& file, const std::string& text) const {
    fs::create_directories((dir_ / ("out/" + file)).parent_path());
    std::ofstream(dir_ / ("out/" + file)) << text;
  }

  TempDir dir_;
  Shell here_{.folder = dir_.path(), .env = {{"OMP_NUM_THREADS", "1"}}};
};

TEST_F(CliRunNames, RefusesPicturesThatMeet) {
  write_jobs({"f_####.png", "g/", "f_%04d.png", "g/clip.mp4", "h.webm", "report.html/"});
  const auto refused = run_jobs({"--dry-run"});
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("line 4: f_%04d.png and f_####.png of"), HasSubstr("line 5: g/clip.mp4"),
                                 HasSubstr("line 7: report.html/ is the report of the run"), Not(HasSubstr("line 3:")),
                                 Not(HasSubstr("line 6:"))));
}

TEST_F(CliRunNames, SeesAPersonsPictureInAPatternBeforeItRenders) {
  write_jobs({"f_####.png"});
  put("f_0003.png", "a holiday");
  for (const auto& more : {std::vector<std::string>{}, {"--dry-run"}, {"--overwrite", "if-changed"}}) {
    const auto refused = run_jobs(more);
    EXPECT_EQ(refused.code, 6) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("f_0003.png exists"));
  }
  EXPECT_FALSE(fs::exists(dir_ / "out/f_0000.png"));
  EXPECT_EQ(run_jobs({"--overwrite", "rename"}).code, 0);
  EXPECT_TRUE(fs::exists(dir_ / "out/f_0003-2.png"));
  EXPECT_TRUE(fs::exists(dir_ / "out/f_####-2.png.json"));
  EXPECT_EQ(text_of("f_0003.png"), "a holiday");
}

TEST_F(CliRunNames, IfChangedReplacesOnlyWhatJobsMade) {
  write_jobs({"clip.mp4"});
  ASSERT_EQ(run_jobs().code, 0);
  const auto first = text_of("clip.mp4");
  write_jobs({"clip.mp4"}, "a blue star waits");
  EXPECT_EQ(run_jobs().code, 6) << "it is another job's";
  const auto changed = run_jobs({"--overwrite", "if-changed"});
  EXPECT_EQ(changed.code, 0) << changed.err;
  EXPECT_NE(text_of("clip.mp4"), first);

  write_jobs({"clip.mp4"}, "a green square");
  put("clip.mp4", "a holiday");
  const auto refused = run_jobs({"--overwrite", "if-changed"});
  EXPECT_EQ(refused.code, 6);
  EXPECT_THAT(refused.err, HasSubstr("replaces only what jobs made"));
  EXPECT_EQ(text_of("clip.mp4"), "a holiday");
  EXPECT_EQ(run_jobs({"--overwrite", "always"}).code, 0);
  EXPECT_NE(text_of("clip.mp4"), "a holiday");
}

// A job that is done has the name that it was given then, though another of the file would have that one now.
TEST_F(CliRunNames, NeverReplacesAFinishedClipOfTheSameFile) {
  const auto write = [&](const std::string& file, const std::vector<std::pair<std::string, int>>& jobs) {
    std::ofstream csv(dir_ / file);
    csv << "id,prompt,size,frames,steps,seed,device\n";
    for (const auto& [id, seed] : jobs) csv << id << ",a " << id << " circle,64x64,5,2," << seed << ",cpu\n";
  };
  write("a.csv", {{"red", 1}, {"blue", 2}});
  write("b.csv", {{"green", 3}, {"red", 1}, {"blue", 2}});
  const auto start = [&](const std::string& file, const std::vector<std::string>& more) {
    std::vector<std::string> words{"run", file, "--out", "out", "--name", "clip-{index}.mp4"};
    words.insert(words.end(), more.begin(), more.end());
    return run(here_, words);
  };
  ASSERT_EQ(start("a.csv", {}).code, 0);
  const auto red = text_of("clip-1.mp4"), blue = text_of("clip-2.mp4");
  for (const auto& overwrite : {"never", "if-changed", "always"}) {
    const auto refused = start("b.csv", {"--overwrite", overwrite});
    EXPECT_EQ(refused.code, 6) << overwrite << refused.err;
    EXPECT_THAT(refused.err, AllOf(HasSubstr("clip-1.mp4 is the finished clip of red"), HasSubstr("{job}")));
  }
  EXPECT_TRUE(text_of("clip-1.mp4") == red);
  const auto renamed = start("b.csv", {"--overwrite", "rename"});
  EXPECT_EQ(renamed.code, 0) << renamed.err;
  EXPECT_TRUE(fs::exists(dir_ / "out/clip-1-2.mp4"));
  EXPECT_TRUE(text_of("clip-1.mp4") == red);
  EXPECT_TRUE(text_of("clip-2.mp4") == blue);
}

TEST_F(CliRunNames, AShorterClipLeavesNoPicturesOfTheLongerOne) {
  const auto write = [&](int frames) {
    std::ofstream(dir_ / "shots.csv") << "prompt,size,frames,steps,seed,device,out\na circle,64x64," << frames
                                      << ",2,1,cpu,g/\na circle,64x64," << frames << ",2,2,cpu,f_####.png\n";
  };
  write(5);
  ASSERT_EQ(run_jobs().code, 0);
  ASSERT_EQ(std::distance(fs::directory_iterator(dir_ / "out/g"), {}), 5);
  ASSERT_TRUE(fs::exists(dir_ / "out/f_0004.png"));
  write(1);
  const auto shorter = run_jobs({"--overwrite", "if-changed"});
  EXPECT_EQ(shorter.code, 0) << shorter.err;
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_ / "out/g"), {}), 1);
  EXPECT_TRUE(fs::exists(dir_ / "out/f_0000.png"));
  EXPECT_FALSE(fs::exists(dir_ / "out/f_0001.png"));
  EXPECT_FALSE(fs::exists(dir_ / "out/f_0004.png"));
  EXPECT_TRUE(fs::exists(dir_ / "out/f_####.png.json"));
}

TEST_F(CliRunNames, SaysThatARecordIsDamaged) {
  write_jobs({"clip.mp4"});
  ASSERT_EQ(run_jobs().code, 0);
  for (const auto& entry : fs::directory_iterator(dir_ / "out/.rubato"))
    if (entry.path().extension() == ".done") fs::resize_file(entry.path(), 40);
  for (const auto& more : {std::vector<std::string>{}, {"--overwrite", "if-changed"}}) {
    const auto refused = run_jobs(more);
    EXPECT_EQ(refused.code, 6) << refused.err;
    EXPECT_THAT(refused.err, AllOf(HasSubstr("clip.mp4 exists"), HasSubstr(".done"), HasSubstr("is damaged")));
  }
  EXPECT_EQ(run_jobs({"--overwrite", "always"}).code, 0) << "what the sentence says helps";
  EXPECT_EQ(run_jobs().code, 0);
}

// A name that was free when the plan was made is taken while the job renders.
TEST_F(CliRunNames, TakesTheNextNameWhenTheChosenOneIsTakenMeanwhile) {
  std::ofstream(dir_ / "shots.csv") << "prompt,size,frames,steps,seed,device,out\n"
                                       "a red circle moves right,64x64,5,60,1,cpu,clip.mp4\n";
  put("clip.mp4", "a holiday");
  Program running(here_, {"run", "shots.csv", "--out", "out", "--overwrite", "rename", "--progress", "json"});
  ASSERT_TRUE(running.wait_for("\"job.start\"")) << running.err();
  put("clip-2.mp4", "another holiday");
  const auto done = running.finish();
  EXPECT_EQ(done.code, 0) << done.err << done.out;
  EXPECT_EQ(text_of("clip.mp4"), "a holiday");
  EXPECT_EQ(text_of("clip-2.mp4"), "another holiday");
  EXPECT_TRUE(fs::exists(dir_ / "out/clip-3.mp4"));
  EXPECT_TRUE(fs::exists(dir_ / "out/clip-3.mp4.json"));
  EXPECT_FALSE(fs::exists(dir_ / "out/clip-2.mp4.json"));
}

// While it rendered, a file of its name appeared: the clip waits, and what becomes of it then is not for ever.
TEST_F(CliRunNames, RendersAgainWhatWasTakenFromItsWorkFolder) {
  std::ofstream(dir_ / "shots.csv") << "prompt,size,frames,steps,seed,device,out\n"
                                       "a red circle moves right,64x64,5,60,1,cpu,clip.mp4\n";
  {
    Program running(here_, {"run", "shots.csv", "--out", "out", "--progress", "json"});
    ASSERT_TRUE(running.wait_for("\"job.start\"")) << running.err();
    put("clip.mp4", "a holiday");
    EXPECT_EQ(running.finish().code, 1);
  }
  const auto refused = run_jobs();
  EXPECT_EQ(refused.code, 6) << "looked at before anything is started";
  EXPECT_THAT(refused.err, HasSubstr("The finished clip waits in"));
  EXPECT_EQ(text_of("clip.mp4"), "a holiday");
  fs::remove(dir_ / "out/clip.mp4");
  for (const auto& entry : fs::recursive_directory_iterator(dir_ / "out/.rubato/work"))
    if (entry.path().filename() == "clip.mp4") {
      fs::rename(entry.path(), dir_ / "taken.mp4");
      break;
    }
  ASSERT_TRUE(fs::exists(dir_ / "taken.mp4"));
  const auto again = run_jobs();
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_GT(text_of("clip.mp4").size(), 100u);
}

// A job that is edited is another job: nothing goes on from what there was of it.
TEST_F(CliRunNames, HalfDoneWorkOfAnEditedJobIsToldOfAndGoesAtTheEnd) {
  const auto write = [&](const std::string& file, const std::string& prompt, int steps) {
    std::ofstream(dir_ / file) << "id,prompt,size,frames,steps,seed,device,out\n"
                               << file.substr(0, 4) << "," << prompt << ",64x64,5," << steps << ",1,cpu,{job}.mp4\n";
  };
  const auto folders = [&] {
    std::error_code none;
    return std::distance(fs::directory_iterator(dir_ / "out/.rubato/work", none), {});
  };
  write("shots.csv", "a red circle moves right", 200);
  {
    Program running(here_, {"run", "shots.csv", "--out", "out", "--progress", "json"});
    ASSERT_TRUE(running.wait_for("\"phase\":\"denoise\"")) << running.err();
    running.signal(SIGKILL);
    running.finish();
  }
  ASSERT_EQ(folders(), 1);
  const auto same = run_jobs({"--dry-run"});
  EXPECT_THAT(same.err, Not(HasSubstr("does not hold"))) << "it would go on from there";

  write("others.csv", "a blue star waits", 2);
  const auto other = run(here_, {"run", "others.csv", "--out", "out"});
  EXPECT_EQ(other.code, 0) << other.err;
  EXPECT_THAT(other.err, Not(HasSubstr("Half-done")));
  EXPECT_EQ(folders(), 1) << "another file's";

  write("shots.csv", "a green square waits", 2);
  EXPECT_THAT(run_jobs({"--dry-run"}).err, HasSubstr("Half-done work of shot that shots.csv does not hold"));
  EXPECT_EQ(folders(), 1) << "a look changes nothing";
  const auto done = run_jobs();
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.err, HasSubstr("is removed at the end of this run"));
  EXPECT_FALSE(fs::exists(dir_ / "out/.rubato/work"));
  EXPECT_THAT(run_jobs().err, Not(HasSubstr("Half-done")));
}

TEST_F(CliRunNames, TemporaryFilesOfKilledCommandsAreRemoved) {
  write_jobs({"clip.mp4"});
  put(".report.html.0123456789.tmp", "half");
  put(".notes.0123456789.tmp", "a person's");
  ASSERT_EQ(run_jobs().code, 0);
  EXPECT_FALSE(fs::exists(dir_ / "out/.report.html.0123456789.tmp"));
  EXPECT_TRUE(fs::exists(dir_ / "out/.notes.0123456789.tmp"));
  put(".x.mp4.0123456789.tmp", "half");
  const auto gen = run(here_, {"gen", "video", "-p", "a red circle", "--size", "64x64", "--frames", "5", "--steps", "2",
                               "--device", "cpu", "-o", "out/x.mp4"});
  EXPECT_EQ(gen.code, 0) << gen.err;
  EXPECT_FALSE(fs::exists(dir_ / "out/.x.mp4.0123456789.tmp"));
}

}  // namespace
}  // namespace rubato::test
