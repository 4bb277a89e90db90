// What the queue survives: killed writers, damaged files, newer files, read-only folders.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <functional>

#include "pipelines/job/queue/instance_lock.h"
#include "pipelines/job/queue/migrations.h"
#include "pipelines/job/queue/queue_schema.h"
#include "pipelines/job/queue/queue_store.h"
#include "pipelines/job/queue/sqlite.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

template <typename T>
std::string problem(const Result<T>& result) {
  return result ? "" : result.error().message;
}
#define EXPECT_OK(expression) EXPECT_EQ(problem(expression), "")

// Runs `body` in a process of its own; what it returns is the exit status.
pid_t in_child(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  return pid;
}
int status_of(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return status;
}

class QueueFaultsTest : public testing::Test {
 protected:
  fs::path file() const { return folder_ / "queue.sqlite"; }
  Result<QueueStore> open(QueueMode mode = QueueMode::Write, const QueueOptions& options = {}) const {
    return QueueStore::open(file(), mode, options);
  }
  static NewJob job(int n) { return {.id = fmt::format("job{:04}", n), .spec = R"({"prompt":"a red circle"})"}; }

  // A writer that adds jobs one by one and is killed after `confirmed` of them have been acknowledged. The last one
  // that was acknowledged is running.
  void kill_a_writer_after(int confirmed) const {
    int pipe_fds[2];
    ASSERT_EQ(::pipe(pipe_fds), 0);
    const auto pid = in_child([&] {
      auto store = open();
      if (!store) return 1;
      for (int i = 0; i < 1'000; ++i) {
        const std::vector<NewJob> one{job(i)};
        const auto done = store->together([&]() -> Result<> {
          RUBATO_TRY(ids, store->add(one));
          if (i > 0) RUBATO_OK(store->finished(job(i - 1).id));
          return store->started(ids[0], "cpu", "1");
        });
        if (!done || ::write(pipe_fds[1], "x", 1) != 1) return 2;
      }
      return 3;
    });
    ::close(pipe_fds[1]);
    char byte = 0;
    for (int i = 0; i < confirmed; ++i) ASSERT_EQ(::read(pipe_fds[0], &byte, 1), 1);
    ::kill(pid, SIGKILL);
    const int status = status_of(pid);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself: " << WEXITSTATUS(status);
    ::close(pipe_fds[0]);
  }

  // The jobs are job0000, job0001, … without a hole; all but the last are done.
  static void expect_consistent(const QueueStore& store, std::size_t at_least) {
    const auto jobs = store.list().value();
    EXPECT_GE(jobs.size(), at_least);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      EXPECT_EQ(jobs[i].id, job(static_cast<int>(i)).id);
      EXPECT_EQ(jobs[i].state, i + 1 < jobs.size() ? JobState::Done : JobState::Interrupted);
    }
    const auto totals = store.totals().value();
    EXPECT_EQ(totals.at(JobState::Done) + totals.at(JobState::Interrupted), std::ssize(jobs));
  }

  test::TempFolder folder_;
};

TEST_F(QueueFaultsTest, AKilledWriterLosesNothingThatWasAcknowledged) {
  for (const int confirmed : {1, 37, 110}) {
    fs::remove_all(folder_.path());
    fs::create_directories(folder_.path());
    kill_a_writer_after(confirmed);
    const auto store = open();
    ASSERT_TRUE(store) << store.error().message;
    expect_consistent(*store, static_cast<std::size_t>(confirmed));
    EXPECT_THAT(store->notes(),
                ElementsAre("the last session did not end properly: 1 job was interrupted; the queue is "
                            "paused until you resume it"));
  }
}

TEST_F(QueueFaultsTest, AfterAKillTheQueueWaitsForAPerson) {
  kill_a_writer_after(3);
  auto store = open();
  ASSERT_TRUE(store);
  const auto id = store->list({.states = {JobState::Interrupted}}).value().at(0).id;
  EXPECT_TRUE(store->paused().value());
  EXPECT_EQ(store->pause_reason().value(), "the last session did not end properly");
  EXPECT_FALSE(store->next_runnable("cpu").value());
  EXPECT_OK(store->resume());
  EXPECT_EQ(store->status(id), "queued");
  EXPECT_EQ(store->next_runnable("cpu").value()->id, id);
  EXPECT_EQ(store->find(id).value()->attempts, 1);
  const auto events = store->events(id).value();
  EXPECT_THAT(events.at(events.size() - 2).json, HasSubstr("interrupted"));
}

