#include "pipelines/job/queue/queue_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>

#include "pipelines/job/library/render_record.h"
#include "pipelines/job/queue/queue_requests.h"
#include "pipelines/job/queue/queue_work.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Keeps what it is told.
class Watcher final : public QueueObserver {
 public:
  void started(const QueueJob& job) override {
    keep("started " + job.name);
    if (on_started) on_started(job);
  }
  void message(const QueueJob&, Envelope& envelope) override {
    const std::lock_guard lock(mutex_);
    if (!std::holds_alternative<protocol::Preview>(envelope.message)) return;
    const auto picture = MappedMemfd::map(envelope.fd.get(), std::get<protocol::Preview>(envelope.message).bytes());
    previews += picture.ok();
  }
  void ended(const QueueJob& job, const std::vector<JobOutput>& outputs) override {
    keep(std::string(state_name(job.state)) + " " + job.name);
    const std::lock_guard lock(mutex_);
    for (const auto& output : outputs) files.push_back(output.path);
  }
  void changed() override { ++changes; }
  void note(const std::string& sentence) override {
    const std::lock_guard lock(mutex_);
    notes.push_back(sentence);
  }

  bool wait_for(const std::string& what) {
    std::unique_lock lock(mutex_);
    return news_.wait_for(lock, 20s, [&] { return std::count(told_.begin(), told_.end(), what) > 0; });
  }
  std::vector<std::string> told() {
    const std::lock_guard lock(mutex_);
    return told_;
  }

  std::function<void(const QueueJob&)> on_started;
  std::vector<std::string> files, notes;
  int previews = 0;
  std::atomic<int> changes{0};

 private:
  void keep(std::string what) {
    const std::lock_guard lock(mutex_);
    told_.push_back(std::move(what));
    news_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable news_;
  std::vector<std::string> told_;
};

class QueueRunnerTest : public testing::Test {
 protected:
  fs::path state() const { return folder_ / "state"; }
  fs::path clip(const std::string& name) const { return folder_ / ("videos/" + name + ".mp4"); }

  static QueueRunnerOptions options() {
    QueueRunnerOptions options;
    options.devices = {"cpu"};
    options.worker.executable = fs::path(RUBATO_BIN_DIR) / "rubato_fake_worker";
    options.until_empty = true;
    options.pause_after_crash = false;
    options.restarts.delays[0] = options.restarts.delays[1] = options.restarts.delays[2] = 1ms;
    return options;
  }
  void SetUp() override { fs::create_directories(state()); }
  std::unique_ptr<QueueRunner> open(const QueueRunnerOptions& chosen = options()) {
    auto runner = QueueRunner::open(state(), chosen, watcher_);
    EXPECT_TRUE(runner.ok()) << (runner.ok() ? "" : runner.error().message);
    return std::move(*runner);
  }

  // What the fake worker is to do (its prompt), on a small clip of the practice model.
  VideoJob job(const std::string& name, const std::string& prompt) const {
    VideoJob job;
    job.id = name;
    job.prompt = prompt;
    job.model = RUBATO_RESOURCES "/practice/video";
    job.size = Size{64, 64};
    job.frames = 5;
    job.steps = 3;
    job.seed = 7;
    job.out = clip(name).string();
    return job;
  }
  json added(const std::string& name, const std::string& prompt, const std::vector<std::string>& after = {}) const {
    return {{"name", name}, {"spec", video_job_to_json(job(name, prompt))}, {"after", after}};
  }
  static std::string add(QueueRunner& runner, const json& job) {
    const auto answer = runner.ask({{"request", "add"}, {"jobs", {job}}});
    EXPECT_TRUE(answer.ok()) << (answer.ok() ? "" : answer.error().message);
    return answer.ok() ? (*answer)["ids"][0].get<std::string>() : "";
  }
  static QueueJob row(const QueueRunner& runner, const std::string& id) {
    QueueJob found;
    runner.look([&](const QueueStore& store) { found = store.find(id)->value(); });
    return found;
  }
  static void finish(QueueRunner& runner) {
    runner.start();
    ASSERT_TRUE(runner.wait_for(30s));
  }

