#include "pipelines/job/queue/queue_store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class QueueStoreTest : public testing::Test {
 protected:
  std::filesystem::path file() const { return folder_ / "queue.sqlite"; }
  QueueStore open(QueueMode mode = QueueMode::Write, const QueueOptions& options = {}) const {
    auto store = QueueStore::open(file(), mode, options);
    if (!store) throw std::runtime_error(store.error().message);
    return std::move(*store);
  }
  static NewJob job(std::string id, std::vector<std::string> after = {}, double priority = 0) {
    return {.id = std::move(id), .spec = "{}", .priority = priority, .after = std::move(after)};
  }
  static void add(QueueStore& store, const std::vector<NewJob>& jobs) {
    const auto added = store.add(jobs);
    ASSERT_TRUE(added) << added.error().message;
  }
  static std::vector<std::string> order(const QueueStore& store) {
    std::vector<std::string> ids;
    const auto jobs = store.list().value();
    for (const auto& job : jobs) ids.push_back(job.id);
    return ids;
  }
  static std::string next(const QueueStore& store, std::string_view device = "cpu") {
    const auto job = store.next_runnable(device);
    return job.value() ? (*job)->id : "";
  }
  static std::string reason(const QueueStore& store, std::string_view id) { return store.find(id).value()->reason; }

  test::TempFolder folder_;
};

// Reads as a sentence where it fails: what went wrong.
template <typename T>
std::string problem(const Result<T>& result) {
  return result ? "" : result.error().message;
}
#define EXPECT_OK(expression) EXPECT_EQ(problem(expression), "")

TEST_F(QueueStoreTest, KeepsJobsAcrossOpenings) {
  {
    auto store = open();
    EXPECT_THAT(store.notes(), IsEmpty());
    add(store, {{.id = "a",
                 .name = "shot",
                 .key = "k",
                 .spec = R"({"kind":"video"})",
                 .device = "cuda:1",
                 .priority = 2,
                 .parent = "p",
                 .batch = "b"}});
    EXPECT_OK(store.started("a", "cuda:1", "4711"));
    EXPECT_OK(store.set_progress("a", "denoise", 0.25, 12));
    EXPECT_OK(store.add_output("a", {"out/a.mp4", "abc", "video", 5}));
    EXPECT_OK(store.finished("a"));
  }
  auto store = open();
  EXPECT_THAT(store.notes(), IsEmpty()) << "the exit was clean";
  const auto job = store.find("a").value();
  ASSERT_TRUE(job);
  EXPECT_EQ(job->name, "shot");
  EXPECT_EQ(job->key, "k");
  EXPECT_EQ(job->spec, R"({"kind":"video"})");
  EXPECT_EQ(job->state, JobState::Done);
  EXPECT_EQ(job->priority, 2);
  EXPECT_EQ(job->device, "cuda:1");
  EXPECT_EQ(job->ran_on, "cuda:1");
  EXPECT_EQ(job->worker, "4711");
  EXPECT_EQ(job->attempts, 1);
  EXPECT_EQ(job->fraction, 1);
  EXPECT_EQ(job->batch, "b");
  EXPECT_EQ(job->parent, "p");
  EXPECT_GT(job->created, 1.6e9);
  EXPECT_GE(job->ended, job->started);
  const auto outputs = store.outputs("a").value();
  ASSERT_EQ(outputs.size(), 1u);
  EXPECT_EQ(outputs[0].sha256, "abc");
  EXPECT_EQ(outputs[0].bytes, 5u);
}

TEST_F(QueueStoreTest, AnUnknownJobIsUnknownAndNeverDone) {
  auto store = open();
  EXPECT_EQ(store.status("nothing"), "unknown");
  EXPECT_FALSE(store.find("nothing").value());
  for (const auto& outcome : {store.finished("nothing"), store.cancel("nothing"), store.retry("nothing"),
                              store.set_progress("nothing", "load", 0, 0), store.add_output("nothing", {})}) {
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ErrorCode::Usage);
    EXPECT_EQ(outcome.error().message, "the queue holds no job 'nothing'");
  }
}

