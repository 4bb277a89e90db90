#include "ui/queue/queue_model.h"

#include <QMimeData>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/base/json.h"
#include "ui/widgets/engine_text.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace {

const QString kMime = QStringLiteral("application/x-rubato-job");

bool has_ended(JobState state) {
  return state == JobState::Done || state == JobState::Failed || state == JobState::Cancelled;
}

}  // namespace

QueueModel::QueueModel(RenderEngine& engine, QObject* parent) : QAbstractTableModel(parent), engine_(engine) {
  // Several changes in a row are read once.
  soon_.setSingleShot(true);
  soon_.setInterval(30);
  connect(&soon_, &QTimer::timeout, this, &QueueModel::reload);
  connect(&engine_, &RenderEngine::changed, &soon_, qOverload<>(&QTimer::start));
  connect(&engine_, &RenderEngine::ended, &soon_, qOverload<>(&QTimer::start));
  connect(&engine_, &RenderEngine::started, this, [this] {
    progress_ = {};
    soon_.start();
  });
  connect(&engine_, &RenderEngine::progressed, this, [this](const QString& id, const RenderProgress& progress) {
    progress_ = progress;
    if (const int row = row_of(id); row >= 0) Q_EMIT dataChanged(index(row, State), index(row, Progress));
  });
  reload();
}

int QueueModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(jobs_.size());
}
int QueueModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : Columns; }

QVariant QueueModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= rowCount()) return {};
  const auto& job = this->job(index.row());
  if (role == kIdRole) return qt(job.id);
  if (role == kStateRole) return qt(state_name(job.state));
  const bool runs = job.state == JobState::Running;
  if (role == kFractionRole) return runs ? progress_.fraction : -1.0;
  if (role == Qt::ToolTipRole) return detail(job);
  if (role != Qt::DisplayRole) return {};
  switch (index.column()) {
    case Name:
      return qt(job.name.empty() ? job.id : job.name);
    case State:
      return state_text(job.state);
    case Progress: {
      if (!runs) return one_line(detail(job), 120);
      if (progress_.phase.isEmpty()) return tr("Starting the engine");
      QStringList parts{phase_text(progress_.phase)};
      if (progress_.total > 1) parts += tr("%1 of %2").arg(progress_.done).arg(progress_.total);
      if (progress_.eta_s >= 0) parts += tr("%1 left").arg(range_text(progress_.lo_s, progress_.hi_s));
      return listed(parts);
    }
    case Added:
      return moment_text(job.created);
    default:
      return {};
  }
}

QVariant QueueModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
  const QString names[] = {tr("Job"), tr("State"), tr("Progress"), tr("Added")};
  return section < Columns ? names[section] : QString();
}

Qt::ItemFlags QueueModel::flags(const QModelIndex& index) const {
  auto flags = QAbstractTableModel::flags(index);
  return index.isValid() ? flags | Qt::ItemIsDragEnabled : flags | Qt::ItemIsDropEnabled;
}

QStringList QueueModel::mimeTypes() const { return {kMime}; }

QMimeData* QueueModel::mimeData(const QModelIndexList& indexes) const {
  auto* data = new QMimeData;
  if (!indexes.isEmpty()) data->setData(kMime, indexes.first().data(kIdRole).toString().toUtf8());
  return data;
}

bool QueueModel::dropMimeData(const QMimeData* data, Qt::DropAction, int row, int, const QModelIndex& parent) {
  const auto id = QString::fromUtf8(data->data(kMime));
  if (id.isEmpty()) return false;
  if (row < 0) row = parent.isValid() ? parent.row() : rowCount();
  if (row >= rowCount())
    move_to(id, "last");
  else if (job(row).id != utf8(id))
    move_to(id, "before", qt(job(row).id));
  return false;  // the store has moved it; the view must not take the row away
}

int QueueModel::row_of(const QString& id) const {
  const auto name = utf8(id);
  const auto found = std::find_if(jobs_.begin(), jobs_.end(), [&](const QueueJob& job) { return job.id == name; });
  return found != jobs_.end() ? static_cast<int>(found - jobs_.begin()) : -1;
}

QString QueueModel::detail(const QueueJob& job) const {
  switch (job.state) {
    case JobState::Failed:
      return for_window(job.error_text);
    case JobState::Suspended:
      return job.reason == "quarantine" ? tr("The engine died twice with this job; look at its log before trying again")
                                        : for_window(job.error_text.empty() ? job.reason : job.error_text);
    case JobState::Interrupted:
      return tr("Goes on where it stopped");
    case JobState::Blocked:
      return tr("Waits for another job");
    case JobState::Done:
      return job.ended > job.started && job.started > 0 ? tr("in %1").arg(seconds_text(job.ended - job.started))
                                                        : QString();
    case JobState::Cancelled: {
      if (!job.reason.empty()) return for_window(job.reason);
      // Its steps are kept until it is removed.
      const bool begun = job.phase == "denoise" || job.phase == "decode" || job.phase == "mux";
      return begun ? tr("“Try again” goes on from its last checkpoint") : QString();
    }
    default:
      return paused_ ? tr("The queue is paused") : QString();
  }
}

