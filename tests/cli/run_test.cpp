// `run` with the real worker and the practice model: what is done stays done, what was begun is gone on with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "engine/base/files.h"
#include "engine/base/ids.h"
#include "tests/cli/program.h"
#include "tests/support/small_disk.h"

namespace rubato::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// Containers may forbid even root to make a network of its own.
bool can_leave_the_network() {
  const auto child = ::fork();
  if (child == 0) ::_exit(::unshare(CLONE_NEWNET) == 0 ? 0 : 1);
  int status = 1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

class CliRun : public testing::Test {
 protected:
  void SetUp() override {
    if (!configured("rubato-worker") || !configured("rubato-media"))
      GTEST_SKIP() << "configured without libtorch, or RUBATO_MEDIA is OFF";
  }

  // Jobs of a second or less; without metadata equal jobs give equal bytes.
  void write_jobs(int count, int steps = 3, const std::string& name = "shots.csv") const {
    std::ofstream file(dir_ / name);
    file << "id,prompt,size,frames,steps,seed,device,metadata\n";
    for (int i = 1; i <= count; ++i)
      file << "shot-" << i << ",a red circle moves right,64x64,5," << steps << "," << i << ",cpu,false\n";
  }
  static std::vector<std::string> run_words(std::vector<std::string> more = {}, const std::string& jobs = "shots.csv") {
    std::vector<std::string> words{"run", jobs, "--out", "out", "--name", "{job}.mp4", "--progress", "json"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  // Hashes of the files a person would see, by name.
  std::map<std::string, std::string> results(const std::string& folder = "out") const {
    std::map<std::string, std::string> hashes;
    for (const auto& entry : fs::directory_iterator(dir_ / folder)) {
      const auto name = entry.path().filename().string();
      if (entry.is_regular_file() && name != "report.html" && name != "failed.csv")
        hashes[name] = sha256_file(entry.path()).value();
    }
    return hashes;
  }
  // Names in OUT/.rubato that are neither records of done jobs nor of runs.
  std::vector<std::string> leftovers(const std::string& folder = "out") const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(dir_ / folder / ".rubato")) {
      const auto name = entry.path().filename().string();
      if (!name.ends_with(".done") && name.find(".sqlite") == std::string::npos && name != "takeover" &&
          name != "reporting" && !name.ends_with(".sqlite.lock"))
        names.push_back(entry.path().lexically_relative(dir_ / folder).string());
    }
    return names;
  }
  // The file of a job that is being rendered, "" when there is none.
  fs::path claim_file() const {
    for (const auto& entry : fs::directory_iterator(dir_ / "out/.rubato"))
      if (entry.path().extension() == ".lock" && entry.path().stem().extension() != ".sqlite") return entry.path();
    return {};
  }
  std::vector<std::string> work_folders() const {
    std::vector<std::string> names;
    std::error_code gone;  // the folder goes with the last job
    for (const auto& entry : fs::directory_iterator(dir_ / "out/.rubato/work", gone))
      names.push_back(entry.path().filename().string());
    return names;
  }
  // What the same jobs give when nothing happens to them.
  std::map<std::string, std::string> calm_results(int count, int steps) {
    write_jobs(count, steps, "calm.csv");
    const auto done = run(here_, {"run", "calm.csv", "--out", "calm", "--name", "{job}.mp4"});
    EXPECT_EQ(done.code, 0) << done.err;
    return results("calm");
  }
  static int count_of(const std::string& events, const std::string& name) {
    const auto all = ndjson(events);
    return static_cast<int>(std::count_if(all.begin(), all.end(), [&](const json& e) { return e["ev"] == name; }));
  }
  // Waits until this many steps of a job are done.
  static bool wait_for_step(Program& running, const std::string& job, int steps) {
    return running.wait_until([&] {
      const auto& out = running.out();
      const auto events = ndjson(out.substr(0, out.rfind('\n') + 1));
      return std::any_of(events.begin(), events.end(), [&](const json& event) {
        return event.value("job", "") == job && event.value("phase", "") == "denoise" && event.value("i", 0) >= steps;
      });
    });
  }

  TempDir dir_;
  // One thread: small jobs gain nothing from more, and two that wait for each other crawl on a busy machine.
  Shell here_{.folder = dir_.path(), .env = {{"OMP_NUM_THREADS", "1"}}};
};

TEST_F(CliRun, RendersAFileAndTheSecondTimeFindsItDone) {
  write_jobs(3);
  const auto first = run(here_, run_words());
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(count_of(first.out, "job.done"), 3);
  const auto files = results();
  EXPECT_EQ(files.size(), 3u);
  EXPECT_THAT(leftovers(), IsEmpty());
  EXPECT_THAT(read_file(dir_ / "out/report.html", 1 << 20).value(), HasSubstr("shot-2"));

  const auto second = run(here_, run_words());
  EXPECT_EQ(second.code, 0);
  EXPECT_EQ(count_of(second.out, "job.start"), 0) << "nothing is rendered twice";
  EXPECT_EQ(results(), files);
}

TEST_F(CliRun, GoesOnInTheMiddleOfAJobWhoseWorkerWasKilled) {
  const auto calm = calm_results(1, 60);
  write_jobs(1, 60);
  Program running(here_, run_words());
  ASSERT_TRUE(wait_for_step(running, "shot-1", 5)) << running.err();
  ::kill(child_of(running.pid(), "rubato-worker"), SIGKILL);
  const auto done = running.finish();
  ASSERT_EQ(done.code, 0) << done.err << done.out;
  EXPECT_THAT(done.out, HasSubstr("it is tried again from its last checkpoint"));
  EXPECT_THAT(done.out, HasSubstr("going on after step"));
  EXPECT_EQ(results(), calm);
  EXPECT_THAT(leftovers(), IsEmpty());
}

TEST_F(CliRun, BringsTheJobsOfALimitToTheirEnd) {
  write_jobs(2, 60);
  Program running(here_, run_words({"--limit", "1"}));
  ASSERT_TRUE(wait_for_step(running, "shot-1", 3)) << running.err();
  ::kill(child_of(running.pid(), "rubato-worker"), SIGKILL);
  const auto done = running.finish();
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_TRUE(fs::exists(dir_ / "out/shot-1.mp4")) << done.out;
  EXPECT_FALSE(fs::exists(dir_ / "out/shot-2.mp4"));
}

TEST_F(CliRun, GoesOnInTheMiddleOfAJobAfterItWasKilledItself) {
  const auto calm = calm_results(2, 60);
  write_jobs(2, 60);
  {
    Program running(here_, run_words());
    ASSERT_TRUE(wait_for_step(running, "shot-1", 5)) << running.err();
    running.signal(SIGKILL);
    EXPECT_EQ(running.finish().signal, SIGKILL);
  }
  EXPECT_FALSE(fs::exists(dir_ / "out/shot-1.mp4"));
  const auto done = run(here_, run_words());
  ASSERT_EQ(done.code, 0) << done.err << done.out;
  EXPECT_THAT(done.out, HasSubstr("going on after step"));
  EXPECT_EQ(results(), calm);
  EXPECT_THAT(leftovers(), IsEmpty());
}

TEST_F(CliRun, PutsAJobAsideThatKillsItsWorkerTwiceAndGoesOn) {
  write_jobs(2, 60);
  Program running(here_, run_words({"--max-retries", "0"}));
  ASSERT_TRUE(wait_for_step(running, "shot-1", 3)) << running.err();
  ::kill(child_of(running.pid(), "rubato-worker"), SIGKILL);
  const auto done = running.finish();
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.out, HasSubstr("quarantine"));
  EXPECT_TRUE(fs::exists(dir_ / "out/shot-2.mp4"));
  const auto failed = read_file(dir_ / "out/failed.csv", 1 << 20).value();
  EXPECT_THAT(failed, HasSubstr("shot-1"));
  EXPECT_THAT(failed, Not(HasSubstr("shot-2")));

  const auto again = run(here_, run_words({}, "out/failed.csv"));
  EXPECT_EQ(again.code, 0) << again.err << again.out;
  EXPECT_TRUE(fs::exists(dir_ / "out/shot-1.mp4"));
  EXPECT_FALSE(fs::exists(dir_ / "out/failed.csv"));
}

