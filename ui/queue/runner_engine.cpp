#include "ui/queue/runner_engine.h"

#include <QTimer>
#include <nlohmann/json.hpp>

#include "pipelines/job/channel.h"
#include "pipelines/job/queue/queue_runner.h"
#include "ui/widgets/engine_text.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {

// The pictures of a preview, copied out of the worker's memory; none if it is not what it says.
QList<QImage> pictures_of(const protocol::Preview& preview, int fd) {
  const auto mapped = MappedMemfd::map(fd, preview.bytes());
  if (!mapped) return {};
  const auto* pixels = reinterpret_cast<const uchar*>(mapped->bytes().data());
  QList<QImage> pictures;
  for (int i = 0; i < preview.frames; ++i) {
    const auto offset = preview.bytes() / static_cast<unsigned>(preview.frames) * static_cast<unsigned>(i);
    pictures.append(QImage(pixels + offset, preview.width, preview.height, 3 * preview.width, QImage::Format_RGB888)
                        .convertToFormat(QImage::Format_RGB32));
  }
  return pictures;
}

}  // namespace

// Lives on the runner's threads; everything goes to the window by a queued call, so it holds nothing up.
class RunnerEngine::Watcher final : public QueueObserver {
 public:
  explicit Watcher(RunnerEngine& engine) : engine_(engine) {}

  void started(const QueueJob& job) override {
    post([job](RunnerEngine& engine) { Q_EMIT engine.started(job); });
  }

  void message(const QueueJob& job, Envelope& envelope) override {
    const auto id = qt(job.id);
    if (const auto* phase = std::get_if<protocol::Phase>(&envelope.message)) {
      progress_.phase = qt(phase->name);
      progress_.done = 0;
      progress_.total = phase->total;
      post([id, progress = progress_](RunnerEngine& engine) { Q_EMIT engine.progressed(id, progress); });
    } else if (const auto* p = std::get_if<protocol::Progress>(&envelope.message)) {
      progress_ = {qt(p->phase), p->done, p->total, p->fraction, p->eta_s, p->eta_lo_s, p->eta_hi_s};
      post([id, progress = progress_](RunnerEngine& engine) { Q_EMIT engine.progressed(id, progress); });
    } else if (const auto* preview = std::get_if<protocol::Preview>(&envelope.message)) {
      RenderPreview made{preview->step, pictures_of(*preview, envelope.fd.get())};
      post([id, made](RunnerEngine& engine) { Q_EMIT engine.previewed(id, made); });
    } else if (const auto* warning = std::get_if<protocol::Warn>(&envelope.message)) {
      post([id, text = for_window(warning->message)](RunnerEngine& engine) { Q_EMIT engine.warned(id, text); });
    }
  }

  void ended(const QueueJob& job, const std::vector<JobOutput>& outputs) override {
    progress_ = {};
    post([end = RenderEnd{job, outputs}](RunnerEngine& engine) { Q_EMIT engine.ended(end); });
  }
  void changed() override {
    post([](RunnerEngine& engine) { Q_EMIT engine.changed(); });
  }
  void note(const std::string& sentence) override {
    post([text = for_window(sentence)](RunnerEngine& engine) { Q_EMIT engine.noted(text); });
  }

 private:
  template <typename Call>
  void post(Call call) {
    QMetaObject::invokeMethod(&engine_, [this, call] { call(engine_); }, Qt::QueuedConnection);
  }
  RunnerEngine& engine_;  // outlives the runner, and so every call
  RenderProgress progress_;
};

struct RunnerEngine::Parts {
  explicit Parts(RunnerEngine& engine) : watcher(engine) {}
  Watcher watcher;
  QTimer pulse;                         // looks whether the runner has given up
  std::unique_ptr<QueueRunner> runner;  // ends before the watcher
};

RunnerEngine::RunnerEngine() : parts_(std::make_unique<Parts>(*this)) {
  connect(&parts_->pulse, &QTimer::timeout, this, [this] {
    const auto failure = parts_->runner->failure();
    if (!failure) return;
    parts_->pulse.stop();
    Q_EMIT noted(tr("Rendering has ended: %1. Start Rubato again to go on; the queue is kept.")
                     .arg(for_window(failure->message)));
  });
}
RunnerEngine::~RunnerEngine() = default;

Result<std::unique_ptr<RunnerEngine>> RunnerEngine::open(const std::filesystem::path& state_folder,
                                                         WorkerOptions worker) {
  std::unique_ptr<RunnerEngine> engine(new RunnerEngine);
  QueueRunnerOptions options;
  options.worker = std::move(worker);
  RUBATO_TRY(runner, QueueRunner::open(state_folder, std::move(options), engine->parts_->watcher));
  engine->parts_->runner = std::move(runner);
  return engine;
}

QStringList RunnerEngine::notes() const {
  QStringList list;
  for (const auto& note : parts_->runner->notes()) list.append(for_window(note));
  return list;
}

void RunnerEngine::start() {
  parts_->runner->start();
  parts_->pulse.start(std::chrono::seconds(2));
}

void RunnerEngine::shut_down(std::chrono::milliseconds patience) {
  parts_->pulse.stop();
  parts_->runner->stop_after_step();
  if (!parts_->runner->wait_for(patience)) parts_->runner->stop_now();
}

void RunnerEngine::look(const std::function<void(const QueueStore&)>& body) const { parts_->runner->look(body); }
Result<nlohmann::json> RunnerEngine::ask(const nlohmann::json& request) { return parts_->runner->ask(request); }
Result<> RunnerEngine::cancel(const std::string& id, protocol::CancelWhen when) {
  return parts_->runner->cancel(id, when);
}

}  // namespace rubato::ui