// Each of the 64 pairs: what the table allows happens, what it does not is refused and leaves the job as it was.
TEST_F(QueueStoreTest, OnlyLegalTransitionsHappen) {
  using enum JobState;
  const std::set<std::pair<JobState, JobState>> legal{
      {Queued, Running},      {Queued, Blocked},        {Queued, Suspended},      {Queued, Cancelled},
      {Running, Done},        {Running, Failed},        {Running, Cancelled},     {Running, Interrupted},
      {Running, Suspended},   {Done, Suspended},        {Failed, Suspended},      {Cancelled, Suspended},
      {Interrupted, Queued},  {Interrupted, Suspended}, {Interrupted, Cancelled}, {Suspended, Queued},
      {Suspended, Cancelled}, {Blocked, Queued},        {Blocked, Suspended},     {Blocked, Cancelled}};
  const std::map<JobState, std::vector<JobState>> way{{Queued, {}},
                                                      {Running, {Running}},
                                                      {Done, {Running, Done}},
                                                      {Failed, {Running, Failed}},
                                                      {Cancelled, {Cancelled}},
                                                      {Interrupted, {Running, Interrupted}},
                                                      {Suspended, {Suspended}}};
  auto store = open();
  int n = 0;
  for (const auto from : kJobStates)
    for (const auto to : kJobStates) {
      EXPECT_EQ(may_follow(from, to), legal.contains({from, to})) << state_name(from) << " " << state_name(to);
      if (from == Blocked || to == Blocked) continue;  // needs a job to wait for; below
      const auto id = fmt::format("job{}", n++);
      add(store, {job(id)});
      for (const auto step : way.at(from)) EXPECT_OK(store.set_state(id, step));
      const auto outcome = store.set_state(id, to);
      EXPECT_EQ(outcome.ok(), legal.contains({from, to}));
      EXPECT_EQ(store.status(id), state_name(outcome.ok() ? to : from));
      EXPECT_EQ(outcome ? "" : outcome.error().message, outcome ? "" : id + ": " + refusal(from, to));
    }
  EXPECT_EQ(refusal(Done, Running), "a done job cannot become running; from there it can become suspended");
}

TEST_F(QueueStoreTest, AChainIsReleasedLinkByLink) {
  auto store = open();
  add(store, {job("c", {"b"}), job("b", {"a"}), job("a")});
  EXPECT_EQ(store.status("b"), "blocked");
  EXPECT_EQ(reason(store, "c"), "waits for b");
  EXPECT_EQ(next(store), "a");
  EXPECT_OK(store.started("a", "cpu", "1"));
  EXPECT_EQ(next(store), "");
  EXPECT_OK(store.finished("a"));
  EXPECT_EQ(next(store), "b");
  EXPECT_EQ(store.status("c"), "blocked");
  EXPECT_OK(store.started("b", "cpu", "1"));
  EXPECT_OK(store.finished("b"));
  EXPECT_EQ(next(store), "c");
  EXPECT_THAT(store.find("c").value()->after, ElementsAre("b"));
}

TEST_F(QueueStoreTest, AFailedDependencyBlocksAndSaysSoUntilItIsRetried) {
  auto store = open();
  add(store, {job("a"), job("b"), job("c", {"a", "b"})});
  EXPECT_OK(store.started("a", "cpu", "1"));
  EXPECT_OK(store.failed("a", {ErrorCode::OutOfMemory, "too large"}));
  EXPECT_EQ(store.status("c"), "blocked");
  EXPECT_EQ(reason(store, "c"), "waits for a, which failed; retry that one first");
  EXPECT_EQ(store.find("a").value()->error_code, "out_of_memory");
  const auto forced = store.set_state("c", JobState::Queued);
  ASSERT_FALSE(forced);
  EXPECT_THAT(forced.error().message, HasSubstr("waits for a"));

  EXPECT_OK(store.retry("a"));
  EXPECT_EQ(store.status("a"), "queued");
  EXPECT_EQ(store.find("a").value()->error_text, "");
  EXPECT_EQ(reason(store, "c").substr(0, 10), "waits for ");
  EXPECT_THAT(reason(store, "c"), testing::Not(HasSubstr("failed")));
  for (const auto* id : {"a", "b"}) {
    EXPECT_OK(store.started(id, "cpu", "1"));
    EXPECT_OK(store.finished(id));
  }
  EXPECT_EQ(store.status("c"), "queued");

  // A suspended job that is put back still waits for what is not done.
  add(store, {job("d"), job("e", {"d"})});
  EXPECT_OK(store.set_state("e", JobState::Suspended, "no_disk"));
  EXPECT_OK(store.set_state("e", JobState::Queued));
  EXPECT_EQ(store.status("e"), "blocked");
}

