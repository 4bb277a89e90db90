// A render as rubato-cli conducts it, against a worker that does what the test says: streams, events, signals, deaths.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "engine/base/files.h"
#include "tests/cli/program.h"

namespace rubato::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class CliSession : public testing::Test {
 protected:
  CliSession() : program_(cli_with_scripted_worker(dir_)) {}

  Shell with(const std::string& fake) const {
    return {.folder = dir_.path(), .env = {{"RUBATO_FAKE", fake}}, .program = program_};
  }
  static std::vector<std::string> gen(std::vector<std::string> more = {}) {
    std::vector<std::string> words{"gen", "video", "-p", "a red circle", "-o", "clip.mp4"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  TempDir dir_;
  std::filesystem::path program_;
};

TEST_F(CliSession, ThePathAloneGoesToStandardOutput) {
  const auto done = run(with("done"), gen());
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.out, "clip.mp4\n");
  EXPECT_THAT(done.err, HasSubstr("Done in "));
  EXPECT_THAT(done.err, HasSubstr("rubato-cli inspect clip.mp4"));
}

TEST_F(CliSession, QuietSaysNothingButThePath) {
  const auto done = run(with("done"), gen({"-q"}));
  EXPECT_EQ(done.out, "clip.mp4\n");
  EXPECT_THAT(done.err, IsEmpty());
}

TEST_F(CliSession, TheLogTellsWhatHappenedButNotThePrompt) {
  ASSERT_EQ(run(with("done"), gen({"-v", "--log", "run.log"})).code, 0);
  const auto text = read_file(dir_ / "run.log", 1 << 20);
  ASSERT_TRUE(text.ok());
  for (const auto* word : {"worker.hello", "job.start", "phase=denoise", "job.done"})
    EXPECT_THAT(*text, HasSubstr(word));
  EXPECT_THAT(*text, Not(HasSubstr("circle")));
}

TEST_F(CliSession, RefusesTwoSpellingsOfOneOutput) {
  const auto done = run(with("done"), gen({"--latents-out", "./t.safetensors", "--trace", "t.safetensors"}));
  EXPECT_EQ(done.code, 2);
  EXPECT_THAT(done.err, HasSubstr("two outputs"));
}

TEST_F(CliSession, RefusesAnOutputThatIsItsInput) {
  ASSERT_TRUE(write_file_atomically(dir_ / "start.safetensors", "precious", Overwrite::Never).ok());
  const auto done =
      run(with("done"),
          gen({"--latents-in", "start.safetensors", "--trace", "./start.safetensors", "--overwrite", "always"}));
  EXPECT_EQ(done.code, 2);
  EXPECT_THAT(done.err, HasSubstr("cannot be its output"));
  EXPECT_EQ(*read_file(dir_ / "start.safetensors", 100), "precious");
}

TEST_F(CliSession, TheReportIsAnOutputLikeTheOthers) {
  for (const auto* report : {"./clip.mp4", "clip.mp4.json", "t.safetensors"}) {
    const auto done = run(with("done"), gen({"--trace", "t.safetensors", "--report", report}));
    EXPECT_EQ(done.code, 2) << report;
    EXPECT_THAT(done.err, HasSubstr("two outputs")) << report;
  }
}

TEST_F(CliSession, AReportThatCannotBeWrittenDoesNotHideTheClip) {
  // The folder is there when the job is looked at and gone when it ends.
  std::filesystem::create_directory(dir_ / "reports");
  const auto done = run(with("remove:reports"), gen({"--report", "reports/r.json"}));
  EXPECT_EQ(done.code, 73) << done.err;
  EXPECT_EQ(done.out, "clip.mp4\n");
  EXPECT_THAT(done.err, HasSubstr("the clip is finished, but its report is not written"));
}

TEST_F(CliSession, JsonGivesOneObject) {
  const auto done = run(with("done"), gen({"--json"}));
  const auto result = nlohmann::json::parse(done.out);
  EXPECT_THAT(result["outputs"], ElementsAre("clip.mp4"));
  EXPECT_TRUE(result["report"].is_object());
}

TEST_F(CliSession, OneOutputIsRenderedOnceAtATime) {
  Program first(with("slow"), gen());
  ASSERT_TRUE(first.wait_until([&] { return child_of(first.pid(), "rubato-worker") > 0; }));
  ASSERT_TRUE(first.wait_until([&] { return std::filesystem::exists(dir_ / "clip.mp4.rubato-partial/lock"); }));
  const auto second = run(with("done"), gen({"--seed", "8"}));
  EXPECT_EQ(second.code, 10);
  EXPECT_EQ(second.err, "rubato-cli: another rubato-cli (pid " + std::to_string(first.pid()) +
                            ") is rendering clip.mp4; wait for it or choose another -o\n");
  EXPECT_FALSE(std::filesystem::exists(dir_ / "clip.mp4"));
  EXPECT_EQ(run(with("done"), {"gen", "video", "-p", "a red circle", "-o", "other.mp4"}).code, 0);

  // A killed one leaves no lock.
  first.signal(SIGKILL);
  first.finish();
  const auto third = run(with("done"), gen());
  EXPECT_EQ(third.code, 0) << third.err;
  EXPECT_FALSE(std::filesystem::exists(dir_ / "clip.mp4.rubato-partial"));
}

TEST_F(CliSession, WhatFitsInNoWayIsNotBegun) {
  for (const char* dry : {"--dry-run", ""}) {
    std::vector<std::string> more{"--device", "cpu", "--max-ram", "285MB"};
    if (*dry != 0) more.emplace_back(dry);
    const auto done = run(with("done"), gen(more));
    EXPECT_EQ(done.code, 5) << done.err;
    EXPECT_THAT(done.err, HasSubstr("rubato-cli: this job "));
    EXPECT_THAT(done.err, HasSubstr("--frames "));
    EXPECT_FALSE(std::filesystem::exists(dir_ / "clip.mp4"));
  }
}

TEST_F(CliSession, EventsAreWholeLinesOfJsonAndNothingElse) {
  const auto done = run(with("done"), gen({"--progress=json"}));
  EXPECT_EQ(done.code, 0);
  std::vector<std::string> kinds;
  for (const auto& event : ndjson(done.out)) {
    EXPECT_EQ(event["v"], 1);
    EXPECT_TRUE(event["t"].is_string());
    const auto kind = event["ev"].get<std::string>();
    if (kinds.empty() || kinds.back() != kind) kinds.push_back(kind);
  }
  ASSERT_THAT(kinds, Not(IsEmpty()));
  EXPECT_EQ(kinds.front(), "hello");
  EXPECT_EQ(kinds.back(), "bye");
  for (const auto* kind : {"job.start", "job.phase", "job.progress", "job.output", "job.done"})
    EXPECT_THAT(kinds, testing::Contains(kind));
}

TEST_F(CliSession, AFailureEndsTheEventsWithItsCode) {
  const auto done = run(with("fail:out_of_memory"), gen({"--progress=json"}));
  EXPECT_EQ(done.code, 5);
  const auto events = ndjson(done.out);
  ASSERT_THAT(events, Not(IsEmpty()));
  EXPECT_EQ(events.back()["ev"], "bye");
  EXPECT_EQ(events.back()["code"], 5);
}

TEST_F(CliSession, EveryFailureOfAJobHasItsExitCode) {
  const std::vector<std::pair<std::string, int>> codes{{"failed", 1},        {"job_invalid", 3},   {"model_unfit", 4},
                                                       {"out_of_memory", 5}, {"output_exists", 6}, {"engine_died", 7},
                                                       {"no_device", 8},     {"time_limit", 9},    {"locked", 10},
                                                       {"numerics", 1},      {"cannot_write", 73}};
  for (const auto& [name, code] : codes) {
    const auto done = run(with("fail:" + name), gen());
    EXPECT_EQ(done.code, code) << name;
    EXPECT_THAT(done.err, HasSubstr("the fake worker was told to fail"));
    EXPECT_THAT(done.out, IsEmpty());
  }
}

TEST_F(CliSession, ADeadWorkerEndsWithSevenAndSaysWhatWasKept) {
  for (const auto* phase : {"load", "text", "denoise", "decode", "mux"}) {
    const auto done = run(with(std::string("die:") + phase), gen());
    EXPECT_EQ(done.code, 7) << phase;
    EXPECT_THAT(done.err, HasSubstr("nothing was kept")) << phase;
    EXPECT_THAT(done.out, IsEmpty());
    EXPECT_FALSE(std::filesystem::exists(dir_ / "clip.mp4"));
  }
}

TEST_F(CliSession, AMissingWorkerEndsWithSeven) {
  std::filesystem::remove(dir_.path() / "bin" / "rubato-worker");
  const auto done = run(with("done"), gen());
  EXPECT_EQ(done.code, 7);
  EXPECT_THAT(done.err, HasSubstr("rubato-worker"));
}

TEST_F(CliSession, ACutPromptIsAWarningEvenWhenQuiet) {
  const auto done = run(with("cut"), gen({"-q"}));
  EXPECT_EQ(done.code, 0);
  EXPECT_THAT(done.err, HasSubstr("warning: the end of the prompt is left out: \"and a dog\""));
}

TEST_F(CliSession, TheFirstCtrlCStopsAfterTheStepAndSaysWhatIsKept) {
  Program program(with("slow"), gen({"--progress=plain"}));
  ASSERT_TRUE(program.wait_for("denoise"));
  program.signal(SIGINT);
  const auto done = program.finish(std::chrono::seconds(20));
  EXPECT_EQ(done.code, 130);
  EXPECT_THAT(done.err, HasSubstr("Ctrl-C again stops at once"));
  EXPECT_THAT(done.err, HasSubstr("step 1 of 10 is kept"));
  EXPECT_THAT(done.out, IsEmpty());
}

TEST_F(CliSession, ACtrlCWhileDecodingSpeaksOfFramesAndNotOfSteps) {
  Program program(with("slow:decode"), gen({"--progress=plain"}));
  ASSERT_TRUE(program.wait_for("decode"));
  program.signal(SIGINT);
  const auto done = program.finish(std::chrono::seconds(20));
  EXPECT_EQ(done.code, 130);
  EXPECT_THAT(done.err, HasSubstr("Stopping after the current frames"));
  EXPECT_THAT(done.err, Not(HasSubstr("step")));
  EXPECT_THAT(done.err, HasSubstr("the finished latents are kept"));
}

TEST_F(CliSession, TheSecondCtrlCKillsTheWorker) {
  Program program(with("deaf"), gen({"--progress=plain"}));
  ASSERT_TRUE(program.wait_for("denoise"));
  const int worker = child_of(program.pid(), "rubato-worker");
  ASSERT_GT(worker, 0);
  program.signal(SIGINT);
  ASSERT_TRUE(program.wait_for("Ctrl-C again"));
  program.signal(SIGINT);
  const auto done = program.finish(std::chrono::seconds(20));
  EXPECT_EQ(done.code, 130);
  EXPECT_LT(child_of(program.pid(), "rubato-worker"), 0);
  EXPECT_NE(::kill(worker, 0), 0);
}

TEST_F(CliSession, TheThirdCtrlCLeavesEvenWhenNothingAnswers) {
  Program program(with("deaf"), gen({"--progress=plain"}));
  ASSERT_TRUE(program.wait_for("denoise"));
  const int worker = child_of(program.pid(), "rubato-worker");
  for (int i = 0; i < 3; ++i) {
    program.signal(SIGINT);
    ::usleep(20'000);
  }
  const auto done = program.finish(std::chrono::seconds(10));
  EXPECT_EQ(done.code, 130);
  // The worker dies with its parent.
  for (int i = 0; i < 100 && ::kill(worker, 0) == 0; ++i) ::usleep(20'000);
  EXPECT_NE(::kill(worker, 0), 0);
}

TEST_F(CliSession, TerminationIsAPoliteRequest) {
  Program program(with("slow"), gen({"--progress=plain"}));
  ASSERT_TRUE(program.wait_for("denoise"));
  program.signal(SIGTERM);
  const auto done = program.finish(std::chrono::seconds(20));
  EXPECT_EQ(done.code, 143);
  EXPECT_THAT(done.err, HasSubstr("is kept"));
}

TEST_F(CliSession, TheBarKeepsToTheTerminalAndIsGoneAtTheEnd) {
  auto setup = with("done");
  setup.terminal = true;
  const auto done = run(setup, gen());
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.out, "clip.mp4\n");
  EXPECT_THAT(done.err, HasSubstr("\r"));
  // The last thing drawn on the bar's line is nothing; then comes the closing line.
  const auto closing = done.err.find("Done in ");
  ASSERT_NE(closing, std::string::npos);
  EXPECT_EQ(done.err.substr(closing - 4, 4), "\r\033[K");
}

TEST_F(CliSession, GeometryThatTheModelCannotTakeEndsWithThree) {
  const auto done =
      run(with("done"), {"gen", "video", "-p", "x", "-o", "a.mp4", "--frames", "30", "--size", "100x128"});
  EXPECT_EQ(done.code, 3);
  EXPECT_THAT(done.err, HasSubstr("29 and 33"));
  EXPECT_THAT(done.err, HasSubstr("96x128"));
}

TEST_F(CliSession, AMissingModelEndsWithFour) {
  const auto done = run(with("done"), {"gen", "video", "-p", "x", "-o", "a.mp4", "-m", "practice-vidoe"});
  EXPECT_EQ(done.code, 4);
  EXPECT_THAT(done.err, HasSubstr("there is no model 'practice-vidoe'"));
  EXPECT_FALSE(std::filesystem::exists(dir_ / "a.mp4"));
}

TEST_F(CliSession, AModelThatIsNotThereLeavesNoWorkerBehind) {
  Program program(with("no-hello"), gen({"-m", "nowhere"}));
  const int pid = program.pid();
  const auto done = program.finish(std::chrono::seconds(5));
  EXPECT_EQ(done.code, 4);
  EXPECT_LT(child_of(pid, "rubato-worker"), 0);
}

}  // namespace
}  // namespace rubato::test
