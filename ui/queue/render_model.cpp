#include "ui/queue/render_model.h"

#include <QDateTime>
#include <nlohmann/json.hpp>

#include "ui/queue/queue_model.h"
#include "ui/widgets/engine_text.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {

constexpr int kPreviewRate = 8;  // pictures a second

double now() { return static_cast<double>(QDateTime::currentMSecsSinceEpoch()) / 1000.0; }

QSize size_of(const QueueJob& job) {
  const auto json = nlohmann::json::parse(job.spec, nullptr, false);
  if (!json.is_object() || !json.contains("size") || !json["size"].is_string()) return {};
  const auto parts = qt(json["size"].get<std::string>()).split(QLatin1Char('x'));
  return parts.size() == 2 ? QSize(parts[0].toInt(), parts[1].toInt()) : QSize();
}

}  // namespace

RenderModel::RenderModel(RenderEngine& engine, QObject* parent) : QObject(parent), engine_(engine) {
  motion_.setInterval(1000 / kPreviewRate);
  connect(&motion_, &QTimer::timeout, this, [this] {
    shown_ = static_cast<int>((shown_ + 1) % std::max<qsizetype>(preview_.frames.size(), 1));
    Q_EMIT pictured();
  });
  clock_.setInterval(1000);
  connect(&clock_, &QTimer::timeout, this, &RenderModel::changed);
  connect(&engine_, &RenderEngine::started, this, [this](const QueueJob& job) {
    job_ = job;
    size_ = size_of(job);
    progress_ = {};
    preview_ = {};
    shown_ = 0;
    stopping_ = false;
    begun_ = now();
    clock_.start();
    Q_EMIT changed();
  });
  connect(&engine_, &RenderEngine::progressed, this, [this](const QString& id, const RenderProgress& progress) {
    if (!job_ || qt(job_->id) != id) return;
    progress_ = progress;
    Q_EMIT changed();
  });
  connect(&engine_, &RenderEngine::previewed, this, [this](const QString& id, const RenderPreview& preview) {
    if (!job_ || qt(job_->id) != id || preview.frames.isEmpty()) return;
    preview_ = preview;
    shown_ = static_cast<int>(shown_ % preview_.frames.size());
    preview_.frames.size() > 1 ? motion_.start() : motion_.stop();
    Q_EMIT pictured();
  });
  connect(&engine_, &RenderEngine::ended, this, [this](const RenderEnd& end) {
    if (job_ && job_->id == end.job.id) {
      job_.reset();
      motion_.stop();
      clock_.stop();
      stopping_ = false;
      Q_EMIT changed();
    }
    Q_EMIT ended(end);
  });
}

QString RenderModel::phase_line() const {
  if (!job_) return {};
  if (progress_.phase.isEmpty()) return tr("Starting the engine");
  const auto phase = phase_text(progress_.phase);
  if (progress_.total <= 1) return phase;
  if (progress_.phase == QLatin1String("denoise"))
    return tr("%1, step %2 of %3").arg(phase).arg(progress_.done).arg(progress_.total);
  return tr("%1, %2 of %3").arg(phase).arg(progress_.done).arg(progress_.total);
}

QString RenderModel::time_line() const {
  if (!job_) return {};
  if (stopping_) return tr("Stopping");
  if (progress_.eta_s >= 0) return tr("%1 left").arg(range_text(progress_.lo_s, progress_.hi_s));
  return tr("%1 so far").arg(seconds_text(now() - begun_));
}

QImage RenderModel::picture() const { return preview_.frames.isEmpty() ? QImage() : preview_.frames[shown_]; }

void RenderModel::stop_after_step() { ask_to_stop(protocol::CancelWhen::AfterStep); }
void RenderModel::cancel() { ask_to_stop(protocol::CancelWhen::Now); }

void RenderModel::ask_to_stop(protocol::CancelWhen when) {
  if (!job_) return;
  const auto done = engine_.cancel(job_->id, when);
  if (!done) return Q_EMIT refused(for_window(done.error().message));
  stopping_ = true;
  Q_EMIT changed();
}

}  // namespace rubato::ui
