#include "pipelines/job/worker_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
namespace p = protocol;

// A client of the fake worker (fake_worker/main.cpp) that keeps everything it is told.
class Listener {
 public:
  explicit Listener(std::vector<std::string> arguments = {}, std::function<void(WorkerOptions&)> change = {})
      : client_(options(std::move(arguments), change), [this](Envelope& envelope) {
          if (on_message) on_message(envelope);
          messages.push_back(std::move(envelope.message));
        }) {}

  static WorkerOptions options(std::vector<std::string> arguments, const std::function<void(WorkerOptions&)>& change) {
    WorkerOptions o{.executable = std::filesystem::path(RUBATO_BIN_DIR) / "rubato_fake_worker",
                    .arguments = std::move(arguments)};
    if (change) change(o);
    return o;
  }

  std::string run(const std::string& prompt) {
    const auto id = client_.run({{"kind", "video"}, {"prompt", prompt}});
    EXPECT_TRUE(id.ok()) << (id.ok() ? "" : id.error().message);
    return id.ok() ? *id : "";
  }

  // Pumps as a program would, asleep between two pumps, until `enough` holds; false after ten seconds.
  bool pump_until(const std::function<bool()>& enough) {
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (!enough()) {
      if (std::chrono::steady_clock::now() > until) return false;
      pollfd ready{client_.fd(), POLLIN, 0};
      ::poll(&ready, 1, 1'000);
      client_.pump();
    }
    return true;
  }

  template <typename M>
  const M* last() const {
    for (auto at = messages.rbegin(); at != messages.rend(); ++at)
      if (const auto* m = std::get_if<M>(&*at)) return m;
    return nullptr;
  }
  template <typename M>
  std::ptrdiff_t count() const {
    return std::count_if(messages.begin(), messages.end(),
                         [](const p::Message& m) { return std::holds_alternative<M>(m); });
  }
  bool finished() const { return count<p::Done>() + count<p::Failed>() > 0; }

  // The Failed that a job with this prompt ends in.
  p::Failed failure_of(const std::string& prompt) {
    run(prompt);
    EXPECT_TRUE(pump_until([&] { return finished(); })) << prompt;
    EXPECT_EQ(count<p::Failed>(), 1) << prompt;
    return last<p::Failed>() != nullptr ? *last<p::Failed>() : p::Failed{};
  }

  WorkerClient& client() { return client_; }
  std::vector<p::Message> messages;
  std::function<void(Envelope&)> on_message;

 private:
  WorkerClient client_;
};

TEST(WorkerClient, JobRunsToItsEndInOrder) {
  Listener listener;
  std::vector<int> pictures;
  listener.on_message = [&](Envelope& e) {
    const auto* preview = std::get_if<p::Preview>(&e.message);
    if (preview == nullptr) return;
    const auto mapped = MappedMemfd::map(e.fd.get(), preview->bytes());
    ASSERT_TRUE(mapped.ok()) << mapped.error().message;
    pictures.push_back(static_cast<int>(mapped->bytes().back()));
  };
  EXPECT_EQ(listener.client().state(), WorkerClient::State::Stopped);
  const auto id = listener.run("work");
  EXPECT_EQ(listener.client().state(), WorkerClient::State::Starting);
  ASSERT_TRUE(listener.pump_until([&] { return listener.finished(); }));

  const auto* done = listener.last<p::Done>();
  ASSERT_NE(done, nullptr);
  EXPECT_EQ(done->id, id);
  ASSERT_EQ(done->outputs.size(), 1u);
  EXPECT_EQ(done->outputs[0].path, "clip.mp4");
  EXPECT_EQ(pictures, (std::vector{1, 2, 3}));
  std::vector<std::string> phases;
  for (const auto& m : listener.messages)
    if (const auto* phase = std::get_if<p::Phase>(&m)) phases.push_back(phase->name);
  EXPECT_EQ(phases, (std::vector<std::string>{"load", "text", "denoise", "decode"}));
  EXPECT_TRUE(std::holds_alternative<p::Hello>(listener.messages.front()));
  ASSERT_EQ(listener.client().devices().size(), 1u);
  EXPECT_EQ(listener.client().devices()[0].id, "cpu");
  EXPECT_EQ(listener.client().state(), WorkerClient::State::Idle);
}

TEST(WorkerClient, OneWorkerServesManyJobs) {
  Listener listener;
  listener.run("work");
  ASSERT_TRUE(listener.pump_until([&] { return listener.count<p::Done>() == 1; }));
  const int pid = listener.client().pid();
  listener.run("work");
  ASSERT_TRUE(listener.pump_until([&] { return listener.count<p::Done>() == 2; }));
  EXPECT_EQ(listener.client().pid(), pid);
}

TEST(WorkerClient, JobKeepsTheIdItBrings) {
  Listener listener;
  const auto id = listener.client().run({{"prompt", "work"}, {"id", "mine-1"}});
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(*id, "mine-1");
  ASSERT_TRUE(listener.pump_until([&] { return listener.finished(); }));
  EXPECT_EQ(listener.last<p::Done>()->id, "mine-1");
}

TEST(WorkerClient, SecondJobIsRefusedWhileOneRuns) {
  Listener listener;
  listener.run("wait");
  const auto second = listener.client().run({{"prompt", "work"}});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::Locked);
}