// Two job files, and parts of one, go to the same folder: none wipes out what another owes or has made.
TEST_F(CliRun, KeepsWhatOtherJobFilesAndFiltersOwe) {
  write_jobs(2, 60);
  Program running(here_, run_words({"--max-retries", "0"}));
  ASSERT_TRUE(wait_for_step(running, "shot-1", 3)) << running.err();
  ::kill(child_of(running.pid(), "rubato-worker"), SIGKILL);
  ASSERT_EQ(running.finish().code, 1);

  std::ofstream(dir_ / "stars.csv") << "id,prompt,size,frames,steps,seed,out\n"
                                       "star,a blue star waits,64x64,5,2,1,star.mp4\n";
  ASSERT_EQ(run(here_, run_words({}, "stars.csv")).code, 0);
  ASSERT_EQ(run(here_, run_words({"--jobs-filter", "shot-2"})).code, 0);
  EXPECT_THAT(read_file(dir_ / "out/failed.csv", 1 << 20).value(), HasSubstr("shot-1"));
  const auto report = read_file(dir_ / "out/report.html", 1 << 20).value();
  for (const auto* job : {"shot-1", "quarantine", "shot-2", "star.mp4", "a blue star waits", "stars.csv, line 2",
                          "<h1><bdi>shots.csv, stars.csv</bdi></h1>", "This run rendered</dt><dd>nothing<"})
    EXPECT_THAT(report, HasSubstr(job));

  EXPECT_EQ(run(here_, run_words()).code, 0);
  EXPECT_FALSE(fs::exists(dir_ / "out/failed.csv"));
  std::ofstream(dir_ / "out/failed.csv") << "a person's table\n";
  EXPECT_EQ(run(here_, run_words()).code, 0);
  EXPECT_EQ(read_file(dir_ / "out/failed-2.csv", 1 << 20).value(), "a person's table\n");
}

