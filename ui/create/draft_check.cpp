#include "ui/create/draft_check.h"

#include "engine/base/guard.h"
#include "engine/base/text.h"
#include "pipelines/job/places.h"
#include "pipelines/job/preflight.h"
#include "ui/create/video_draft.h"
#include "ui/widgets/background.h"
#include "ui/widgets/engine_text.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {
constexpr int kPause = 150;  // ms without a change before a question is asked

Result<Verdict> judge_job(VideoJob job, const UserFolders& user) {
  Verdict verdict;
  RUBATO_TRY(where, model_folders(user));
  if (job.model.empty()) job.model = "practice-video";
  RUBATO_TRY(root, resolve_model(job.model, where));
  RUBATO_TRY(model, open_video_model(root));
  VideoJob open;
  open.model = root.string();
  if (auto defaults = resolve_video_job(std::move(open), model)) verdict.defaults = std::move(*defaults);
  verdict.model = model;
  const auto problem = [&]() -> Result<> {
    if (trim(job.prompt).empty())
      return Error{ErrorCode::JobInvalid, utf8(DraftCheck::tr("Write what the video shows."))};
    RUBATO_TRY(ready, resolve(job, where));
    RUBATO_OK(check_files(ready.job));
    RUBATO_TRY(memory, forecast_memory(ready.model, ready.job, memory_available(ready.job)));
    verdict.memory = std::move(memory);
    verdict.time = JobTimings(user.state).expected(ready.job, ready.model);
    verdict.resolved = std::move(ready.job);
    return {};
  }();
  if (!problem) verdict.problem = for_window(problem.error().message);
  return verdict;
}

}  // namespace

DraftCheck::DraftCheck(const VideoDraft& draft, Judge judge, QObject* parent)
    : QObject(parent), draft_(draft), judge_(std::move(judge)) {
  soon_.setSingleShot(true);
  soon_.setInterval(kPause);
  connect(&soon_, &QTimer::timeout, this, &DraftCheck::ask);
  connect(&draft, &VideoDraft::changed, &soon_, qOverload<>(&QTimer::start));
  soon_.start();
}

void DraftCheck::check_again() { soon_.start(); }

void DraftCheck::ask() {
  const auto question = ++asked_;
  in_background(
      this, [judge = judge_, job = draft_.job()] { return judge(job); },
      [this, question](Verdict verdict) {
        if (question != asked_) return;
        answered_ = question;
        verdict_ = std::move(verdict);
        Q_EMIT judged();
      });
}

DraftCheck::Judge machine_judge(const UserFolders& user) {
  return [user](const VideoJob& job) {
    auto verdict = guard([&] { return judge_job(job, user); });  // no exception crosses the thread
    if (verdict) return std::move(*verdict);
    Verdict refused;
    refused.problem = for_window(verdict.error().message);
    return refused;
  };
}

}  // namespace rubato::ui
