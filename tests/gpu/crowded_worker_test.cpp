// The real worker on a GPU whose memory another process (this one) takes away while a job runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "kernels/device.h"
#include "pipelines/job/video_job.h"
#include "pipelines/job/worker_client.h"
#include "tests/support/temp_folder.h"

namespace rubato {
namespace {

namespace fs = std::filesystem;
namespace p = protocol;
using namespace std::chrono_literals;
using testing::HasSubstr;
const at::Device kCuda(at::kCUDA, 0);

// The tree may lie elsewhere than where it was built: on a GPU host the tests run in its root.
fs::path practice_model() {
  const fs::path built = fs::path(RUBATO_RESOURCES) / "practice/video";
  return fs::exists(built) ? built : fs::absolute("resources/practice/video");
}

// A neighbour who takes whatever memory of the GPU is free, and goes on taking, until told to leave.
class Neighbour {
 public:
  ~Neighbour() { leave(); }
  void come() {
    if (taker_.joinable()) return;
    taker_ = std::jthread([this](std::stop_token stop) {
      std::int64_t bytes = 64ll << 30;
      while (!stop.stop_requested()) {
        try {
          held_.push_back(at::empty({bytes}, at::TensorOptions(kCuda).dtype(at::kByte)));
        } catch (const std::exception&) {
          if (bytes > 2 << 20) {
            bytes /= 2;
            continue;
          }
          has_all_ = true;
          std::this_thread::sleep_for(1ms);
          bytes = 256ll << 20;  // whatever somebody has given back meanwhile
        }
      }
    });
    while (!has_all_) std::this_thread::sleep_for(1ms);
  }
  void leave() {
    if (!taker_.joinable()) return;
    taker_.request_stop();
    taker_.join();
    held_.clear();
    release_cached_memory(kCuda);
    has_all_ = false;
  }

 private:
  std::vector<at::Tensor> held_;  // by the thread alone while it runs
  std::atomic<bool> has_all_ = false;
  std::jthread taker_;
};

class CrowdedWorkerOnCuda : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto cuda = load_cuda(); !cuda.ok()) GTEST_SKIP() << cuda.error().message;
    static_cast<void>(at::empty({1}, at::TensorOptions(kCuda)));  // a neighbour who comes at once
    ASSERT_TRUE(fs::exists(default_worker_path())) << "rubato-worker must stand beside this test";
  }

  VideoJob job(const std::string& name) const {
    VideoJob job;
    job.model = practice_model();
    job.prompt = "a red circle moves right";
    job.size = Size{480, 480};  // activations of some 270 MB, far more than the model
    job.frames = 65;
    job.steps = 6;
    job.seed = 7;
    job.device = "cuda:0";
    job.dtype = "bfloat16";
    job.metadata = false;
    job.out = folder_ / name;
    return job;
  }

  struct Outcome {
    std::optional<p::Done> done;
    std::optional<p::Failed> failed;
    std::vector<std::string> steps;  // sentences about memory, in order
    std::string frames() const { return done ? done->report.value("frames_sha256", "") : ""; }
    std::string how() const {
      std::string text = done ? "done" : failed ? failed->message + "; kept: " + failed->kept : "no answer";
      for (const auto& step : steps) text += "\n  " + step;
      return text;
    }
  };

  // The neighbour comes at the beginning of the phase and leaves after `patience` steps of the ladder (0 = never).
  Outcome run(const VideoJob& job, const std::string& when = "", int patience = 0) {
    Outcome outcome;
    on_message_ = [&](Envelope& envelope) {
      if (const auto* phase = std::get_if<p::Phase>(&envelope.message); phase && phase->name == when) neighbour_.come();
      if (const auto* warning = std::get_if<p::Warn>(&envelope.message); warning && warning->code == "memory_low") {
        outcome.steps.push_back(warning->message);
        if (static_cast<int>(outcome.steps.size()) == patience) neighbour_.leave();
      }
      if (const auto* done = std::get_if<p::Done>(&envelope.message)) outcome.done = *done;
      if (const auto* failed = std::get_if<p::Failed>(&envelope.message)) outcome.failed = *failed;
    };
    const auto id = client_.run(video_job_to_json(job));
    EXPECT_TRUE(id.ok()) << (id.ok() ? "" : id.error().message);
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (id.ok() && !outcome.done && !outcome.failed && std::chrono::steady_clock::now() < until) client_.pump(100ms);
    neighbour_.leave();
    return outcome;
  }

  test::TempFolder folder_;
  Neighbour neighbour_;
  std::function<void(Envelope&)> on_message_;
  WorkerClient client_{{}, [this](Envelope& envelope) {
                         if (on_message_) on_message_(envelope);
                       }};
};