TEST_F(CliRun, StartsNothingWhenAJobIsRefused) {
  std::ofstream(dir_ / "shots.csv")
      << "id,prompt,frames,size\na,a red circle,9,64x64\nb,a red circle,80,64x64\nc,a red circle,9,65x64\n";
  for (const auto& more : {std::vector<std::string>{}, {"--dry-run"}}) {
    const auto done = run(here_, run_words(more));
    EXPECT_EQ(done.code, 3);
    EXPECT_THAT(done.err, HasSubstr("shots.csv, line 3"));
    EXPECT_THAT(done.err, HasSubstr("81"));
    EXPECT_THAT(done.err, HasSubstr("line 4"));
    EXPECT_FALSE(fs::exists(dir_ / "out"));
  }
}

TEST_F(CliRun, PrintsOneObjectWithJson) {
  write_jobs(1);
  const auto done = run(here_, {"run", "shots.csv", "--out", "out", "--name", "{job}.mp4", "--json"});
  ASSERT_EQ(done.code, 0) << done.err;
  const auto value = json::parse(done.out);
  EXPECT_EQ(value["jobs"][0]["state"], "done");
  EXPECT_EQ(value["jobs"][0]["outputs"][0]["path"], "shot-1.mp4");

  const auto again = run(here_, {"run", "shots.csv", "--out", "out", "--name", "{job}.mp4", "--json"});
  auto known = json::parse(again.out)["jobs"][0];
  EXPECT_EQ(known["earlier"], true);
  EXPECT_EQ(known["outputs"], value["jobs"][0]["outputs"]) << "what was done before is named as well";
  EXPECT_THAT(read_file(dir_ / "out/report.html", 1 << 20).value(), HasSubstr("shot-1.mp4"));
}

// Also a job that is rendered, but whose name somebody took meanwhile, is a failure to stop at.
TEST_F(CliRun, StopsAtTheFirstFailureOfAnyKind) {
  write_jobs(2, 60);
  Program running(here_, run_words({"--on-error", "stop"}));
  ASSERT_TRUE(wait_for_step(running, "shot-1", 3)) << running.err();
  std::ofstream(dir_ / "out/shot-1.mp4") << "a holiday";
  const auto done = running.finish();
  EXPECT_EQ(done.code, 1) << done.out;
  EXPECT_THAT(done.err, HasSubstr("stopped at the first failure, shot-1"));
  EXPECT_EQ(count_of(done.out, "job.done"), 0);
  EXPECT_FALSE(fs::exists(dir_ / "out/shot-2.mp4"));
  EXPECT_EQ(read_file(dir_ / "out/shot-1.mp4", 100).value(), "a holiday");
}

TEST_F(CliRun, RefusesWhatCannotBeWrittenBeforeAnythingIsRendered) {
  std::ofstream(dir_ / "shots.csv") << "prompt,frames,size,out\na red circle,9,64x64,a.mp4\n"
                                       "a blue star,9,64x64,a.mp4/b.mp4\n";
  const auto clash = run(here_, run_words());
  EXPECT_EQ(clash.code, 3);
  EXPECT_THAT(clash.err, HasSubstr("a.mp4 would be a file and a folder, also by shots.csv, line 2"));

  write_jobs(1);
  std::ofstream(dir_ / "out") << "no folder";
  for (const auto& more : {std::vector<std::string>{}, {"--dry-run"}}) {
    const auto refused = run(here_, run_words(more));
    EXPECT_EQ(refused.code, 73);
    EXPECT_THAT(refused.err, HasSubstr("is not a folder"));
  }
}