QString QueueModel::log(const QString& id) const {
  std::vector<JobEvent> events;
  engine_.look([&](const QueueStore& store) {
    if (auto found = store.events(utf8(id))) events = std::move(*found);
  });
  QString text;
  for (const auto& event : events) {
    text += moment_text(event.time) + QStringLiteral("  ");
    const auto json = nlohmann::json::parse(event.json, nullptr, false);
    if (json.is_object()) {
      const auto put = [&](const std::string& key, const nlohmann::json& value) {
        if (value.is_string() && value.get_ref<const std::string&>().empty()) return;
        text += qt(key) + QStringLiteral(": ") + qt(value.is_string() ? value.get<std::string>() : value.dump()) +
                QStringLiteral("  ");
      };
      if (json.contains("state")) put("state", json["state"]);
      for (const auto& [key, value] : json.items())
        if (key != "state" && key != "report") put(key, value);  // a report is too long for a line
    } else {
      text += qt(event.json);
    }
    text = text.trimmed() + QLatin1Char('\n');
  }
  return text;
}

int QueueModel::waiting() const {
  return static_cast<int>(std::count_if(jobs_.begin(), jobs_.end(), [](const QueueJob& job) {
    return job.state == JobState::Queued || job.state == JobState::Blocked || job.state == JobState::Interrupted;
  }));
}

bool QueueModel::ask(const nlohmann::json& request) {
  const auto answer = engine_.ask(request);
  if (!answer) Q_EMIT refused(for_window(answer.error().message));
  reload();
  return answer.ok();
}

std::optional<QString> QueueModel::add(const VideoJob& job, const QString& title, Turn turn) {
  const nlohmann::json one{{"name", utf8(title)}, {"spec", video_job_to_json(job)}, {"device", job.device}};
  const auto answer = engine_.ask({{"request", "add"}, {"jobs", nlohmann::json::array({one})}});
  if (!answer) {
    Q_EMIT refused(for_window(answer.error().message));
    return std::nullopt;
  }
  const auto id = qt((*answer)["ids"][0].get<std::string>());
  if (turn == Turn::Next)
    move_to(id, "first");
  else
    reload();
  return id;
}

void QueueModel::pause() { ask({{"request", "pause"}}); }
void QueueModel::resume() { ask({{"request", "resume"}}); }

void QueueModel::cancel(const QString& id, protocol::CancelWhen when) {
  if (const auto done = engine_.cancel(utf8(id), when); !done) Q_EMIT refused(for_window(done.error().message));
  soon_.start();
}

void QueueModel::retry(const QString& id) { ask({{"request", "retry"}, {"ids", {utf8(id)}}}); }
void QueueModel::remove(const QString& id) { ask({{"request", "remove"}, {"ids", {utf8(id)}}}); }

void QueueModel::move_to(const QString& id, const char* place, const QString& other) {
  nlohmann::json request{{"request", "move"}, {"id", utf8(id)}, {"to", place}};
  if (!other.isEmpty()) request["other"] = utf8(other);
  ask(request);
}

void QueueModel::move_by(const QString& id, int rows) {
  const int from = row_of(id), to = std::clamp(from + rows, 0, rowCount() - 1);
  if (from >= 0 && to != from) move_to(id, to < from ? "before" : "after", qt(job(to).id));
}

void QueueModel::clear_ended() {
  auto ids = nlohmann::json::array();
  for (const auto& job : jobs_)
    if (has_ended(job.state)) ids.push_back(job.id);
  if (!ids.empty()) ask({{"request", "remove"}, {"ids", ids}});
}

void QueueModel::reload() {
  soon_.stop();
  Result<std::vector<QueueJob>> jobs = std::vector<QueueJob>{};
  engine_.look([&](const QueueStore& store) {
    jobs = store.list();
    paused_ = store.paused().ok() && *store.paused();
    const auto reason = store.pause_reason();
    pause_reason_ = reason ? qt(*reason) : QString();
  });
  if (!jobs) return Q_EMIT refused(for_window(jobs.error().message));
  // A change of what is there begins anew; a change of what becomes of it keeps selection and scrolling.
  const bool same = std::equal(jobs->begin(), jobs->end(), jobs_.begin(), jobs_.end(),
                               [](const QueueJob& a, const QueueJob& b) { return a.id == b.id; });
  if (!same) beginResetModel();
  jobs_ = std::move(*jobs);
  if (!same)
    endResetModel();
  else if (!jobs_.empty())
    Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, Columns - 1));
  Q_EMIT changed();
}

QString state_text(JobState state) {
  switch (state) {
    case JobState::Queued:
      return QueueModel::tr("Waiting");
    case JobState::Running:
      return QueueModel::tr("Rendering");
    case JobState::Done:
      return QueueModel::tr("Done");
    case JobState::Failed:
      return QueueModel::tr("Failed");
    case JobState::Cancelled:
      return QueueModel::tr("Cancelled");
    case JobState::Interrupted:
      return QueueModel::tr("Interrupted");
    case JobState::Suspended:
      return QueueModel::tr("Needs you");
    case JobState::Blocked:
      return QueueModel::tr("Waits");
  }
  return {};
}

QString phase_text(const QString& phase) {
  if (phase == QLatin1String("load")) return QueueModel::tr("Loading the model");
  if (phase == QLatin1String("text")) return QueueModel::tr("Reading the prompt");
  if (phase == QLatin1String("denoise")) return QueueModel::tr("Denoising");
  if (phase == QLatin1String("decode")) return QueueModel::tr("Decoding");
  if (phase == QLatin1String("mux")) return QueueModel::tr("Writing the file");
  return phase;
}

}  // namespace rubato::ui