TEST_F(QueueStoreTest, AddsAllOrNothing) {
  auto store = open();
  add(store, {job("a")});
  const auto refused = [&](const std::vector<NewJob>& jobs) {
    const auto outcome = store.add(jobs);
    EXPECT_FALSE(outcome);
    return outcome ? std::string() : outcome.error().message;
  };
  EXPECT_EQ(refused({job("x"), job("a")}), "the queue holds a job 'a' already");
  EXPECT_EQ(refused({job("x"), job("x")}), "two jobs have the id 'x'");
  EXPECT_THAT(refused({job("first"), job("y", {"firts"})}), HasSubstr("did you mean 'first'?"));
  EXPECT_EQ(refused({job("x", {"y"}), job("y", {"z"}), job("z", {"x"})}),
            "jobs wait for each other in a circle: x after y after z after x");
  EXPECT_EQ(refused({job("x", {"x"})}), "jobs wait for each other in a circle: x after x");
  EXPECT_THAT(refused({job("new\nline")}), HasSubstr("control characters"));
  EXPECT_THAT(refused({{.id = "x", .spec = "{"}}), HasSubstr("is not JSON"));
  EXPECT_THAT(order(store), ElementsAre("a"));
  EXPECT_EQ(store.totals().value().at(JobState::Queued), 1);
}

TEST_F(QueueStoreTest, TakesTheHighestPriorityThatTheDeviceMayRun) {
  auto store = open();
  add(store, {job("low", {}, -1), job("first"), job("high", {}, 5)});
  add(store, {{.id = "gpu", .spec = "{}", .device = "cuda:1", .priority = 9},
              {.id = "any-gpu", .spec = "{}", .device = "cuda", .priority = 8}});
  EXPECT_EQ(next(store, "cpu"), "high");
  EXPECT_EQ(next(store, "cuda:1"), "gpu");
  EXPECT_EQ(next(store, "cuda:0"), "any-gpu");
  EXPECT_OK(store.set_priority("first", 7));
  EXPECT_EQ(next(store, "cpu"), "first");
  EXPECT_OK(store.pause());
  EXPECT_EQ(next(store, "cpu"), "");
  EXPECT_OK(store.resume());
  EXPECT_EQ(next(store, "cpu"), "first");
}

TEST_F(QueueStoreTest, MovesBesideAnotherJob) {
  auto store = open();
  add(store, {job("a"), job("b"), job("c"), job("d", {}, -3)});
  using Kind = QueuePlace::Kind;
  EXPECT_OK(store.move("c", {Kind::First}));
  EXPECT_THAT(order(store), ElementsAre("c", "a", "b", "d"));
  EXPECT_OK(store.move("c", {Kind::Last}));
  EXPECT_THAT(order(store), ElementsAre("a", "b", "d", "c"));
  EXPECT_OK(store.move("d", {Kind::Before, "b"}));
  EXPECT_THAT(order(store), ElementsAre("a", "d", "b", "c"));
  EXPECT_EQ(store.find("d").value()->priority, 0) << "the priority of where it is now";
  EXPECT_OK(store.move("a", {Kind::After, "b"}));
  EXPECT_THAT(order(store), ElementsAre("d", "b", "a", "c"));
  EXPECT_OK(store.move("a", {Kind::After, "a"}));
  EXPECT_THAT(order(store), ElementsAre("d", "b", "a", "c"));
  EXPECT_FALSE(store.move("a", {Kind::After, "x"}));
}