// What the engine would refuse after the run has begun, in gen's words.
TEST_F(CliRun, RefusesNamesThatCannotTakeManyFrames) {
  std::ofstream(dir_ / "shots.csv") << "prompt,frames,size,out\na red circle,9,64x64,one.png\n"
                                       "a blue star,9,64x64,shot_##_##.png\na blue star,1,64x64,still.png\n";
  const auto refused = run(here_, run_words({"--dry-run"}));
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, HasSubstr("line 2: one.png holds one frame, not 9; name many as one_####.png"));
  EXPECT_THAT(refused.err, HasSubstr("line 3: shot_##_##.png needs exactly one place for the frame number"));
  EXPECT_THAT(refused.err, Not(HasSubstr("line 4")));
  EXPECT_THAT(run(here_, {"run", "shots.csv", "--dry-run"}).out,
              AllOf(testing::ContainsRegex("job-1 +refused"), testing::ContainsRegex("job-2 +refused")));
  for (const auto* name : {"one.png", "shot_##_##.png"}) {
    const auto gen = run(here_, {"gen", "video", "-p", "a red circle", "--frames", "9", "-o", name, "--dry-run"});
    EXPECT_NE(gen.code, 0) << name;
    EXPECT_THAT(gen.err, HasSubstr(name == std::string("one.png") ? "holds one frame" : "exactly one place"));
  }
}

TEST_F(CliRun, NeverReplacesAFileItDidNotMake) {
  write_jobs(1);
  fs::create_directory(dir_ / "out");
  std::ofstream(dir_ / "out/shot-1.mp4") << "a holiday";
  const auto refused = run(here_, run_words());
  EXPECT_EQ(refused.code, 6);
  EXPECT_EQ(read_file(dir_ / "out/shot-1.mp4", 100).value(), "a holiday");
  const auto renamed = run(here_, run_words({"--overwrite", "rename"}));
  EXPECT_EQ(renamed.code, 0) << renamed.err;
  EXPECT_TRUE(fs::exists(dir_ / "out/shot-1-2.mp4"));
  EXPECT_EQ(read_file(dir_ / "out/shot-1.mp4", 100).value(), "a holiday");
}

TEST_F(CliRun, RendersAgainWhatIsGoneAndSaysWhatWasChanged) {
  write_jobs(2);
  ASSERT_EQ(run(here_, run_words()).code, 0);
  const auto files = results();
  fs::remove(dir_ / "out/shot-1.mp4");
  const auto again = run(here_, run_words());
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(results(), files);

  std::ofstream(dir_ / "out/shot-2.mp4", std::ios::app) << "edited";
  const auto refused = run(here_, run_words());
  EXPECT_EQ(refused.code, 6);
  EXPECT_THAT(refused.err, HasSubstr("was changed"));
  EXPECT_EQ(run(here_, run_words({"--overwrite", "if-changed"})).code, 0);
  EXPECT_EQ(results(), files);
}

// A clip has its metadata beside it, which differ from render to render.
TEST_F(CliRun, RendersAgainOverWhatIsLeftOfItsOwnResult) {
  std::ofstream(dir_ / "shots.csv") << "id,prompt,size,frames,steps\nshot,a red circle moves right,64x64,5,2\n";
  ASSERT_EQ(run(here_, run_words()).code, 0);
  fs::remove(dir_ / "out/shot.mp4");
  const auto again = run(here_, run_words());
  EXPECT_EQ(again.code, 0) << again.err << again.out;
  EXPECT_TRUE(fs::exists(dir_ / "out/shot.mp4"));

  const auto fresh = run(here_, run_words({"--fresh"}));
  EXPECT_EQ(fresh.code, 0) << fresh.err << fresh.out;
  EXPECT_EQ(count_of(fresh.out, "job.start"), 1);

  std::ofstream(dir_ / "out/shot.mp4.json", std::ios::app) << "a note";
  for (const auto& more : {std::vector<std::string>{}, {"--fresh"}}) EXPECT_EQ(run(here_, run_words(more)).code, 6);
  EXPECT_THAT(read_file(dir_ / "out/shot.mp4.json", 1 << 20).value(), HasSubstr("a note"));
}

TEST_F(CliRun, FindsJobsDoneWhoseNamesHaveChangedMeanwhile) {
  std::ofstream(dir_ / "shots.csv") << "id,prompt,size,frames,steps,out\n"
                                       "shot,a red circle moves right,64x64,5,2,{time}-{index}.mp4\n";
  ASSERT_EQ(run(here_, run_words()).code, 0);
  std::this_thread::sleep_for(1100ms);  // {time} is another now
  const auto again = run(here_, run_words());
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(count_of(again.out, "job.start"), 0) << again.out;

  std::ofstream(dir_ / "holiday.csv") << "id,prompt,size,frames,steps,out\n"
                                         "shot,a blue star waits,64x64,5,2,holiday.mp4\n";
  std::ofstream(dir_ / "out/holiday.mp4") << "a holiday";
  ASSERT_EQ(run(here_, run_words({"--overwrite", "rename"}, "holiday.csv")).code, 0);
  EXPECT_EQ(count_of(run(here_, run_words({"--overwrite", "rename"}, "holiday.csv")).out, "job.start"), 0);
  EXPECT_FALSE(fs::exists(dir_ / "out/holiday-3.mp4"));
}

