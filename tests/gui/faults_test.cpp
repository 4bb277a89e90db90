// What dies, and what a person then sees: the engine in the middle of a render, and the window itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QProcess>
#include <fstream>
#include <nlohmann/json.hpp>

#include "pipelines/job/queue/queue_requests.h"
#include "pipelines/job/queue/queue_store.h"
#include "tests/gui/fake_engine.h"
#include "ui/queue/queue_model.h"
#include "ui/queue/render_model.h"
#include "ui/queue/runner_engine.h"

namespace rubato::ui {
namespace {

namespace fs = std::filesystem;
using test::wait_until;

constexpr int kRender = 120'000;  // ms; a busy machine is allowed for

// Children of this process that run a program of this name.
std::vector<pid_t> children(const std::string& name) {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto pid = std::atoi(entry.path().filename().c_str());
    std::ifstream file(entry.path() / "stat");
    std::string line;
    if (pid <= 0 || !std::getline(file, line)) continue;
    const auto open = line.find('('), close = line.rfind(')');
    if (line.substr(open + 1, close - open - 1) != name) continue;
    int parent = 0;
    char state = 0;
    if (std::sscanf(line.c_str() + close + 2, "%c %d", &state, &parent) == 2 && parent == ::getpid())
      found.push_back(pid);
  }
  return found;
}

VideoJob practice_job(const fs::path& out, int steps) {
  VideoJob job;
  job.model = (fs::path(RUBATO_RESOURCES) / "practice/video").string();
  job.prompt = "a big red star";
  job.size = Size{128, 128};
  job.frames = 9;
  job.fps = 16;
  job.steps = steps;
  job.guidance = 3.5;
  job.max_sequence_length = 32;
  job.negative_prompt = "";
  job.seed = 7;
  job.out = out.string();
  return job;
}

TEST(Faults, AnEngineThatIsKilledIsReplacedAndTheClipIsMade) {
  if (RUBATO_TEST_ENGINE == 0) GTEST_SKIP() << "this build has no worker or no media";
  const test::TempFolder folder;
  auto opened = RunnerEngine::open(folder.path(), {.executable = fs::path(RUBATO_BIN_DIR) / "rubato-worker"});
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  auto& engine = **opened;
  QueueModel queue(engine);
  RenderModel render(engine);
  engine.start();
  ASSERT_TRUE(queue.add(practice_job(folder / "a.mp4", 12), QStringLiteral("a"), QueueModel::Turn::Last));
  ASSERT_TRUE(wait_until([&] { return render.progress().done >= 2; }, kRender));
  const auto workers = children("rubato-worker");
  ASSERT_EQ(workers.size(), 1u);
  ::kill(workers[0], SIGKILL);
  // It ends as interrupted, is queued again, and goes on.
  ASSERT_TRUE(wait_until([&] { return queue.job(0).state == JobState::Done; }, kRender))
      << queue.log(QString::fromStdString(queue.job(0).id)).toStdString();
  EXPECT_EQ(queue.job(0).deaths, 1);
  EXPECT_TRUE(fs::exists(folder / "a.mp4"));
  engine.shut_down(std::chrono::seconds(5));
}

TEST(Faults, AnEngineThatDoesNotStartIsSaid) {
  const test::TempFolder folder;
  auto opened = RunnerEngine::open(folder.path(), {.executable = "/bin/false"});
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  auto& engine = **opened;
  QueueModel queue(engine);
  QStringList notes;
  QObject::connect(&engine, &RenderEngine::noted, &queue, [&](const QString& text) { notes.append(text); });
  engine.start();
  ASSERT_TRUE(queue.add(practice_job(folder / "a.mp4", 2), QStringLiteral("a"), QueueModel::Turn::Last));
  const auto told = [&] { return notes.join(QLatin1Char('\n')).contains(QStringLiteral("Rendering has ended")); };
  const auto aside = [&] {
    return queue.job(0).state == JobState::Suspended || queue.job(0).state == JobState::Failed;
  };
  EXPECT_TRUE(wait_until([&] { return told() || aside(); }, kRender));
  EXPECT_FALSE(fs::exists(folder / "a.mp4"));
}

// The program itself, without a display.
struct Program {
  explicit Program(const fs::path& home) {
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("QT_QPA_PLATFORM"), QStringLiteral("offscreen"));
    environment.insert(QStringLiteral("HOME"), QString::fromStdString(home.string()));
    process.setProcessEnvironment(environment);
    process.start(QStringLiteral(RUBATO_BIN_DIR "/rubato"),
                  {QStringLiteral("--data-dir"), QString::fromStdString(home.string())});
    EXPECT_TRUE(process.waitForStarted());
  }
  ~Program() {
    process.kill();
    process.waitForFinished();
  }
  QProcess process;
};

TEST(Faults, AWindowThatIsKilledLosesNothingOfTheQueue) {
  if (RUBATO_TEST_ENGINE == 0) GTEST_SKIP() << "this build has no worker or no media";
  const test::TempFolder home;
  const auto state = home / "state/rubato";
  const auto ask = [&](const nlohmann::json& request) {
    std::vector<std::string> notes;
    return ask_queue(state, request, notes);
  };
  const auto job_is = [&](JobState wanted) {
    const auto store = QueueStore::open(queue_file(state), QueueMode::Read);
    if (!store.ok()) return false;
    const auto jobs = store->list();
    return jobs.ok() && jobs->size() == 1 && (*jobs)[0].state == wanted;
  };
  {
    Program window(home.path());
    ASSERT_TRUE(wait_until([&] { return fs::exists(queue_socket(state)); }, kRender));
    const nlohmann::json one{{"name", "a"}, {"spec", video_job_to_json(practice_job(home / "a.mp4", 40))}};
    const auto added = ask({{"request", "add"}, {"jobs", nlohmann::json::array({one})}});
    ASSERT_TRUE(added.ok()) << added.error().message;
    ASSERT_TRUE(wait_until([&] { return job_is(JobState::Running); }, kRender));
    ASSERT_TRUE(wait_until([&] { return fs::exists(home / ".rubato"); }, kRender));
    ::kill(static_cast<pid_t>(window.process.processId()), SIGKILL);
    window.process.waitForFinished();
  }
  EXPECT_FALSE(fs::exists(home / "a.mp4"));
  // The next window waits for a person; then the job goes on.
  Program window(home.path());
  ASSERT_TRUE(wait_until([&] { return job_is(JobState::Interrupted); }, kRender));
  Result<nlohmann::json> resumed = Error{ErrorCode::Locked, ""};
  ASSERT_TRUE(wait_until([&] { return (resumed = ask({{"request", "resume"}})).ok(); }, kRender))
      << resumed.error().message;
  ASSERT_TRUE(wait_until([&] { return job_is(JobState::Done); }, kRender));
  EXPECT_TRUE(fs::exists(home / "a.mp4"));
}

}  // namespace
}  // namespace rubato::ui