TEST(WorkerClient, HandlerMayStartTheNextJob) {
  Listener listener;
  listener.on_message = [&](Envelope& e) {
    if (std::holds_alternative<p::Done>(e.message) && listener.count<p::Done>() == 0) listener.run("work");
  };
  listener.run("work");
  EXPECT_TRUE(listener.pump_until([&] { return listener.count<p::Done>() == 2; }));
}

TEST(WorkerClient, DeathAtAnyPhaseIsAFailureThatSaysWhatWasKept) {
  for (const std::string phase : {"load", "text", "denoise", "decode"}) {
    Listener listener;
    const auto failed = listener.failure_of("die " + phase);
    EXPECT_EQ(failed.code, ErrorCode::EngineDied);
    EXPECT_EQ(failed.message, "the engine died (SIGKILL) during " + phase);
    const bool kept = phase == "denoise" || phase == "decode";
    EXPECT_EQ(
        failed.kept,
        kept ? "the finished latents are kept in clip.mp4.rubato-partial; the same command only decodes them" : "");
    EXPECT_EQ(listener.client().state(), WorkerClient::State::Stopped);
    EXPECT_EQ(listener.client().pid(), -1);
  }
}

TEST(WorkerClient, DeathAfterTheOutputAppearedSaysThatItIsFinished) {
  const test::TempFolder folder;
  const auto out = folder / "clip.mp4";
  for (const bool stood_there : {false, true}) {
    if (stood_there) folder.write("clip.mp4", "older");
    Listener listener;
    ASSERT_TRUE(listener.client().run({{"prompt", "die mux"}, {"out", out.string()}}).ok());
    ASSERT_TRUE(listener.pump_until([&] { return listener.finished(); }));
    const auto* failed = listener.last<p::Failed>();
    ASSERT_NE(failed, nullptr);
    EXPECT_EQ(failed->message, "the engine died (SIGKILL) during mux");
    EXPECT_EQ(failed->kept, out.string() + " was finished before that; clip.mp4.rubato-partial is not needed any more");
  }
}

TEST(WorkerClient, AnOlderOutputIsNoFinishedOne) {
  const test::TempFolder folder;
  folder.write("clip.mp4", "older");
  Listener listener;
  ASSERT_TRUE(listener.client().run({{"prompt", "die decode"}, {"out", (folder / "clip.mp4").string()}}).ok());
  ASSERT_TRUE(listener.pump_until([&] { return listener.finished(); }));
  EXPECT_THAT(listener.last<p::Failed>()->kept, HasSubstr("only decodes them"));
}