TEST_F(CliRun, RendersPicturesIntoAFolder) {
  std::ofstream(dir_ / "shots.csv") << "id,prompt,size,frames,steps,out\n"
                                       "shot,a red circle moves right,64x64,5,2,{job}-frames/\n";
  const auto done = run(here_, run_words());
  ASSERT_EQ(done.code, 0) << done.err << done.out;
  const auto pictures = results("out/shot-frames");
  EXPECT_EQ(pictures.size(), 5u);
  EXPECT_EQ(count_of(run(here_, run_words()).out, "job.start"), 0);
  fs::remove_all(dir_ / "out/.rubato");
  EXPECT_EQ(run(here_, run_words()).code, 6) << "the folder is not empty";
}

TEST_F(CliRun, LooksOnlyAtTheJobsThatAreAskedFor) {
  write_jobs(3);
  ASSERT_EQ(run(here_, run_words({"--jobs-filter", "shot-[12]"})).code, 0);
  std::ofstream(dir_ / "out/shot-1.mp4", std::ios::app) << "edited";
  const auto other = run(here_, run_words({"--jobs-filter", "shot-3"}));
  EXPECT_EQ(other.code, 0) << other.err;
  EXPECT_THAT(other.err, HasSubstr("1 of 1 jobs done in")) << "none of the others is counted";
}

TEST_F(CliRun, CountsEveryJobOnceInItsPlan) {
  write_jobs(4);
  fs::create_directory(dir_ / "out");
  std::ofstream(dir_ / "out/shot-1.mp4") << "a holiday";
  const auto dry = run(here_, {"run", "shots.csv", "--out", "out", "--name", "{job}.mp4", "--dry-run", "--json",
                               "--jobs-filter", "shot-[123]", "--limit", "1"});
  EXPECT_EQ(dry.code, 6);
  EXPECT_THAT(dry.err, HasSubstr("1 job to render, 1 left for later by --limit, 1 left out by --jobs-filter, "));
  EXPECT_THAT(dry.err, HasSubstr("; 1 refused."));
  const auto plan = json::parse(dry.out);
  EXPECT_EQ(plan["to_render"], 1);
  EXPECT_EQ(plan["later"], 1);
  EXPECT_EQ(plan["left_out"], 1);
  EXPECT_EQ(plan["refusals"].size(), 1u);
  ASSERT_EQ(plan["jobs"].size(), 3u);
  EXPECT_EQ(plan["jobs"][0]["state"], "refused");
  EXPECT_EQ(plan["jobs"][1]["state"], "queued");
  EXPECT_THAT(run(here_, {"run", "shots.csv", "--out", "out", "--name", "{job}.mp4", "--dry-run"}).out,
              HasSubstr("refused"));

  const auto limited = run(here_, run_words({"--jobs-filter", "shot-[23]", "--limit", "1"}));
  EXPECT_EQ(limited.code, 0);
  EXPECT_THAT(limited.err, HasSubstr("1 of 1 jobs done in"));
  EXPECT_THAT(limited.err, HasSubstr(", 1 left for later by --limit"));
}

// What is wrong with a job that the filter leaves out is no reason against the others; what waits for it waits.
TEST_F(CliRun, ATimeNeedsItsUnit) {
  write_jobs(1);
  const auto done = run(here_, run_words({"--time-limit", "8"}));
  EXPECT_EQ(done.code, 2);
  EXPECT_THAT(done.err, HasSubstr("--time-limit 8 has no unit; write 8s, 8m or 8h"));
}

TEST_F(CliRun, RefusesNoJobThatIsLeftOut) {
  std::ofstream(dir_ / "shots.csv") << "id,prompt,frames,size,after\nbad,a red circle,80,64x64,\n"
                                       "good,a red circle,9,64x64,\nlate,a red circle,9,64x64,bad\n";
  EXPECT_EQ(run(here_, run_words({"--dry-run"})).code, 3);
  const auto dry = run(here_, {"run", "shots.csv", "--out", "out", "--dry-run", "--json", "--jobs-filter", "*[de]"});
  EXPECT_EQ(dry.code, 3) << "bad ends in d";
  const auto fine = run(here_, {"run", "shots.csv", "--out", "out", "--dry-run", "--json", "--jobs-filter", "[gl]*"});
  EXPECT_EQ(fine.code, 0) << fine.err;
  const auto plan = json::parse(fine.out);
  EXPECT_EQ(plan["to_render"], 1);
  EXPECT_EQ(plan["jobs"][1]["state"], "blocked");
}

