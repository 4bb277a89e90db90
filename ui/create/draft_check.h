// DraftCheck: says of the draft, as it is being written, whether it can be rendered, what it takes, and what the open
// fields come to. Works in the background; only the answer to the newest question is told.
#pragma once

#include <QObject>
#include <QString>
#include <QTimer>
#include <functional>
#include <optional>

#include "engine/base/files.h"
#include "pipelines/job/memory_forecast.h"
#include "pipelines/job/queue/job_timings.h"
#include "pipelines/job/video_job.h"
#include "pipelines/job/video_model.h"

namespace rubato::ui {

class VideoDraft;

struct Verdict {
  std::optional<VideoJob> resolved;  // every field filled but perhaps the seed
  std::optional<VideoModel> model;   // also where the job does not fit it
  std::optional<VideoJob> defaults;  // what the model gives for a job in which everything is open
  std::optional<MemoryForecast> memory;
  TimeForecast time;
  QString problem;  // "" when it can be rendered: one sentence a person can act on
};

class DraftCheck final : public QObject {
  Q_OBJECT
 public:
  // How a job is judged; runs on a thread of the pool. Tests give their own.
  using Judge = std::function<Verdict(const VideoJob&)>;
  DraftCheck(const VideoDraft& draft, Judge judge, QObject* parent = nullptr);

  const Verdict& verdict() const { return verdict_; }
  bool settled() const { return answered_ > 0 && answered_ == asked_ && !soon_.isActive(); }
  void check_again();  // the models or the machine have changed

 Q_SIGNALS:
  void judged();

 private:
  void ask();

  const VideoDraft& draft_;
  Judge judge_;
  QTimer soon_;
  Verdict verdict_;
  std::uint64_t asked_ = 0, answered_ = 0;
};

// Against the models and the memory of this machine.
DraftCheck::Judge machine_judge(const UserFolders& user);

}  // namespace rubato::ui