// A double has no room for 1,000 halvings: the neighbours are spread when the gap is used up.
TEST_F(QueueStoreTest, AThousandMovesBetweenTheSameTwoKeepTheOrder) {
  auto store = open();
  std::vector<NewJob> jobs;
  for (int i = 0; i < 200; ++i) jobs.push_back(job(fmt::format("j{:03}", i)));
  add(store, jobs);
  auto expected = order(store);
  EXPECT_OK(store.together([&]() -> Result<> {
    for (int i = 0; i < 1'000; ++i) {
      // Always the job behind the gap goes to the front of it, so that the gap is halved each time.
      const auto id = fmt::format("j{:03}", 101 + i % 97);
      RUBATO_OK(store.move(id, {QueuePlace::Kind::After, "j100"}));
      expected.erase(std::find(expected.begin(), expected.end(), id));
      expected.insert(std::find(expected.begin(), expected.end(), "j100") + 1, id);
    }
    return {};
  }));
  EXPECT_EQ(order(store), expected);
  const auto all = store.list().value();
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_LT(all[i - 1].position, all[i].position);
}

TEST_F(QueueStoreTest, ASecondDeathIsQuarantine) {
  auto store = open();
  add(store, {job("a"), job("b")});
  EXPECT_OK(store.started("a", "cpu", "1"));
  EXPECT_EQ(store.worker_died("a", 1).value(), JobState::Queued);
  EXPECT_OK(store.started("a", "cpu", "2"));
  EXPECT_EQ(store.worker_died("a", 1).value(), JobState::Suspended);
  EXPECT_EQ(reason(store, "a"), "quarantine");
  EXPECT_EQ(store.find("a").value()->deaths, 2);
  EXPECT_EQ(store.find("a").value()->attempts, 2);
  EXPECT_OK(store.retry("a"));
  EXPECT_EQ(store.find("a").value()->deaths, 0);
  // The window does not run it again by itself.
  EXPECT_OK(store.started("b", "cpu", "3"));
  EXPECT_EQ(store.worker_died("b", 0).value(), JobState::Suspended);
  EXPECT_EQ(reason(store, "b"), "worker_died");
}

TEST_F(QueueStoreTest, EventsAreNumberedPerJob) {
  auto store = open();
  add(store, {job("a"), job("b")});
  EXPECT_EQ(store.add_event("a", R"({"step":1})").value(), 2);
  EXPECT_OK(store.started("a", "cpu", "1"));
  EXPECT_EQ(store.add_event("b", R"({"step":1})").value(), 2);
  const auto events = store.events("a").value();
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].json, R"({"state":"queued"})");
  EXPECT_EQ(events[2].json, R"({"state":"running"})");
  EXPECT_EQ(events[2].seq, 3);
}

TEST_F(QueueStoreTest, KeepsTheLastTwoCheckpoints) {
  auto store = open();
  add(store, {job("a")});
  EXPECT_THAT(store.add_checkpoint("a", {5, "p/5", "x", 1}).value(), IsEmpty());
  EXPECT_THAT(store.add_checkpoint("a", {10, "p/10", "x", 1}).value(), IsEmpty());
  EXPECT_THAT(store.add_checkpoint("a", {15, "p/15", "x", 1}).value(), ElementsAre("p/5"));
  const auto kept = store.checkpoints("a").value();
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].step, 15);
  EXPECT_EQ(kept[1].step, 10);
  // Checkpoints under one name, each in place of the former, are not to be deleted.
  EXPECT_THAT(store.add_checkpoint("a", {20, "p/15", "x", 1}).value(), ElementsAre("p/10"));
  EXPECT_THAT(store.add_checkpoint("a", {25, "p/15", "x", 1}).value(), IsEmpty());
  EXPECT_OK(store.clear_checkpoints("a"));
  EXPECT_THAT(store.checkpoints("a").value(), IsEmpty());
}

