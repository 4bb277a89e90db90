// rubato-cli queue run: the queue rendered by the real worker with the practice model, and what dies on the way.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/cli/program.h"

namespace rubato::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class CliQueueRun : public testing::Test {
 protected:
  void SetUp() override {
    if (!configured("rubato-worker") || !configured("rubato-media"))
      GTEST_SKIP() << "configured without libtorch, or RUBATO_MEDIA is OFF";
  }

  // Clips of 64x64 into clips/, three steps of five frames unless the job says otherwise. Gives the ids.
  std::vector<std::string> add(const std::vector<std::string>& jobs) {
    auto text = std::string("version: 1\ndefaults: {size: 64x64, frames: 5, steps: 3, seed: 7, device: cpu, out: ") +
                "\"{job}.mp4\"}\njobs:\n";
    for (const auto& job : jobs) text += "  - {" + job + "}\n";
    std::ofstream(dir_ / "shots.yaml") << text;
    const auto done = run(here_, {"queue", "add", "shots.yaml", "--out", "clips"});
    EXPECT_EQ(done.code, 0) << done.err;
    added_ = done.err;
    return lines(done.out);
  }
  std::string clip(const std::string& name) const { return (dir_ / ("clips/" + name + ".mp4")).string(); }
  json job(const std::string& id) {
    const auto done = run(here_, {"queue", "list", "--json", id});
    EXPECT_EQ(done.code, 0) << done.err;
    return json::parse(done.out, nullptr, false)["jobs"][0];
  }
  std::string frames_hash(const std::string& file) {
    const auto done = run(here_, {"inspect", "--json", file});
    EXPECT_EQ(done.code, 0) << done.err;
    return json::parse(done.out, nullptr, false)["metadata"].value("frames_sha256", "");
  }
  // The frames of a job that nothing disturbed.
  std::string calm_frames(const std::string& prompt, int frames, int steps) {
    const auto done =
        run(here_, {"gen", "video", "-p", prompt, "--size", "64x64", "--frames", std::to_string(frames), "--steps",
                    std::to_string(steps), "--seed", "7", "--device", "cpu", "-o", "calm.mp4"});
    EXPECT_EQ(done.code, 0) << done.err;
    return frames_hash("calm.mp4");
  }
  static bool denoised(const Program& program, int steps) {
    const auto& events = program.out();
    for (const auto& line : lines(events.substr(0, events.rfind('\n') + 1))) {
      const auto event = json::parse(line, nullptr, false);
      if (event.is_object() && event.value("phase", "") == "denoise" && event.value("i", 0) >= steps) return true;
    }
    return false;
  }
  std::vector<std::string> left_in_clips() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(dir_ / "clips")) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

  TempDir dir_;
  Shell here_{.folder = dir_.path()};
  std::string added_;  // what the last `queue add` said
};