// As if this process had been stopped for minutes: what its worker finishes meanwhile is the other's to publish.
TEST_F(CliRun, PublishesNothingThatAnotherProcessHasTakenOver) {
  write_jobs(1, 60);
  Program running(here_, run_words());
  ASSERT_TRUE(wait_for_step(running, "shot-1", 3)) << running.err();
  const auto lock = claim_file();
  ASSERT_FALSE(lock.empty());
  std::ofstream(lock) << R"({"host":"far-away","boot":"b","pid_namespace":"p","pid":7,"started":1,"token":"T"})";
  ASSERT_TRUE(running.wait_for("taken over by far-away")) << running.out();
  EXPECT_FALSE(fs::exists(dir_ / "out/shot-1.mp4"));
  fs::remove(lock);
  const auto done = running.finish();
  EXPECT_EQ(done.code, 0) << done.err << done.out;
  EXPECT_TRUE(fs::exists(dir_ / "out/shot-1.mp4"));
  EXPECT_THAT(leftovers(), IsEmpty());
}

// The same, but the first is only stopped, with its worker, and wakes up while the second renders.
TEST_F(CliRun, WakesUpWithoutHarmAfterItsJobWasTakenOver) {
  const auto calm = calm_results(1, 150);
  write_jobs(1, 150);
  Program stopped(here_, run_words());
  ASSERT_TRUE(wait_for_step(stopped, "shot-1", 20)) << stopped.err();
  const int worker = child_of(stopped.pid(), "rubato-worker");
  ASSERT_GT(worker, 0);
  stopped.signal(SIGSTOP);
  ::kill(worker, SIGSTOP);
  // Its host seems dead: the claim is that of a process that is gone.
  const auto lock = claim_file();
  ASSERT_FALSE(lock.empty());
  auto claim = json::parse(read_file(lock, 4096).value());
  claim["started"] = 1;
  std::ofstream(lock) << claim.dump();
  const auto folders = work_folders();
  ASSERT_EQ(folders.size(), 1u);

  Program second(here_, run_words());
  ASSERT_TRUE(second.wait_for("going on after step")) << second.out();
  EXPECT_THAT(work_folders(), testing::AllOf(SizeIs(1), Not(Contains(folders[0])))) << "one of its own";
  const auto theirs = work_folders();
  const auto token = json::parse(read_file(lock, 4096).value())["token"];
  ::kill(worker, SIGCONT);
  stopped.signal(SIGCONT);
  ASSERT_TRUE(stopped.wait_for("was taken over by")) << stopped.out();
  // By now the second one may have ended; as long as it is at work, its folder and its claim are as they were.
  EXPECT_THAT(work_folders(), testing::AnyOf(theirs, IsEmpty()));
  if (const auto held = read_file(lock, 4096)) {
    EXPECT_EQ(json::parse(*held)["token"], token) << "the new claim is not touched";
  }
  const auto done = second.finish();
  EXPECT_EQ(done.code, 0) << done.err << done.out;
  const auto woken = stopped.finish();
  EXPECT_EQ(woken.code, 0) << woken.err << woken.out;
  EXPECT_EQ(count_of(woken.out, "job.fail"), 0) << woken.out;
  EXPECT_EQ(results(), calm);
  EXPECT_THAT(leftovers(), IsEmpty());
}

TEST_F(CliRun, SaysThatSomebodyDeletedItsClaimAndGoesOn) {
  const auto calm = calm_results(1, 60);
  write_jobs(1, 60);
  Program running(here_, run_words());
  ASSERT_TRUE(wait_for_step(running, "shot-1", 3)) << running.err();
  fs::remove(claim_file());
  const auto done = running.finish();
  EXPECT_EQ(done.code, 0) << done.err << done.out;
  EXPECT_THAT(done.out, HasSubstr("somebody deleted"));
  EXPECT_EQ(count_of(done.out, "job.start"), 1) << "nothing is rendered twice";
  EXPECT_EQ(results(), calm);
  EXPECT_THAT(leftovers(), IsEmpty());
}

TEST_F(CliRun, TwoOnOneFolderRenderEachJobOnce) {
  const auto calm = calm_results(8, 3);
  write_jobs(8, 3);
  // As two hosts would, they share nothing but the folder; without the rights for that, the network too.
  Shell apart = here_;
  auto words = run_words();
  if (can_leave_the_network()) {
    apart.program = "/usr/bin/unshare";
    words.insert(words.begin(), {"--net", (fs::path(RUBATO_BIN_DIR) / "rubato-cli").string()});
  }
  Program a(apart, words), b(apart, words);
  const auto first = a.finish(), second = b.finish();
  EXPECT_EQ(first.code, 0) << first.err << first.out;
  EXPECT_EQ(second.code, 0) << second.err << second.out;
  const auto rendered = count_of(first.out, "job.start");
  EXPECT_EQ(rendered + count_of(second.out, "job.start"), 8);
  EXPECT_EQ(first.err.find("of them by other processes") != std::string::npos, rendered < 8) << first.err;
  EXPECT_EQ(results(), calm);
  EXPECT_THAT(leftovers(), IsEmpty());
}