  test::TempFolder folder_;
  Watcher watcher_;
};

TEST_F(QueueRunnerTest, RendersInTheQueuesOrderUntilNothingIsLeft) {
  auto runner = open();
  const auto answer =
      runner->ask({{"request", "add"}, {"jobs", {added("cube", "make", {"ring"}), added("ring", "make")}}});
  ASSERT_TRUE(answer.ok());
  finish(*runner);
  EXPECT_THAT(watcher_.told(), ElementsAre("started ring", "done ring", "started cube", "done cube"));
  EXPECT_THAT(watcher_.files, ElementsAre(clip("ring").string(), clip("cube").string()));
  EXPECT_TRUE(fs::exists(clip("cube")));
  EXPECT_EQ(watcher_.previews, 2);
  EXPECT_FALSE(fs::exists(folder_ / "videos/.rubato"));
  EXPECT_FALSE(runner->failure());
  const auto ring = row(*runner, (*answer)["ids"][1]);
  EXPECT_EQ(ring.state, JobState::Done);
  EXPECT_EQ(ring.ran_on, "cpu");
  runner->look([&](const QueueStore& store) {
    ASSERT_EQ(store.outputs(ring.id)->size(), 1u);
    EXPECT_EQ(store.outputs(ring.id)->front().sha256.size(), 64u);
    // What the engine reported is there for whoever looks at the run later.
    EXPECT_EQ(record_of(store, ring.id)->report["seconds"]["denoise"], 0.1);
  });
}

TEST_F(QueueRunnerTest, ADeadWorkerIsReplacedAndItsJobTriedAgain) {
  auto runner = open();
  const auto id = add(*runner, added("ring", "die-once"));
  finish(*runner);
  EXPECT_THAT(watcher_.told(), ElementsAre("started ring", "queued ring", "started ring", "done ring"));
  EXPECT_THAT(watcher_.notes, ElementsAre(HasSubstr("it is tried again from its last checkpoint")));
  EXPECT_EQ(row(*runner, id).attempts, 2);
  EXPECT_TRUE(fs::exists(clip("ring")));
}

TEST_F(QueueRunnerTest, TheSecondDeathPutsTheJobAsideAndTheOthersGoOn) {
  auto runner = open();
  const auto id = add(*runner, added("bomb", "die denoise"));
  add(*runner, added("ring", "make"));
  finish(*runner);
  const auto bomb = row(*runner, id);
  EXPECT_EQ(bomb.state, JobState::Suspended);
  EXPECT_EQ(bomb.reason, "quarantine");
  EXPECT_THAT(bomb.error_text, HasSubstr("SIGKILL"));
  EXPECT_TRUE(fs::exists(clip("ring")));
  EXPECT_FALSE(runner->failure());
}

TEST_F(QueueRunnerTest, WorkersThatKeepDyingEndIt) {
  auto runner = open();
  add(*runner, added("bomb", "die load"));
  add(*runner, added("mine", "die load"));
  add(*runner, added("ring", "make"));
  finish(*runner);
  ASSERT_TRUE(runner->failure());
  EXPECT_EQ(runner->failure()->code, ErrorCode::EngineDied);
  EXPECT_FALSE(fs::exists(clip("ring")));
}

TEST_F(QueueRunnerTest, ACancelledJobEndsAndTheNextBegins) {
  auto runner = open();
  const auto id = add(*runner, added("endless", "wait"));
  const auto deaf = add(*runner, added("deaf", "deaf"));
  add(*runner, added("ring", "make"));
  runner->start();
  ASSERT_TRUE(watcher_.wait_for("started endless"));
  EXPECT_TRUE(runner->cancel(id, protocol::CancelWhen::AfterStep).ok());
  ASSERT_TRUE(watcher_.wait_for("started deaf"));
  EXPECT_TRUE(runner->cancel(deaf, protocol::CancelWhen::Now).ok());
  ASSERT_TRUE(runner->wait_for(30s));
  EXPECT_EQ(row(*runner, id).state, JobState::Cancelled);
  EXPECT_EQ(row(*runner, deaf).state, JobState::Cancelled);
  EXPECT_TRUE(fs::exists(clip("ring")));
  EXPECT_EQ(runner->cancel(id, protocol::CancelWhen::Now).error().code, ErrorCode::Usage) << "it has ended";
}

TEST_F(QueueRunnerTest, WhatIsStoppedIsQueuedAgain) {
  auto runner = open();
  const auto id = add(*runner, added("endless", "wait"));
  const auto next = add(*runner, added("ring", "make"));
  runner->start();
  ASSERT_TRUE(watcher_.wait_for("started endless"));
  runner->stop_after_step();
  ASSERT_TRUE(runner->wait_for(30s));
  EXPECT_EQ(row(*runner, id).state, JobState::Queued);
  EXPECT_EQ(row(*runner, next).attempts, 0);
  runner.reset();
  EXPECT_THAT(open()->notes(), IsEmpty()) << "it was no crash";
}

TEST_F(QueueRunnerTest, StoppingAtOnceEndsAWorkerThatDoesNotListen) {
  auto runner = open();
  const auto id = add(*runner, added("deaf", "deaf"));
  runner->start();
  ASSERT_TRUE(watcher_.wait_for("started deaf"));
  runner->stop_now();
  ASSERT_TRUE(runner->wait_for(30s));
  EXPECT_EQ(row(*runner, id).state, JobState::Queued);
}

TEST_F(QueueRunnerTest, TakesRequestsOfOthersWhileItWorks) {
  auto runner = open();
  const auto endless = add(*runner, added("endless", "wait"));
  runner->start();
  ASSERT_TRUE(watcher_.wait_for("started endless"));
  EXPECT_EQ(QueueRunner::open(state(), options(), watcher_).error().code, ErrorCode::Locked);
  std::vector<std::string> notes;
  const auto ask = [&](const json& request) {
    const auto answer = ask_queue(state(), request, notes);
    EXPECT_TRUE(answer.ok()) << (answer.ok() ? "" : answer.error().message);
    return answer.ok() ? *answer : json();
  };
  EXPECT_EQ(ask({{"request", "status"}})["working"], true);
  ask({{"request", "pause"}});
  const auto ids = ask({{"request", "add"}, {"jobs", {added("ring", "make"), added("cube", "make")}}})["ids"];
  ask({{"request", "move"}, {"id", ids[1]}, {"to", "first"}});
  ask({{"request", "cancel"}, {"ids", {endless}}});
  ASSERT_TRUE(watcher_.wait_for("cancelled endless"));
  EXPECT_FALSE(runner->wait_for(100ms)) << "it is paused and waits";
  EXPECT_EQ(row(*runner, ids[1]).attempts, 0);
  ask({{"request", "resume"}});
  ASSERT_TRUE(runner->wait_for(30s));
  EXPECT_THAT(watcher_.told(), ElementsAre("started endless", "cancelled endless", "started cube", "done cube",
                                           "started ring", "done ring"));
  EXPECT_GT(watcher_.changes, 0);
}

TEST_F(QueueRunnerTest, AResultThatWasNotNotedIsNotRenderedAgain) {
  auto runner = open();
  const auto id = add(*runner, added("ring", "die load"));
  // An earlier session published the clip, and then the power went.
  const QueueWork work(job("ring", "die load"), id);
  ASSERT_TRUE(work.make_folders().ok());
  const auto out = fs::path(work.for_worker("cpu").out);
  folder_.write(out.lexically_relative(folder_.path()).string(), "pixels");
  ASSERT_TRUE(work.publish({id, {{out.string(), "video", 6, ""}}, json::object()}).ok());
  finish(*runner);
  EXPECT_EQ(row(*runner, id).state, JobState::Done);
  EXPECT_EQ(test::slurp(clip("ring")), "pixels");
  EXPECT_FALSE(fs::exists(folder_ / "videos/.rubato"));
}

TEST_F(QueueRunnerTest, WhatAKilledWorkerLeftHalfWrittenIsNoOutput) {
  auto runner = open();
  const auto id = add(*runner, added("ring", "make"));
  folder_.write("videos/.rubato/work/" + id + "/out/ring.mp4.rubato-partial/.latents.safetensors.x7.tmp", "half");
  finish(*runner);
  EXPECT_THAT(watcher_.files, ElementsAre(clip("ring").string()));
  EXPECT_FALSE(fs::exists(folder_ / "videos/ring.mp4.rubato-partial"));
  EXPECT_FALSE(fs::exists(folder_ / "videos/.rubato"));
}

TEST_F(QueueRunnerTest, NeverReplacesAnothersFile) {
  folder_.write("videos/ring.mp4", "precious");
  folder_.write("videos/ring_0002.png", "precious too");
  auto runner = open();
  const auto id = add(*runner, added("ring", "make"));
  auto pictures = added("pictures", "make");
  pictures["spec"]["out"] = (folder_ / "videos/ring_####.png").string();
  const auto second = add(*runner, pictures);
  finish(*runner);
  EXPECT_EQ(row(*runner, id).state, JobState::Failed);
  for (const auto& job : {id, second}) EXPECT_EQ(row(*runner, job).error_code, "output_exists");
  EXPECT_THAT(row(*runner, second).error_text, HasSubstr("ring_0002.png"));
  EXPECT_EQ(test::slurp(clip("ring")), "precious");
  EXPECT_FALSE(fs::exists(folder_ / "videos/.rubato")) << "looked at before anything was rendered";
}

TEST_F(QueueRunnerTest, TheSecondJobForOneFileIsNotRendered) {
  auto runner = open();
  const auto first = add(*runner, added("ring", "make"));
  auto same = added("again", "make");
  same["spec"]["out"] = clip("ring").string();
  const auto second = add(*runner, same);
  finish(*runner);
  EXPECT_EQ(row(*runner, first).state, JobState::Done);
  EXPECT_EQ(row(*runner, second).error_code, "output_exists");
  EXPECT_THAT(row(*runner, second).error_text, HasSubstr("move it away, then retry this job"));
  EXPECT_FALSE(fs::exists(folder_ / "videos/.rubato")) << "nothing was rendered for it";
}

TEST_F(QueueRunnerTest, WhatCannotBeRenderedFailsWithItsReason) {
  auto runner = open();
  auto lost = added("lost", "make");
  lost["spec"]["model"] = "/nowhere";
  auto large = added("large", "make");
  large["spec"]["max_ram"] = 1 << 20;
  auto relative = added("relative", "make");
  relative["spec"]["out"] = "clip.mp4";
  const auto a = add(*runner, lost), b = add(*runner, large), c = add(*runner, relative);
  finish(*runner);
  EXPECT_EQ(row(*runner, a).error_code, "model_missing");
  EXPECT_EQ(row(*runner, b).error_code, "out_of_memory");
  EXPECT_EQ(row(*runner, c).error_code, "job_invalid");
}

TEST_F(QueueRunnerTest, AJobForAnotherDeviceIsLeftToIt) {
  auto runner = open();
  auto elsewhere = added("elsewhere", "make");
  elsewhere["device"] = "cuda:3";
  const auto id = add(*runner, elsewhere);
  add(*runner, added("ring", "make"));
  finish(*runner);
  EXPECT_EQ(row(*runner, id).state, JobState::Queued);
  EXPECT_THAT(watcher_.told(), ElementsAre("started ring", "done ring"));
}

TEST_F(QueueRunnerTest, TwoSlotsShareTheJobsAndEachIsRenderedOnce) {
  auto chosen = options();
  chosen.devices = {"cpu", "auto"};
  auto runner = open(chosen);
  json jobs = json::array();
  for (int i = 0; i < 20; ++i) jobs.push_back(added("job" + std::to_string(i), i % 5 == 0 ? "die-once" : "make"));
  chosen.restarts.deaths = 100;
  ASSERT_TRUE(runner->ask({{"request", "add"}, {"jobs", jobs}}).ok());
  runner.reset();
  runner = open(chosen);
  finish(*runner);
  runner->look([](const QueueStore& store) { EXPECT_EQ(store.totals()->at(JobState::Done), 20); });
  EXPECT_EQ(watcher_.files.size(), 20u);
  EXPECT_FALSE(fs::exists(folder_ / "videos/.rubato"));
}

}  // namespace
}  // namespace rubato