TEST_F(CliQueueRun, RendersWhatIsQueuedInOrderIntoAFolderThatItMade) {
  const auto ids = add({"id: ring, prompt: a red ring, after: cube", "id: cube, prompt: a blue cube"});
  EXPECT_THAT(added_, HasSubstr("Nothing renders the queue now: its jobs wait until 'rubato-cli queue run'"));
  EXPECT_THAT(run(here_, {"queue", "list"}).err, HasSubstr("Nothing renders the queue now"));
  EXPECT_TRUE(fs::is_directory(dir_ / "clips"));
  const auto done = run(here_, {"queue", "run"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, clip("cube") + "\n" + clip("ring") + "\n");
  EXPECT_THAT(done.err, HasSubstr("2 jobs done in "));
  EXPECT_THAT(left_in_clips(), ElementsAre("cube.mp4", "cube.mp4.json", "ring.mp4", "ring.mp4.json"));
  const auto ring = job(ids[0]);
  EXPECT_EQ(ring["state"], "done");
  EXPECT_EQ(ring["outputs"][0]["path"], clip("ring"));
  EXPECT_EQ(frames_hash(clip("ring")), calm_frames("a red ring", 5, 3));

  const auto again = run(here_, {"queue", "run"});
  EXPECT_EQ(again.code, 0);
  EXPECT_THAT(again.err, HasSubstr("No job of the queue waits to be rendered."));
}

TEST_F(CliQueueRun, AKilledWorkerCostsNothingButTime) {
  const auto ids = add({"id: ring, prompt: a red ring, frames: 9, steps: 16"});
  Program program(here_, {"queue", "run", "--progress=json"});
  ASSERT_TRUE(program.wait_until([&] { return denoised(program, 2); })) << program.err();
  ::kill(child_of(program.pid(), "rubato-worker"), SIGKILL);
  const auto done = program.finish();
  EXPECT_EQ(done.code, 0) << done.err;
  std::vector<std::string> told;
  for (const auto& event : ndjson(done.out)) {
    EXPECT_TRUE(!event.contains("job") || event["job"] == ids[0]) << event;
    if (const auto name = event["ev"].get<std::string>();
        name != "job.progress" && name != "job.phase" && name != "job.preview" && name != "job.warn")
      told.push_back(name);
  }
  EXPECT_THAT(told, ElementsAre("hello", "job.start", "job.fail", "run.note", "job.start", "job.output", "job.output",
                                "job.done", "queue.done", "bye"));
  EXPECT_EQ(job(ids[0])["attempts"], 2);
  EXPECT_EQ(frames_hash(clip("ring")), calm_frames("a red ring", 9, 16));
}

TEST_F(CliQueueRun, AKilledCommandGoesOnWithTheSameFrames) {
  const auto ids = add({"id: ring, prompt: a red ring, frames: 9, steps: 16", "id: cube, prompt: a blue cube"});
  {
    Program program(here_, {"queue", "run", "--progress=json"});
    ASSERT_TRUE(program.wait_until([&] { return denoised(program, 2); })) << program.err();
    program.signal(SIGKILL);
    program.finish();
  }
  // Looking tells what is so, and leaves it to the next run to write it down.
  for (int look = 0; look < 2; ++look) {
    const auto seen = run(here_, {"queue", "list"});
    EXPECT_THAT(seen.out, HasSubstr("interrupted"));
    EXPECT_THAT(seen.out, HasSubstr("'rubato-cli queue run' goes on with it"));
    EXPECT_THAT(seen.out + seen.err, Not(HasSubstr("running")));
    EXPECT_THAT(seen.err, HasSubstr("1 queued, 1 interrupted."));
    EXPECT_THAT(seen.err, HasSubstr("The last session did not end properly; 'rubato-cli queue run' goes on"));
    EXPECT_THAT(seen.err, Not(HasSubstr("Nothing renders")));
  }
  EXPECT_EQ(job(ids[0])["state"], "interrupted");
  const auto listed = [&](const char* state) {
    const auto rows = json::parse(run(here_, {"queue", "list", "--json", "--state", state}).out, nullptr, false);
    EXPECT_EQ(rows["totals"]["running"], 0);
    EXPECT_EQ(rows["totals"]["interrupted"], 1);
    return rows["jobs"].size();
  };
  EXPECT_EQ(listed("running"), 0u);
  EXPECT_EQ(listed("interrupted"), 1u);
  const auto done = run(here_, {"queue", "run"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.err, HasSubstr("the last session did not end properly: 1 job was interrupted"));
  EXPECT_EQ(done.out, clip("ring") + "\n" + clip("cube") + "\n");
  EXPECT_EQ(frames_hash(clip("ring")), calm_frames("a red ring", 9, 16));
  EXPECT_THAT(left_in_clips(), ElementsAre("cube.mp4", "cube.mp4.json", "ring.mp4", "ring.mp4.json"));
}

TEST_F(CliQueueRun, CtrlCStopsAfterTheStepAndTheSameCommandGoesOn) {
  const auto ids = add({"id: ring, prompt: a red ring, frames: 9, steps: 16"});
  {
    Program program(here_, {"queue", "run", "--progress=json"});
    ASSERT_TRUE(program.wait_until([&] { return denoised(program, 2); })) << program.err();
    program.signal(SIGINT);
    const auto stopped = program.finish();
    EXPECT_EQ(stopped.code, 130) << stopped.err;
    EXPECT_THAT(stopped.err, HasSubstr("stopped; 'rubato-cli queue run' goes on from here"));
    EXPECT_EQ(ndjson(stopped.out).back()["code"], 130);
  }
  EXPECT_EQ(job(ids[0])["state"], "queued");
  EXPECT_FALSE(fs::exists(clip("ring")));
  const auto done = run(here_, {"queue", "run"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.err, HasSubstr("going on after step"));
  EXPECT_EQ(frames_hash(clip("ring")), calm_frames("a red ring", 9, 16));
}

TEST_F(CliQueueRun, OtherCommandsHaveTheirSayMeanwhile) {
  const auto endless = add({"id: endless, prompt: a red ring, frames: 9, steps: 1000"})[0];
  Program program(here_, {"queue", "run", "--progress=json"});
  ASSERT_TRUE(program.wait_until([&] { return denoised(program, 1); })) << program.err();
  const auto second = run(here_, {"queue", "run"});
  EXPECT_EQ(second.code, 10);
  EXPECT_THAT(second.err, HasSubstr(fmt::format("another Rubato (process {} on ", program.pid())));
  EXPECT_THAT(second.err, HasSubstr("works on the queue; "));
  EXPECT_THAT(second.err, Not(HasSubstr(".lock")));
  EXPECT_THAT(run(here_, {"queue", "list"}).err, HasSubstr("1 running."));
  add({"id: cube, prompt: a blue cube"});
  EXPECT_THAT(added_, Not(HasSubstr("Nothing renders")));
  EXPECT_THAT(run(here_, {"queue", "list"}).err, Not(HasSubstr("Nothing renders")));
  EXPECT_EQ(run(here_, {"queue", "cancel", endless}).code, 0);
  const auto done = program.finish();
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(job(endless)["state"], "cancelled");
  EXPECT_TRUE(fs::exists(clip("cube")));
  EXPECT_FALSE(fs::exists(clip("endless")));
}

TEST_F(CliQueueRun, APausedQueueIsNotTouched) {
  add({"id: ring, prompt: a red ring"});
  ASSERT_EQ(run(here_, {"queue", "pause"}).code, 0);
  const auto done = run(here_, {"queue", "run"});
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.err, HasSubstr("the queue is paused; 'rubato-cli queue resume' lets it go on"));
  EXPECT_THAT(left_in_clips(), IsEmpty());
}

TEST_F(CliQueueRun, WhatFailedIsNamedAndCounts) {
  const auto ids = add({"id: ring, prompt: a red ring", "id: cube, prompt: a blue cube"});
  std::ofstream(clip("ring")) << "precious";
  const auto done = run(here_, {"queue", "run"});
  EXPECT_EQ(done.code, 1);
  EXPECT_EQ(done.out, clip("cube") + "\n");
  EXPECT_THAT(done.err, HasSubstr("failed: " + clip("ring") + " exists and is another file"));
  EXPECT_THAT(done.err, HasSubstr("1 job is not done; 'rubato-cli queue list' says why"));
  // It was seen before anything was rendered.
  EXPECT_THAT(left_in_clips(), ElementsAre("cube.mp4", "cube.mp4.json", "ring.mp4"));
  fs::remove(clip("ring"));
  ASSERT_EQ(run(here_, {"queue", "retry", ids[0]}).code, 0);
  const auto again = run(here_, {"queue", "run", "--progress=json"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(left_in_clips(), ElementsAre("cube.mp4", "cube.mp4.json", "ring.mp4", "ring.mp4.json"));
}

TEST_F(CliQueueRun, TheDeviceListIsChecked) {
  EXPECT_THAT(run(here_, {"queue", "run", "--device", "cpu,cpu"}).err, HasSubstr("cpu stands there twice"));
  EXPECT_EQ(run(here_, {"queue", "run", "--device", "gpu"}).code, 2);
}

TEST(CliQueueAdd, AFolderThatCannotBeMadeIsSaidAtOnce) {
  TempDir dir;
  const Shell here{.folder = dir.path()};
  std::ofstream(dir / "shots.yaml") << "version: 1\njobs:\n  - {id: ring, prompt: a red ring, out: ring.mp4}\n";
  std::ofstream(dir / "file") << "no folder";
  const auto done = run(here, {"queue", "add", "shots.yaml", "--out", "file/below"});
  EXPECT_EQ(done.code, 73) << done.err;
  EXPECT_THAT(run(here, {"queue", "list"}).err, HasSubstr("The queue is empty."));
  std::ofstream(dir / "ring.mp4") << "precious";
  const auto in_the_way = run(here, {"queue", "add", "shots.yaml"});
  EXPECT_EQ(in_the_way.code, 6) << in_the_way.err;
  EXPECT_THAT(in_the_way.err, HasSubstr("ring.mp4"));
}

}  // namespace
}  // namespace rubato::test