// The pause is a person's, and its reason says so: no program takes it for its own and goes on by itself.
TEST_F(QueueFaultsTest, WhatAPersonPausedStaysPausedByThemAfterAKill) {
  kill_a_writer_after(3);
  ASSERT_TRUE(open()->resume().ok());
  const auto pid = in_child([&] {
    auto store = open();
    if (!store || !store->pause()) return 1;
    ::kill(::getpid(), SIGKILL);
    return 0;
  });
  ASSERT_TRUE(WIFSIGNALED(status_of(pid)));
  const auto store = open();
  ASSERT_TRUE(store);
  EXPECT_TRUE(store->paused().value());
  EXPECT_EQ(store->pause_reason().value(), "");
}

TEST_F(QueueFaultsTest, ARunGoesOnAfterAKillByItself) {
  kill_a_writer_after(3);
  auto store = open(QueueMode::Write, {.pause_after_crash = false});
  ASSERT_TRUE(store);
  EXPECT_FALSE(store->paused().value());
  EXPECT_TRUE(store->next_runnable("cpu").value());
  EXPECT_THAT(store->notes(), ElementsAre("the last session did not end properly: 1 job was interrupted"));
}

// What lies in the log alone and is cut off or overwritten is lost, but only from there on and never by halves.
TEST_F(QueueFaultsTest, ATruncatedOrDamagedLogLeavesAConsistentQueue) {
  kill_a_writer_after(40);
  const auto wal = fs::path(file().string() + "-wal");
  ASSERT_GT(fs::file_size(wal), 100'000u);
  const auto database = test::slurp(file()), log = test::slurp(wal);
  const auto restore = [&](const std::string& changed) {
    fs::remove(file().string() + "-shm");
    folder_.write("queue.sqlite", database);
    folder_.write("queue.sqlite-wal", changed);
  };
  std::size_t before = 0;
  for (const double part : {0.5, 0.9, 0.97}) {
    restore(log.substr(0, static_cast<std::size_t>(part * static_cast<double>(log.size()))));
    const auto store = open();
    ASSERT_TRUE(store) << store.error().message;
    expect_consistent(*store, std::max<std::size_t>(before, 5));
    before = store->list().value().size();
  }
  auto damaged = log;
  damaged.replace(log.size() / 2, 3'000, 3'000, '\x5A');
  restore(damaged);
  const auto store = open();
  ASSERT_TRUE(store) << store.error().message;
  expect_consistent(*store, 5);
}

TEST_F(QueueFaultsTest, AFileThatIsNoDatabaseIsSetAside) {
  const std::string garbage(20'000, 'g');
  folder_.write("queue.sqlite", garbage);
  folder_.write("queue.sqlite-wal", "log");
  folder_.write("queue.sqlite.damaged", "of last time");
  {
    auto store = open();
    ASSERT_TRUE(store) << store.error().message;
    const auto aside = (folder_ / "queue.sqlite.damaged-2").string();
    EXPECT_THAT(store->notes(), ElementsAre(fmt::format("{} was damaged; it was moved to {} and nothing could be read "
                                                        "from it",
                                                        file().string(), aside)));
    EXPECT_EQ(test::slurp(aside), garbage);
    EXPECT_OK(store->add(std::vector{job(1)}));
  }
  EXPECT_EQ(test::slurp(folder_ / "queue.sqlite.damaged"), "of last time");
  const auto again = open();
  ASSERT_TRUE(again);
  EXPECT_THAT(again->notes(), IsEmpty());
  EXPECT_EQ(again->status("job0001"), "queued");
}

TEST_F(QueueFaultsTest, WhatCanBeReadOfADamagedFileIsCarriedOver) {
  {
    auto store = open();
    ASSERT_TRUE(store);
    std::vector<NewJob> jobs;
    for (int i = 0; i < 500; ++i) {
      jobs.push_back(job(i));
      jobs.back().spec = fmt::format(R"({{"prompt":"{}"}})", std::string(300, 'p'));
    }
    ASSERT_TRUE(store->add(jobs));
    ASSERT_TRUE(store->started("job0499", "cpu", "1"));
  }
  // One page of the table of jobs, in its middle: where job 250 is written.
  auto bytes = test::slurp(file());
  const auto at = bytes.find("job0250");
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at / 4096 * 4096, 4096, 4096, '\xFF');
  folder_.write("queue.sqlite", bytes);

  const auto reading = open(QueueMode::Read);
  ASSERT_FALSE(reading);
  EXPECT_EQ(reading.error().code, ErrorCode::Corrupt);

  auto store = open();
  ASSERT_TRUE(store) << store.error().message;
  const auto jobs = store->list().value();
  EXPECT_GE(jobs.size(), 480u) << "all but those of one page";
  EXPECT_LT(jobs.size(), 500u);
  EXPECT_EQ(jobs.front().id, "job0000");
  EXPECT_EQ(jobs.back().id, "job0499");
  EXPECT_THAT(store->notes().front(), HasSubstr(fmt::format("{} jobs could be read from it", jobs.size())));
  EXPECT_EQ(store->totals().value().at(JobState::Queued) + store->totals().value().at(JobState::Running),
            std::ssize(jobs));
}

TEST_F(QueueFaultsTest, ANewerFileIsOnlyRead) {
  {
    auto store = open();
    ASSERT_TRUE(store->add(std::vector{job(1)}));
  }
  {
    const auto database = sqlite::Database::open(file(), sqlite::Mode::Write);
    EXPECT_OK(database->run("PRAGMA user_version = 99"));
  }
  const auto before = test::slurp(file());
  {
    auto store = open();
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_TRUE(store->read_only());
    EXPECT_THAT(store->notes(),
                ElementsAre(HasSubstr("written by a newer version of Rubato (format 99, this one knows 1)")));
    EXPECT_EQ(store->status("job0001"), "queued");
    const auto added = store->add(std::vector{job(2)});
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code, ErrorCode::CannotWrite);
    EXPECT_THAT(added.error().message, HasSubstr("newer version"));
  }
  EXPECT_EQ(test::slurp(file()), before);
}

