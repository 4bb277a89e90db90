#include "ui/create/render_desk.h"

#include <QRandomGenerator>
#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "engine/base/json.h"
#include "engine/files/model_card.h"
#include "pipelines/job/batch/name_template.h"
#include "pipelines/job/library/render_record.h"
#include "pipelines/job/run/output_names.h"
#include "ui/create/draft_check.h"
#include "ui/library/library_model.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace fs = std::filesystem;
namespace {

constexpr auto kName = "{date:%Y-%m-%d}/{prompt:48}-{seed}.mp4";
constexpr int kTitle = 80;

std::optional<VideoJob> job_of(const QueueJob& row) {
  const auto json = nlohmann::json::parse(row.spec, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  auto job = video_job_from_json(json, "the queue");
  return job ? std::optional(std::move(*job)) : std::nullopt;
}

// What the model calls itself, else its folder.
std::string name_of(const fs::path& model) {
  const auto card = ModelCard::load(model);
  return card && *card && !(*card)->name.empty() ? (*card)->name : model.filename().string();
}

// Where a file of the job's name is there, or a job that waits will make it: the next name.
void take_free_name(VideoJob& job, const QueueModel& queue) {
  OutputNames taken;
  for (int row = 0; row < queue.rowCount(); ++row) {
    const auto& other = queue.job(row);
    if (other.state == JobState::Done || other.state == JobState::Failed || other.state == JobState::Cancelled)
      continue;
    const auto spec = video_job_from_json(nlohmann::json::parse(other.spec, nullptr, false), other.name);
    if (spec) static_cast<void>(taken.claim(output_names(*spec), other.name));
  }
  StandingFiles standing("");
  const auto names = output_names(job);
  const bool stands = std::ranges::any_of(names, [&](const OutputName& name) {
    return !standing.in_the_way(name, [](const std::string&) { return false; }).empty();
  });
  if (stands || !taken.claim(names, job.name)) job.out = standing.free_name(taken, job, &VideoJob::out, job.name);
}

}  // namespace

fs::path name_for(const VideoJob& job, const std::string& model, const fs::path& folder) {
  static const auto name = NameTemplate::parse(kName);
  const auto now = std::time(nullptr);
  std::tm when{};
  ::localtime_r(&now, &when);
  const NameValues values{.when = when,
                          .job = job.id,
                          .seed = job.seed.value_or(0),
                          .model = model,
                          .size = job.size.value_or(Size{}),
                          .prompt = job.prompt};
  return folder / name.value().render(values);
}

RenderDesk::RenderDesk(DraftCheck& check, QueueModel& queue, RenderEngine& engine, LibraryModel& library,
                       fs::path outputs, QObject* parent)
    : QObject(parent), check_(check), queue_(queue), engine_(engine), library_(library), outputs_(std::move(outputs)) {
  connect(&engine, &RenderEngine::ended, this, &RenderDesk::keep);
}

bool RenderDesk::can_render() const { return check_.settled() && check_.verdict().resolved.has_value(); }

void RenderDesk::render(QueueModel::Turn turn, Seed seed) {
  if (!can_render())
    return Q_EMIT refused(check_.settled() ? check_.verdict().problem
                                           : tr("One moment: the settings are being checked."));
  auto job = *check_.verdict().resolved;
  // 32 bits are enough to be new, and short enough to be read to somebody.
  if (!job.seed || seed == Seed::New) job.seed = QRandomGenerator::global()->generate();
  const auto out = name_for(job, check_.verdict().model->name, outputs_);
  std::error_code failed;
  fs::create_directories(out.parent_path(), failed);
  if (failed)
    return Q_EMIT refused(tr("The folder %1 cannot be made: %2.").arg(qt(out.parent_path()), qt(failed.message())));
  job.out = out.string();
  take_free_name(job, queue_);
  job.id.clear();
  const auto title = one_line(qt(job.name.empty() ? job.prompt : job.name), kTitle);
  if (const auto id = queue_.add(job, title, turn)) Q_EMIT queued(*id);
}

void RenderDesk::keep(const RenderEnd& end) {
  if (end.job.state != JobState::Done) return;
  const auto job = job_of(end.job);
  const auto video = std::find_if(end.outputs.begin(), end.outputs.end(),
                                  [](const JobOutput& output) { return output.kind == "video"; });
  if (!job || video == end.outputs.end()) return;
  LibraryItem item{.path = video->path,
                   .title = end.job.name,
                   .prompt = job->prompt,
                   .model = name_of(job->model),
                   .seed = job->seed ? std::to_string(*job->seed) : "",
                   .size = job->size.value_or(Size{}),
                   .frames = job->frames.value_or(0),
                   .fps = job->fps.value_or(0),
                   .seconds = end.job.ended - end.job.started,
                   .bytes = video->bytes,
                   .job = end.job.spec};
  engine_.look([&](const QueueStore& queue) {
    const auto record = record_of(queue, end.job.id);
    if (!record) return;
    item.record = to_json(*record).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    item.frames_sha256 = text_member(record->report, "frames_sha256");
  });
  library_.add(item);
  Q_EMIT made(item);
}

}  // namespace rubato::ui
