// RenderModel: the job that is being rendered now: its phase, how far it is, what it looks like so far.
#pragma once

#include <QImage>
#include <QObject>
#include <QTimer>
#include <optional>

#include "ui/queue/render_engine.h"

namespace rubato::ui {

class RenderModel final : public QObject {
  Q_OBJECT
 public:
  explicit RenderModel(RenderEngine& engine, QObject* parent = nullptr);

  bool running() const { return job_.has_value(); }
  const std::optional<QueueJob>& job() const { return job_; }
  QSize size() const { return size_; }  // of the clip that comes out; may be empty
  const RenderProgress& progress() const { return progress_; }
  // "Denoising, step 12 of 30"
  QString phase_line() const;
  // "8 to 12 s left", "about 8 s so far" where nothing is known yet
  QString time_line() const;
  QImage picture() const;  // of the preview that moves; null: none yet
  int preview_step() const { return preview_.step; }
  // That stopping was asked for; until it has stopped.
  bool stopping() const { return stopping_; }

  void stop_after_step();
  void cancel();

 Q_SIGNALS:
  void changed();
  void pictured();  // another picture of the preview
  void ended(const rubato::ui::RenderEnd& end);
  void refused(const QString& text);

 private:
  void ask_to_stop(protocol::CancelWhen when);

  RenderEngine& engine_;
  std::optional<QueueJob> job_;
  QSize size_;
  RenderProgress progress_;
  RenderPreview preview_;
  int shown_ = 0;
  double begun_ = 0;
  QTimer motion_, clock_;
  bool stopping_ = false;
};

}  // namespace rubato::ui