TEST_F(QueueFaultsTest, AnotherProgramsDatabaseIsLeftAlone) {
  {
    const auto database = sqlite::Database::open(file(), sqlite::Mode::Write);
    EXPECT_OK(database->run("CREATE TABLE theirs (x); PRAGMA user_version = 1"));
  }
  const auto before = test::slurp(file());
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().message, HasSubstr("is a database of another program"));
  EXPECT_EQ(test::slurp(file()), before);
}

TEST_F(QueueFaultsTest, OneWritesAndOthersRead) {
  auto first = open(QueueMode::Write, {.program = "rubato-gui"});
  ASSERT_TRUE(first);
  ASSERT_TRUE(first->add(std::vector{job(1)}));
  const auto second = open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::Locked);
  EXPECT_THAT(second.error().message,
              HasSubstr(fmt::format("is in use by rubato-gui (process {}, since ", ::getpid())));
  const auto reader = open(QueueMode::Read);
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ(reader->status("job0001"), "queued");
  ASSERT_TRUE(first->cancel("job0001"));
  EXPECT_EQ(reader->status("job0001"), "cancelled");
}

TEST_F(QueueFaultsTest, ADeadHolderNeverBlocks) {
  const auto lock_file = folder_ / "lock";
  int pipe_fds[2];
  ASSERT_EQ(::pipe(pipe_fds), 0);
  const auto pid = in_child([&] {
    const auto lock = InstanceLock::take(lock_file, "other");
    if (!lock || ::write(pipe_fds[1], "x", 1) != 1) return 1;
    ::pause();
    return 0;
  });
  char byte = 0;
  ASSERT_EQ(::read(pipe_fds[0], &byte, 1), 1);
  const auto refused = InstanceLock::take(lock_file, "me");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr(fmt::format("in use by other (process {},", pid)));
  EXPECT_EQ(life_of(InstanceLock::holder(lock_file)->process), Life::Alive);
  ::kill(pid, SIGKILL);
  status_of(pid);
  ::close(pipe_fds[0]);
  ::close(pipe_fds[1]);
  EXPECT_EQ(life_of(InstanceLock::holder(lock_file)->process), Life::Dead);
  {
    const auto taken = InstanceLock::take(lock_file, "me");
    ASSERT_TRUE(taken) << taken.error().message;
    EXPECT_EQ(InstanceLock::holder(lock_file)->process.pid, ::getpid());
  }
  EXPECT_FALSE(fs::exists(lock_file)) << "nothing is left behind";
}