// The worker does not wait for the neighbour, who takes a moment to leave: either is fast enough, or the job fails
// alone, or the driver is left in a state in which only a new engine helps.
TEST_F(CrowdedWorkerOnCuda, AJobGoesOnWithLessOrLaterWithTheSameFrames) {
  const auto calm = run(job("calm.safetensors"));
  ASSERT_TRUE(calm.done) << calm.how();
  ASSERT_TRUE(calm.steps.empty()) << calm.how();
  for (const int patience : {1, 2, 3}) {
    client_.stop();  // the next worker has nothing cached that could do
    const auto clip = job("clip" + std::to_string(patience) + ".safetensors");
    auto outcome = run(clip, "text", patience);
    EXPECT_FALSE(outcome.steps.empty()) << outcome.how();
    for (int again = 0; again < 2 && outcome.failed; ++again) {
      const auto code = outcome.failed->code;
      EXPECT_TRUE(code == ErrorCode::OutOfMemory || code == ErrorCode::EngineDied) << outcome.how();
      outcome = run(clip);
    }
    ASSERT_TRUE(outcome.done) << outcome.how();
    const bool same_sums = outcome.how().find("one after the other") == std::string::npos;  // branches apart round so
    EXPECT_TRUE(outcome.frames() == calm.frames() || !same_sums) << outcome.how();
  }
}

TEST_F(CrowdedWorkerOnCuda, WithoutMemoryOnlyThisJobFailsAndTheNextGoesOnInTheSameWorker) {
  const auto outcome = run(job("clip.safetensors"), "text");
  ASSERT_TRUE(outcome.failed) << outcome.how();
  EXPECT_EQ(outcome.failed->code, ErrorCode::OutOfMemory) << outcome.how();
  EXPECT_FALSE(outcome.steps.empty()) << outcome.how();
  const auto worker = client_.pid();
  const auto next = run(job("clip.safetensors"));
  EXPECT_TRUE(next.done) << next.how();
  EXPECT_EQ(client_.pid(), worker);
}

// Frames of tiles are not those of whole frames, so here it is the latents that must not be lost.
TEST_F(CrowdedWorkerOnCuda, ADecodeWithoutMemoryKeepsTheLatents) {
  auto wide = job("wide.safetensors");
  wide.size = Size{1280, 704};
  wide.frames = 33;
  wide.steps = 2;
  const auto calm = run(wide);
  ASSERT_TRUE(calm.done) << calm.how();
  client_.stop();
  wide.out = folder_ / "clip.safetensors";
  const auto outcome = run(wide, "decode");
  if (outcome.done) {  // it found room: in what the denoising had left to it, in tiles
    EXPECT_FALSE(outcome.steps.empty() && outcome.frames() != calm.frames()) << outcome.how();
    return;
  }
  ASSERT_TRUE(outcome.failed) << outcome.how();
  EXPECT_EQ(outcome.failed->code, ErrorCode::OutOfMemory) << outcome.how();
  EXPECT_THAT(outcome.failed->kept, HasSubstr("step 2 of 2 is kept")) << outcome.how();
  const auto again = run(wide);
  ASSERT_TRUE(again.done) << again.how();
  EXPECT_EQ(again.frames(), calm.frames());
}

}  // namespace
}  // namespace rubato