TEST_F(CliRun, StopsAfterTheStepOnCtrlCAndGoesOnLater) {
  const auto calm = calm_results(2, 60);
  write_jobs(2, 60);
  Program running(here_, run_words());
  ASSERT_TRUE(wait_for_step(running, "shot-1", 3)) << running.err();
  running.signal(SIGINT);
  const auto stopped = running.finish();
  EXPECT_EQ(stopped.code, 130) << stopped.out;
  EXPECT_EQ(count_of(stopped.out, "job.done"), 0);
  EXPECT_THAT(stopped.out, HasSubstr("Stopping after the current step; Ctrl-C again stops at once."));
  const auto done = run(here_, run_words());
  EXPECT_EQ(done.code, 0) << done.out;
  EXPECT_THAT(done.out, HasSubstr("going on after step"));
  EXPECT_EQ(results(), calm);
}

TEST_F(CliRun, StopsAtTheTimeLimitWithNine) {
  write_jobs(60, 60);
  const auto stopped = run(here_, run_words({"--time-limit", "3s"}));
  EXPECT_EQ(stopped.code, 9) << stopped.out;
  EXPECT_LT(stopped.seconds, 30);
  EXPECT_THAT(stopped.out, HasSubstr("the time limit of 3s is reached; the same command goes on"));
  EXPECT_THAT(read_file(dir_ / "out/failed.csv", 1 << 20).value(),
              HasSubstr("shot-60.mp4,not started: the time limit of 3s is reached\n"));
}

// What a stopped run did not get to can be rendered from failed.csv alone, each job after those that it waits for.
TEST_F(CliRun, AStoppedRunOwesAllThatIsNotDone) {
  std::ofstream(dir_ / "shots.csv") << "id,prompt,size,frames,steps,after,seed\n"
                                       "now,a red circle waits,64x64,5,2,,1\n"
                                       "early,a red circle waits,64x64,5,300,now,2\n"
                                       "late,a blue star waits,64x64,5,2,early now,3\n"
                                       "other,a red ring waits,64x64,5,2,,4\n";
  Program running(here_, run_words({"--jobs-filter", "[!o]*"}));
  ASSERT_TRUE(wait_for_step(running, "early", 3)) << running.err();
  running.signal(SIGINT);
  const auto stopped = running.finish();
  ASSERT_EQ(stopped.code, 130);
  EXPECT_THAT(stopped.err, HasSubstr(", 1 interrupted, 1 not begun."));
  const auto failed = lines(read_file(dir_ / "out/failed.csv", 1 << 20).value());
  ASSERT_EQ(failed.size(), 3u);
  EXPECT_THAT(failed[1], AllOf(HasSubstr("early,"), Not(HasSubstr("now")), HasSubstr("step")));
  EXPECT_THAT(failed[2], AllOf(HasSubstr("late,"), HasSubstr(",early,3,"),
                               HasSubstr("\"it waits for early, which is not done\"")));
  // A job that a filter left out is owed where one that failed waits for it.
  std::ofstream(dir_ / "pair.csv") << "id,prompt,size,frames,steps,after,seed\n"
                                      "first,a red circle waits,64x64,5,2,,1\n"
                                      "second,a blue star waits,64x64,5,2,first,2\n";
  ASSERT_EQ(run(here_, {"run", "pair.csv", "--out", "pair", "--jobs-filter", "second"}).code, 1);
  const auto pair = read_file(dir_ / "pair/failed.csv", 1 << 20).value();
  EXPECT_THAT(pair, AllOf(HasSubstr("\nfirst,"), HasSubstr("left out by --jobs-filter"), HasSubstr(",first,2,")));
  EXPECT_EQ(run(here_, {"run", "pair/failed.csv", "--out", "pair"}).code, 0);
  EXPECT_FALSE(fs::exists(dir_ / "pair/failed.csv"));
}

