// RenderEngine: the queue and what renders it, as the window sees them. Signals come on the window's thread.
//
// The queue is looked at with look(), and changed by requests (queue_requests.h), as by every other program. The real
// one stands on QueueRunner (runner_engine.h); tests have one that does what it is told.
#pragma once

#include <QImage>
#include <QList>
#include <QObject>
#include <QString>
#include <functional>
#include <nlohmann/json_fwd.hpp>

#include "engine/base/error.h"
#include "pipelines/job/protocol.h"
#include "pipelines/job/queue/queue_store.h"

namespace rubato::ui {

struct RenderProgress {
  QString phase;  // "load", "text", "denoise", "decode", "mux"
  qint64 done = 0, total = 0;
  double fraction = 0;                      // of the whole job
  double eta_s = -1, lo_s = -1, hi_s = -1;  // negative = not known
};

struct RenderPreview {
  int step = 0;
  QList<QImage> frames;
};

struct RenderEnd {
  QueueJob job;  // as it is now: done, failed, cancelled, suspended, or queued again
  std::vector<JobOutput> outputs;
};

class RenderEngine : public QObject {
  Q_OBJECT
 public:
  using QObject::QObject;
  virtual void look(const std::function<void(const QueueStore&)>& body) const = 0;
  virtual Result<nlohmann::json> ask(const nlohmann::json& request) = 0;
  virtual Result<> cancel(const std::string& id, protocol::CancelWhen when) = 0;  // also a running job

 Q_SIGNALS:
  void started(const rubato::QueueJob& job);
  void progressed(const QString& id, const rubato::ui::RenderProgress& progress);
  void previewed(const QString& id, const rubato::ui::RenderPreview& preview);
  void warned(const QString& id, const QString& text);
  void ended(const rubato::ui::RenderEnd& end);
  void changed();                   // the queue, by whomever
  void noted(const QString& text);  // about the queue as a whole
};

}  // namespace rubato::ui