TEST_F(QueueStoreTest, FindsJobsByTheBeginningOrEndOfTheirIds) {
  auto store = open();
  EXPECT_EQ(store.id_of("x").error().message, "there is no job 'x': the queue is empty");
  add(store, {job("01ABCDEF"), job("01ABCXYZ"), job("02"), job("shot_lighthouse")});
  EXPECT_EQ(store.id_of("02").value(), "02");
  EXPECT_EQ(store.id_of("01abcd").value(), "01ABCDEF");
  EXPECT_EQ(store.id_of("abcxyz").value(), "01ABCXYZ");
  EXPECT_EQ(store.id_of("shot").value(), "shot_lighthouse");
  EXPECT_THAT(store.id_of("01").error().message, StartsWith("'01' is the beginning or end of several jobs"));
  EXPECT_THAT(store.id_of("shpt_").error().message, HasSubstr("did you mean 'shot_lighthouse'?"));
  EXPECT_THAT(store.id_of("01ABCDEF'; DROP TABLE jobs").error().message, StartsWith("the queue holds no job"));
}

TEST_F(QueueStoreTest, ListsWithAFilterAndCountsStates) {
  auto store = open();
  std::vector<NewJob> jobs;
  for (int i = 0; i < 10; ++i) {
    jobs.push_back(job(fmt::format("j{}", i)));
    if (i % 2) jobs.back().batch = "odd";
  }
  add(store, jobs);
  EXPECT_OK(store.set_state("j3", JobState::Suspended, "no_disk"));
  EXPECT_OK(store.cancel("j4"));
  const auto ids = [&](const QueueFilter& filter) {
    std::vector<std::string> found;
    const auto listed = store.list(filter).value();
    for (const auto& j : listed) found.push_back(j.id);
    return found;
  };
  EXPECT_THAT(ids({.states = {JobState::Suspended, JobState::Cancelled}}), ElementsAre("j3", "j4"));
  EXPECT_THAT(ids({.batch = "odd"}), ElementsAre("j1", "j3", "j5", "j7", "j9"));
  EXPECT_THAT(ids({.states = {JobState::Queued}, .batch = "odd", .offset = 1, .limit = 2}), ElementsAre("j5", "j7"));
  EXPECT_THAT(ids({.offset = 20}), IsEmpty());
  const auto totals = store.totals().value();
  EXPECT_EQ(totals.size(), kJobStates.size());
  EXPECT_EQ(totals.at(JobState::Queued), 8);
  EXPECT_EQ(totals.at(JobState::Suspended), 1);
  EXPECT_EQ(totals.at(JobState::Done), 0);
}

TEST_F(QueueStoreTest, RemovesAJobWithAllThatBelongsToIt) {
  auto store = open();
  add(store, {job("a"), job("b", {"a"})});
  EXPECT_OK(store.add_output("b", {"x", "", "video", 1}));
  EXPECT_EQ(store.remove("a").error().message, "b waits for a; remove that one first");
  EXPECT_OK(store.remove("b"));
  EXPECT_OK(store.remove("a"));
  EXPECT_EQ(store.totals().value().at(JobState::Queued), 0);
  EXPECT_EQ(store.status("a"), "unknown");
}

TEST_F(QueueStoreTest, WhatFailsTogetherChangesNothing) {
  auto store = open();
  add(store, {job("a")});
  const auto outcome = store.together([&]() -> Result<> {
    RUBATO_OK(store.started("a", "cpu", "1"));
    RUBATO_OK(store.add_output("a", {"x", "", "video", 1}));
    return store.started("a", "cpu", "1");
  });
  EXPECT_FALSE(outcome);
  EXPECT_EQ(store.status("a"), "queued");
  EXPECT_THAT(store.outputs("a").value(), IsEmpty());
  EXPECT_OK(store.started("a", "cpu", "1"));
}

}  // namespace
}  // namespace rubato