TEST(WorkerClient, DeathOfATracedJobPromisesNoContinuationWithTheTrace) {
  Listener listener;
  ASSERT_TRUE(listener.client().run({{"prompt", "die denoise"}, {"trace", "t.safetensors"}}).ok());
  ASSERT_TRUE(listener.pump_until([&] { return listener.finished(); }));
  EXPECT_THAT(listener.last<p::Failed>()->kept, HasSubstr("the same command without --trace"));
}

TEST(WorkerClient, ExternalKillIsNoticed) {
  Listener listener;
  listener.run("wait");
  ASSERT_TRUE(listener.pump_until([&] { return listener.count<p::Accepted>() == 1; }));
  ::kill(listener.client().pid(), SIGKILL);
  ASSERT_TRUE(listener.pump_until([&] { return listener.finished(); }));
  EXPECT_EQ(listener.last<p::Failed>()->code, ErrorCode::EngineDied);
}

TEST(WorkerClient, NextJobStartsANewWorker) {
  Listener listener;
  listener.failure_of("die load");
  listener.run("work");
  EXPECT_TRUE(listener.pump_until([&] { return listener.count<p::Done>() == 1; }));
}

TEST(WorkerClient, WorkerThatDiedUnnoticedIsReplaced) {
  Listener listener;
  listener.run("work");
  ASSERT_TRUE(listener.pump_until([&] { return listener.finished(); }));
  const int pid = listener.client().pid();
  ::kill(pid, SIGKILL);
  siginfo_t info;
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);  // dead, not reaped, not pumped
  listener.run("work");
  EXPECT_TRUE(listener.pump_until([&] { return listener.count<p::Done>() == 2; }));
  EXPECT_EQ(listener.count<p::Failed>(), 0);
}

TEST(WorkerClient, ExitCodeOfAGpuFaultIsNamed) {
  Listener listener;
  EXPECT_THAT(listener.failure_of("exit 70").message, HasSubstr("ended by itself (exit code 70, a fault of the GPU)"));
}

TEST(WorkerClient, ResultSentBeforeTheEndCounts) {
  Listener listener;
  listener.run("exit-done 1");
  ASSERT_TRUE(listener.pump_until([&] { return listener.client().state() == WorkerClient::State::Stopped; }));
  EXPECT_EQ(listener.count<p::Done>(), 1);
  EXPECT_EQ(listener.count<p::Failed>(), 0);
}

TEST(WorkerClient, NonsenseEndsTheWorker) {
  for (const std::string prompt : {"garbage", "huge", "bad-member", "no-memfd"}) {
    Listener listener;
    const auto failed = listener.failure_of(prompt);
    EXPECT_EQ(failed.code, ErrorCode::EngineDied) << prompt;
    EXPECT_THAT(failed.message, HasSubstr("sent what it should not")) << prompt;
    EXPECT_EQ(listener.client().state(), WorkerClient::State::Stopped) << prompt;
  }
}

TEST(WorkerClient, UnknownMessagesAndKeysAreIgnored) {
  Listener listener;
  listener.run("future");
  ASSERT_TRUE(listener.pump_until([&] { return listener.finished(); }));
  EXPECT_EQ(listener.count<p::Done>(), 1);
  EXPECT_EQ(listener.count<p::Phase>(), 1);
  EXPECT_EQ(listener.client().ignored(), 1u);
}

TEST(WorkerClient, FloodLeavesTheCallerItsTurn) {
  Listener listener;
  listener.run("flood 5000");
  std::size_t most = 0;
  while (!listener.finished()) {
    const auto before = listener.messages.size();
    listener.client().pump(100ms);
    most = std::max(most, listener.messages.size() - before);
  }
  EXPECT_EQ(listener.count<p::Progress>(), 5000);
  EXPECT_LE(most, 1100u);
}

TEST(WorkerClient, ClosedConnectionEndsTheWorker) {
  Listener listener;
  EXPECT_EQ(listener.failure_of("close").code, ErrorCode::EngineDied);
  EXPECT_EQ(listener.client().pid(), -1);
}

