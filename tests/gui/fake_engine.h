// An engine that does what a test says, on a real queue in a folder of its own; and a studio around it.
#pragma once

#include <QElapsedTimer>
#include <QTest>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "pipelines/job/queue/queue_requests.h"
#include "pipelines/job/queue/queue_store.h"
#include "tests/support/temp_folder.h"
#include "ui/queue/render_engine.h"
#include "ui/shell/studio.h"

namespace rubato::test {

class FakeEngine final : public ui::RenderEngine {
 public:
  explicit FakeEngine(const std::filesystem::path& folder)
      : store(std::move(QueueStore::open(queue_file(folder), QueueMode::Write).value())) {}

  void look(const std::function<void(const QueueStore&)>& body) const override { body(store); }
  Result<nlohmann::json> ask(const nlohmann::json& request) override { return answer_queue_request(store, request); }
  Result<> cancel(const std::string& id, protocol::CancelWhen when) override {
    asked_to_stop = when;
    if (store.find(id)->value().state != JobState::Running) return store.cancel(id);
    return {};
  }

  // The next job of the queue begins; its id, "" if there is none.
  std::string begin() {
    const auto next = store.next_runnable("cpu");
    if (!next.ok() || !*next) return {};
    EXPECT_TRUE(store.started((*next)->id, "cpu", "fake").ok());
    Q_EMIT started(*store.find((*next)->id).value());
    return (*next)->id;
  }
  void tell(const std::string& id, const ui::RenderProgress& progress) {
    Q_EMIT progressed(QString::fromStdString(id), progress);
  }
  void show(const std::string& id, int step) {
    QImage picture(16, 16, QImage::Format_RGB32);
    picture.fill(Qt::darkCyan);
    Q_EMIT previewed(QString::fromStdString(id), {step, {picture, picture}});
  }
  // `report`: what the engine tells of it at the end; null: nothing.
  void finish(const std::string& id, const std::string& path, const nlohmann::json& report = nullptr) {
    if (report.is_object()) {
      EXPECT_TRUE(store.add_event(id, nlohmann::json{{"ev", "job.done"}, {"report", report}}.dump()).ok());
    }
    EXPECT_TRUE(store.finished(id).ok());
    Q_EMIT ended({*store.find(id).value(), {{.path = path, .sha256 = "", .kind = "video", .bytes = 1'000}}});
  }
  void fail(const std::string& id, const Error& error) {
    EXPECT_TRUE(store.failed(id, error).ok());
    Q_EMIT ended({*store.find(id).value(), {}});
  }

  QueueStore store;
  std::optional<protocol::CancelWhen> asked_to_stop;
};

// Spins the event loop until `enough` holds; false after ten seconds.
inline bool wait_until(const std::function<bool()>& enough, int patience_ms = 10'000) {
  return QTest::qWaitFor(enough, patience_ms);
}

// Frames of one colour each, so that a test sees which one is shown.
inline ui::ClipSource fake_clips(int frames) {
  ui::ClipSource source;
  source.facts = [frames](const std::filesystem::path&) -> Result<ui::ClipFacts> {
    return ui::ClipFacts{.frames = frames, .width = 32, .height = 24, .fps = 50};
  };
  source.frames = [frames](const std::filesystem::path&, int start, int count, int) -> Result<std::vector<QImage>> {
    std::vector<QImage> images;
    for (int i = start; i < std::min(start + count, frames); ++i) {
      QImage image(32, 24, QImage::Format_RGB32);
      image.fill(QColor(i % 256, 0, 0));
      images.push_back(image);
    }
    return images;
  };
  return source;
}

// A studio in a folder of its own, with a model and a judge made up by the test.
struct FakeStudio {
  explicit FakeStudio(int clip_frames = 20) : FakeStudio(std::make_shared<TempFolder>(), clip_frames) {}
  FakeStudio(std::shared_ptr<TempFolder> there, int clip_frames) : folder(std::move(there)) {
    std::filesystem::create_directories(folder->path() / "state");
    ui::StudioOptions options;
    options.user = {
        .config = *folder / "config", .data = *folder / "data", .state = *folder / "state", .cache = *folder / "cache"};
    options.outputs = *folder / "clips";
    auto made = std::make_unique<FakeEngine>(options.user.state);
    engine = made.get();
    options.engine = std::move(made);
    options.clips = fake_clips(clip_frames);
    options.thumbnails = [](const LibraryItem&) {
      QImage image(64, 48, QImage::Format_RGB32);
      image.fill(Qt::darkGreen);
      return image;
    };
    options.scan = [] {
      ui::ModelsModel::Answer answer;
      answer.folders = {"/models/wan"};
      ModelEntry whole{.name = "wan-1.3b",
                       .title = "Wan 2.1 T2V 1.3B",
                       .family = "wan",
                       .kind = "video",
                       .root = "/models/wan/1.3b"};
      whole.parts = {{.name = "transformer", .weight_bytes = 2'840'000'000},
                     {.name = "vae", .weight_bytes = 250'000'000}};
      auto lacking = whole;
      lacking.name = "wan-14b";
      lacking.title = "Wan 2.1 T2V 14B";
      lacking.root = "/models/wan/14b";
      lacking.parts[1].missing = "expected vae/diffusion_pytorch_model.safetensors";
      answer.scan.models = {whole, lacking};
      answer.scan.files = 12;
      return answer;
    };
    options.judge = [](const VideoJob& job) {
      ui::Verdict verdict;
      VideoModel model;
      model.name = "practice-video";
      verdict.model = model;
      VideoJob defaults;
      defaults.size = Size{128, 128};
      defaults.frames = 65;
      defaults.fps = 16;
      defaults.steps = 30;
      defaults.guidance = 3.5;
      verdict.defaults = defaults;
      if (job.prompt.empty()) {
        verdict.problem = QStringLiteral("Write what the video shows.");
        return verdict;
      }
      verdict.resolved = job;
      if (!job.size) verdict.resolved->size = defaults.size;
      if (!job.frames) verdict.resolved->frames = defaults.frames;
      if (!job.fps) verdict.resolved->fps = defaults.fps;
      return verdict;
    };
    options.recorded_job = [](const std::filesystem::path&) -> Result<VideoJob> {
      VideoJob job;
      job.prompt = "recorded";
      job.steps = 12;
      job.out = "/somewhere/else.mp4";
      return job;
    };
    studio = std::move(ui::Studio::create(std::move(options)).value());
  }

  std::shared_ptr<TempFolder> folder;
  FakeEngine* engine = nullptr;
  std::unique_ptr<ui::Studio> studio;
};

}  // namespace rubato::test
