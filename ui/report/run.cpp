#include "ui/report/run.h"

#include <nlohmann/json.hpp>

#include "engine/base/guard.h"
#include "ui/queue/queue_model.h"
#include "ui/queue/render_engine.h"
#include "ui/widgets/background.h"
#include "ui/widgets/engine_text.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {

constexpr int kTitle = 80;

std::optional<VideoJob> job_of(const nlohmann::json& spec) {
  if (!spec.is_object()) return std::nullopt;
  auto job = video_job_from_json(spec, "the run");
  return job ? std::optional(std::move(*job)) : std::nullopt;
}

// What the clip says of itself fills what was not kept with it: it is written as the engine's report is.
void look_at_clip(Run& run, const RunSources& sources) {
  std::error_code failed;
  run.file_there = !run.path.isEmpty() && std::filesystem::exists(path_of(run.path), failed);
  if (!run.file_there || !sources.metadata || (run.job && run.record.report.is_object())) return;
  const auto metadata = guard([&] { return sources.metadata(path_of(run.path)); });
  if (!metadata || !metadata->is_object()) return;
  if (!run.record.report.is_object()) run.record.report = *metadata;
  if (!run.job && metadata->contains("job")) run.job = job_of((*metadata)["job"]);
}

void look_at_model(Run& run, const RunSources& sources) {
  if (!run.job || !sources.judge) return;
  VideoJob open;
  open.model = run.job->model;
  run.defaults = sources.judge(open).defaults;
}

void finish(Run run, const RunSources& sources, QObject* owner, RunRead done) {
  in_background(
      owner,
      [run = std::move(run), sources]() mutable {
        look_at_clip(run, sources);
        look_at_model(run, sources);
        return std::move(run);
      },
      [done = std::move(done)](Run read) { done(std::move(read)); });
}

}  // namespace

void read_clip(const LibraryItem& item, const RunSources& sources, QObject* owner, RunRead done) {
  Run run{.title = one_line(qt(item.title), kTitle),
          .path = qt(item.path),
          .made = item.added,
          .seconds = item.seconds,
          .bytes = item.bytes,
          .job = job_of(nlohmann::json::parse(item.job, nullptr, false)),
          .kept = !item.record.empty()};
  if (run.kept) run.record = render_record_from_json(nlohmann::json::parse(item.record, nullptr, false));
  finish(std::move(run), sources, owner, std::move(done));
}

void read_job(const QString& id, const RenderEngine& engine, const RunSources& sources, QObject* owner, RunRead done) {
  Run run;
  engine.look([&](const QueueStore& queue) {
    const auto found = queue.find(utf8(id));
    if (!found || !*found) return;
    const auto& job = **found;
    run.title = one_line(qt(job.name.empty() ? job.id : job.name), kTitle);
    run.state = state_text(job.state);
    run.problem = for_window(job.error_text);
    run.job = job_of(nlohmann::json::parse(job.spec, nullptr, false));
    if (auto record = record_of(queue, job.id)) {
      run.record = std::move(*record);
      run.kept = true;
    }
    run.made = job.ended;
    if (job.ended > job.started && job.started > 0) run.seconds = job.ended - job.started;
    for (const auto& file : run.record.files)
      if (file.kind == "video") {
        run.path = qt(file.path);
        run.bytes = file.bytes;
      }
  });
  finish(std::move(run), sources, owner, std::move(done));
}

}  // namespace rubato::ui