// Root may write whatever file modes say, so the folder is a file system of its own that is mounted read-only.
TEST_F(QueueFaultsTest, AReadOnlyFolderCanBeReadAndIsNotWritten) {
  {
    auto store = open();
    ASSERT_TRUE(store->add(std::vector{job(1)}));
  }
  constexpr int kNoMounts = 77;
  const auto status = status_of(in_child([&] {
    const auto inside = (folder_ / "mounted").string();
    fs::create_directory(inside);
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", inside.c_str(), "tmpfs", 0, "size=4m") != 0)
      return kNoMounts;
    fs::copy_file(file(), inside + "/queue.sqlite");
    if (::mount(nullptr, inside.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0) return kNoMounts;
    const auto writer = QueueStore::open(inside + "/queue.sqlite", QueueMode::Write);
    if (writer || writer.error().code != ErrorCode::CannotWrite) return 1;
    const auto reader = QueueStore::open(inside + "/queue.sqlite", QueueMode::Read);
    if (!reader) return 2;
    return reader->status("job0001") == "queued" ? 0 : 3;
  }));
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNoMounts)
    GTEST_SKIP() << "NOT TESTED: this user may not mount a file system, so a read-only folder could not be made";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(QueueFaultsTest, AFullDiskIsSaidAndLosesNothing) {
  constexpr int kNoMounts = 77;
  const auto status = status_of(in_child([&] {
    const auto inside = (folder_ / "mounted").string();
    fs::create_directory(inside);
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", inside.c_str(), "tmpfs", 0, "size=1m") != 0)
      return kNoMounts;
    std::size_t kept = 0;
    {
      auto store = QueueStore::open(inside + "/queue.sqlite", QueueMode::Write);
      if (!store) return 1;
      for (int i = 0;; ++i) {
        const std::vector<NewJob> one{job(i)};
        const auto added = store->add(one);
        if (added) {
          kept = static_cast<std::size_t>(i) + 1;
          continue;
        }
        if (added.error().code != ErrorCode::CannotWrite) return 2;
        if (added.error().message.find("the disk is full") == std::string::npos) return 3;
        break;
      }
      if (store->list().value().size() != kept) return 4;
    }
    if (::mount(nullptr, inside.c_str(), nullptr, MS_REMOUNT, "size=4m") != 0) return kNoMounts;
    auto again = QueueStore::open(inside + "/queue.sqlite", QueueMode::Write);
    if (!again) return 5;
    if (again->list().value().size() != kept) return 6;
    return again->add(std::vector{job(9'999)}) ? 0 : 7;
  }));
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNoMounts)
    GTEST_SKIP() << "NOT TESTED: this user may not mount a file system, so a full disk could not be made";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(QueueFaultsTest, AMigrationKeepsACopyOfTheFormerFile) {
  constexpr std::string_view kSteps[] = {"CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('kept')",
                                         "ALTER TABLE t ADD COLUMN b TEXT DEFAULT 'new'"};
  const Schema first{.what = "test", .application_id = 7, .steps = std::span(kSteps).first(1)};
  const Schema second{.what = "test", .application_id = 7, .steps = kSteps};
  const auto database = sqlite::Database::open(file(), sqlite::Mode::Write);
  ASSERT_TRUE(database);
  EXPECT_EQ(migrate(*database, first).value(), "");
  EXPECT_EQ(migrate(*database, first).value(), "");
  const auto copy = migrate(*database, second).value();
  EXPECT_EQ(copy.filename(), "queue.sqlite.version-1");
  EXPECT_EQ(version_of(*database, second).value(), 2);
  EXPECT_EQ(database->text("SELECT a || b FROM t").value(), "keptnew");
  const auto old = sqlite::Database::open(copy, sqlite::Mode::Read);
  ASSERT_TRUE(old);
  EXPECT_EQ(version_of(*old, second).value(), 1);
  EXPECT_EQ(old->text("SELECT a FROM t").value(), "kept");
  // A step that fails leaves the version before it.
  constexpr std::string_view kBroken[] = {kSteps[0], kSteps[1],
                                          "CREATE TABLE half (x); INSERT INTO nowhere VALUES (1)"};
  EXPECT_FALSE(migrate(*database, {.what = "test", .application_id = 7, .steps = kBroken}));
  EXPECT_EQ(version_of(*database, second).value(), 2);
  EXPECT_EQ(database->integer("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").value(), 0);
}

// The times are printed, not judged: what they are depends on the disk. The bound only catches a scan of all rows that
// crept into an operation.
TEST_F(QueueFaultsTest, AHundredThousandJobsDoNotSlowItDown) {
  auto opened = open();
  ASSERT_TRUE(opened);
  auto& store = *opened;
  std::vector<NewJob> jobs;
  for (int i = 0; i < 100'000; ++i) jobs.push_back({.id = fmt::format("job{:06}", i), .spec = R"({"prompt":"a"})"});
  using Clock = std::chrono::steady_clock;
  const auto timed = [](const char* what, int times, const std::function<void(int)>& body) {
    const auto start = Clock::now();
    for (int i = 0; i < times; ++i) body(i);
    const double ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count() / times;
    fmt::print("  {:40} {:9.3f} ms\n", what, ms);
    return ms;
  };
  timed("add 100,000 jobs at once", 1, [&](int) { EXPECT_OK(store.add(jobs)); });
  // Inside one transaction, so that the disk's own time for a sync does not count.
  double slowest = 0;
  const auto op = [&](const char* what, const std::function<void(int)>& body) {
    slowest = std::max(slowest, timed(what, 100, body));
  };
  const auto id = [](int i) { return fmt::format("job{:06}", i * 937 % 100'000); };
  EXPECT_OK(store.together([&]() -> Result<> {
    op("add one",
       [&](int i) { EXPECT_OK(store.add(std::vector<NewJob>{{.id = fmt::format("more{}", i), .spec = "{}"}})); });
    op("find", [&](int i) { EXPECT_TRUE(store.find(id(i)).value()); });
    op("id_of a whole id", [&](int i) { EXPECT_OK(store.id_of(id(i))); });
    op("id_of an end", [&](int i) { EXPECT_OK(store.id_of(id(i).substr(3))); });
    op("next_runnable", [&](int) { EXPECT_TRUE(store.next_runnable("cuda:0").value()); });
    op("totals", [&](int) { EXPECT_OK(store.totals()); });
    op("list 50 from the middle of the queued",
       [&](int) { EXPECT_OK(store.list({.states = {JobState::Queued}, .offset = 100, .limit = 50})); });
    op("move before another", [&](int i) { EXPECT_OK(store.move(id(i + 1), {QueuePlace::Kind::Before, id(i)})); });
    op("move between the same two",
       [&](int i) { EXPECT_OK(store.move(id(i + 1), {QueuePlace::Kind::Before, id(0)})); });
    op("started", [&](int i) { EXPECT_OK(store.started(id(i), "cpu", "1")); });
    op("set_progress", [&](int i) { EXPECT_OK(store.set_progress(id(i), "denoise", 0.5, 1)); });
    op("add_event", [&](int i) { EXPECT_OK(store.add_event(id(i), "{}")); });
    op("add_output", [&](int i) { EXPECT_OK(store.add_output(id(i), {"a.mp4", "", "video", 1})); });
    op("add_checkpoint", [&](int i) { EXPECT_OK(store.add_checkpoint(id(i), {i, "p", "", 1})); });
    op("finished", [&](int i) { EXPECT_OK(store.finished(id(i))); });
    return {};
  }));
  timed("one change that reaches the disk", 20, [&](int i) { EXPECT_OK(store.set_progress(id(i), "mux", 1, 0)); });
  timed("reopen to read", 1, [&](int) { EXPECT_OK(open(QueueMode::Read)); });
  EXPECT_LT(slowest, 100) << "an operation reads all rows";
}

}  // namespace
}  // namespace rubato