TEST(WorkerClient, SilenceEndsInTermThenKill) {
  for (const std::string prompt : {"hang", "stubborn"}) {
    Listener listener({}, [](WorkerOptions& o) {
      o.heartbeat = 300ms;
      o.terminate = 200ms;
    });
    const auto before = std::chrono::steady_clock::now();
    const auto failed = listener.failure_of(prompt);
    const auto took = std::chrono::steady_clock::now() - before;
    EXPECT_THAT(failed.message, HasSubstr("stopped answering")) << prompt;
    EXPECT_GE(took, prompt == "hang" ? 300ms : 500ms) << prompt;
  }
}

TEST(WorkerClient, AStoppedWorkerIsKilled) {
  Listener listener({}, [](WorkerOptions& o) {
    o.heartbeat = 300ms;
    o.terminate = 100ms;
  });
  listener.run("wait");
  ASSERT_TRUE(listener.pump_until([&] { return listener.count<p::Accepted>() == 1; }));
  ASSERT_EQ(::kill(listener.client().pid(), SIGSTOP), 0);  // from here on a SIGTERM only waits in its queue
  ASSERT_TRUE(listener.pump_until([&] { return listener.finished(); }));
  EXPECT_THAT(listener.last<p::Failed>()->message, HasSubstr("stopped answering"));
  EXPECT_EQ(listener.client().pid(), -1);
}

TEST(WorkerClient, HeartbeatAloneKeepsTheWorkerAlive) {
  Listener listener({}, [](WorkerOptions& o) { o.heartbeat = 300ms; });
  listener.run("wait");
  const auto until = std::chrono::steady_clock::now() + 1s;
  while (std::chrono::steady_clock::now() < until) listener.client().pump(50ms);
  EXPECT_FALSE(listener.finished());
}

TEST(WorkerClient, PauseOfTheCallerIsNotTheWorkersFault) {
  Listener listener({}, [](WorkerOptions& o) { o.heartbeat = 300ms; });
  listener.run("wait");
  ASSERT_TRUE(listener.pump_until([&] { return listener.count<p::Accepted>() == 1; }));
  std::this_thread::sleep_for(700ms);  // its heartbeats wait in the socket
  listener.client().pump();
  EXPECT_FALSE(listener.finished());
}

TEST(WorkerClient, CancelIsAnsweredByTheWorker) {
  for (const auto when : {p::CancelWhen::AfterStep, p::CancelWhen::Now}) {
    Listener listener;
    listener.run("wait");
    ASSERT_TRUE(listener.pump_until([&] { return listener.count<p::Accepted>() == 1; }));
    listener.client().cancel(when);
    ASSERT_TRUE(listener.pump_until([&] { return listener.finished(); }));
    EXPECT_EQ(listener.last<p::Failed>()->code, ErrorCode::Cancelled);
    EXPECT_EQ(listener.last<p::Failed>()->message, "stopped after step 2");
    EXPECT_EQ(listener.client().state(), WorkerClient::State::Idle);
  }
}

TEST(WorkerClient, UnansweredCancelKills) {
  Listener listener({}, [](WorkerOptions& o) { o.cancel = 200ms; });
  listener.run("deaf");
  ASSERT_TRUE(listener.pump_until([&] { return listener.count<p::Accepted>() == 1; }));
  listener.client().cancel(p::CancelWhen::Now);
  ASSERT_TRUE(listener.pump_until([&] { return listener.finished(); }));
  EXPECT_EQ(listener.last<p::Failed>()->code, ErrorCode::Cancelled);
  EXPECT_EQ(listener.client().state(), WorkerClient::State::Stopped);
}

TEST(WorkerClient, CancelBeforeTheHelloNeverReachesTheWorker) {
  Listener listener;
  listener.run("work");
  listener.client().cancel(p::CancelWhen::AfterStep);
  ASSERT_TRUE(listener.pump_until([&] { return listener.finished(); }));
  EXPECT_EQ(listener.last<p::Failed>()->code, ErrorCode::Cancelled);
  ASSERT_TRUE(listener.pump_until([&] { return listener.client().state() == WorkerClient::State::Idle; }));
  EXPECT_EQ(listener.count<p::Accepted>(), 0);
}