// Whoever kills a test program must not leave its programs at work, nor its file systems.
TEST_F(CliRun, LeavesNothingBehindWhenItsParentIsKilled) {
  write_jobs(1, 1000);
  const auto pids = dir_ / "pids";
  const auto child = ::fork();
  if (child == 0) {
    const SmallDisk disk(dir_ / "out", "32m");
    Program running(here_, run_words());
    if (wait_for_step(running, "shot-1", 1))
      std::ofstream(pids) << running.pid() << ' ' << disk.mounted() << ' ' << child_of(running.pid(), "rubato-worker")
                          << std::endl;
    ::pause();
    ::_exit(0);
  }
  int command = 0, worker = 0;
  bool mounted = false;
  for (int i = 0; i < 6000 && worker == 0; ++i) {
    std::ifstream(pids) >> command >> mounted >> worker;
    std::this_thread::sleep_for(10ms);
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ASSERT_GT(command, 0);
  ASSERT_GT(worker, 0);
  const auto gone = [](int pid) {  // or dead, where nobody asks how it ended
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    return !std::getline(stat, text) || text.find(") Z ") != std::string::npos;
  };
  for (int i = 0; i < 1000 && !(gone(command) && gone(worker)); ++i) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(gone(command));
  EXPECT_TRUE(gone(worker));
  EXPECT_EQ(fs::is_empty(dir_ / "out"), mounted) << "what was mounted there is gone";
}

TEST_F(CliRun, WaitsForJobsThatComeBefore) {
  std::ofstream(dir_ / "shots.csv")
      << "id,prompt,size,frames,steps,after,priority\n"
         "late,a red circle moves right,64x64,5,2,early,9\nearly,a blue star waits,64x64,5,2,,\n";
  const auto done = run(here_, run_words());
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_LT(done.out.find("\"ev\":\"job.done\",\"job\":\"early\""),
            done.out.find("\"ev\":\"job.start\",\"job\":\"late\""))
      << done.out;
}

// What is rendered anew is what the filter selects; the others are done as before.
TEST_F(CliRun, RendersAnewWhatWaitsForAJobThatIsLeftOutAndDone) {
  std::ofstream(dir_ / "shots.csv") << "id,prompt,size,frames,steps,after,seed\n"
                                       "first,a red circle waits,64x64,5,2,,1\n"
                                       "second,a blue star waits,64x64,5,2,first,2\n";
  ASSERT_EQ(run(here_, run_words()).code, 0);
  const auto again = run(here_, run_words({"--fresh", "--jobs-filter", "second"}));
  EXPECT_EQ(again.code, 0) << again.err << again.out;
  EXPECT_EQ(count_of(again.out, "job.start"), 1);
}

// A folder of another user: said before anything is rendered, in a sentence, and not waited for.
TEST_F(CliRun, SaysThatAnotherUsersRecordsAreClosedToIt) {
  write_jobs(1);
  fs::create_directories(dir_ / "out/.rubato");
  std::ofstream(dir_ / "out/.rubato/takeover") << "";
  fs::permissions(dir_ / "out/.rubato/takeover", fs::perms::owner_read);
  auto shell = here_;
  shell.minds_modes = true;
  const auto refused = run(shell, run_words());
  EXPECT_EQ(refused.code, 73) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("out/.rubato/takeover"));
  EXPECT_EQ(count_of(refused.out, "job.start"), 0);
}

// The disk fills up while a job runs, and later has room again.
TEST_F(CliRun, WaitsForAFullDiskAndLosesNothing) {
  const SmallDisk disk(dir_ / "out", "6m");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a file system needs rights that this run lacks";
  const auto calm = calm_results(3, 60);
  write_jobs(3, 60);
  Program running(here_, run_words());
  ASSERT_TRUE(wait_for_step(running, "shot-1", 3)) << running.err();
  disk.fill();
  ASSERT_TRUE(running.wait_for("waiting for the disk")) << running.out();
  fs::remove(disk / "filler");
  const auto done = running.finish();
  EXPECT_EQ(done.code, 0) << done.err << done.out;
  EXPECT_EQ(results(), calm);
  EXPECT_THAT(leftovers(), IsEmpty());
}

// Root ignores file modes, so the folder is made read-only as a file system.
TEST_F(CliRun, WaitsWhileTheFolderIsReadOnly) {
  const SmallDisk disk(dir_ / "out", "32m");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a file system needs rights that this run lacks";
  const auto calm = calm_results(2, 300);
  write_jobs(2, 300);
  Program running(here_, run_words());
  ASSERT_TRUE(wait_for_step(running, "shot-1", 3)) << running.err();
  bool read_only = false;
  for (int i = 0; i < 400 && !read_only; ++i) {
    read_only = ::mount(nullptr, disk.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY | MS_BIND, nullptr) == 0;
    if (!read_only) std::this_thread::sleep_for(10ms);
  }
  ASSERT_TRUE(read_only);
  ASSERT_TRUE(running.wait_for("waiting for the disk")) << running.out();
  ASSERT_EQ(::mount(nullptr, disk.path().c_str(), nullptr, MS_REMOUNT | MS_BIND, nullptr), 0);
  const auto done = running.finish();
  EXPECT_EQ(done.code, 0) << done.err << done.out;
  EXPECT_EQ(results(), calm);
}

}  // namespace
}  // namespace rubato::test