TEST(WorkerClient, KillEndsTheJobAsCancelled) {
  Listener listener;
  listener.run("deaf");
  ASSERT_TRUE(listener.pump_until([&] { return listener.count<p::Accepted>() == 1; }));
  listener.client().kill();
  ASSERT_TRUE(listener.pump_until([&] { return listener.finished(); }));
  EXPECT_EQ(listener.last<p::Failed>()->code, ErrorCode::Cancelled);
}

TEST(WorkerClient, StopLeavesNoProcess) {
  Listener listener;
  listener.run("work");
  ASSERT_TRUE(listener.pump_until([&] { return listener.finished(); }));
  const int pid = listener.client().pid();
  listener.client().stop();
  EXPECT_EQ(listener.client().state(), WorkerClient::State::Stopped);
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST(WorkerClient, HelloThatNeverComesIsAFailure) {
  Listener listener({"silent"}, [](WorkerOptions& o) { o.hello = 200ms; });
  EXPECT_THAT(listener.failure_of("work").message, HasSubstr("did not get ready in time"));
}

TEST(WorkerClient, OtherProtocolVersionIsRefused) {
  Listener listener({"old"});
  const auto failed = listener.failure_of("work");
  EXPECT_THAT(failed.message, HasSubstr("speaks version 99"));
  EXPECT_EQ(listener.count<p::Hello>(), 0);
}

TEST(WorkerClient, DeathBeforeTheHelloIsReportedWithAndWithoutAJob) {
  Listener with_job({"die"});
  EXPECT_THAT(with_job.failure_of("work").message, HasSubstr("died (SIGKILL) while it started"));
  Listener without({"die"});
  ASSERT_TRUE(without.client().start().ok());
  ASSERT_TRUE(without.pump_until([&] { return without.finished(); }));
  EXPECT_EQ(without.last<p::Failed>()->id, "");
}

TEST(WorkerClient, MissingProgramIsNamed) {
  Listener listener({}, [](WorkerOptions& o) { o.executable = "/nowhere/rubato-worker"; });
  const auto started = listener.client().run({{"prompt", "work"}});
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code, ErrorCode::EngineDied);
  EXPECT_THAT(started.error().message, HasSubstr("/nowhere/rubato-worker cannot be started: No such file"));
}

TEST(WorkerClient, WorkerDiesWithItsParent) {
  const auto note = std::filesystem::temp_directory_path() / ("rubato-orphan-" + std::to_string(::getpid()));
  const pid_t parent = ::fork();
  if (parent == 0) {
    Listener listener({"orphan", note.string()});
    listener.run("deaf");
    listener.pump_until([&] { return listener.count<p::Accepted>() == 1; });
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(parent, &status, 0), parent);
  int worker = 0;
  std::ifstream(note) >> worker;
  std::filesystem::remove(note);
  ASSERT_GT(worker, 0);
  const auto runs = [&] {  // a dead orphan may stay a zombie where no init reaps it
    std::ifstream stat("/proc/" + std::to_string(worker) + "/stat");
    std::string pid, name, state;
    return (stat >> pid >> name >> state) && state != "Z" && state != "X";
  };
  for (int i = 0; i < 100 && runs(); ++i) std::this_thread::sleep_for(20ms);
  EXPECT_FALSE(runs());
}

TEST(WorkerClient, WhenMemoryRunsOutTheWorkerGoesFirst) {
  Listener listener;
  listener.run("wait");
  ASSERT_TRUE(listener.pump_until([&] { return listener.count<p::Accepted>() == 1; }));
  std::ifstream file("/proc/" + std::to_string(listener.client().pid()) + "/oom_score_adj");
  int score = 0;
  ASSERT_TRUE(file >> score);
  EXPECT_GE(score, 500);
}

TEST(WorkerClient, SignalsHaveNames) {
  EXPECT_EQ(signal_name(SIGKILL), "SIGKILL");
  EXPECT_EQ(signal_name(250), "signal 250");
}

}  // namespace
}  // namespace rubato
