// QueueModel: the durable queue as a table, and everything a person does to it.
//
// The store is the truth; the model reads it again after each change, and shows the progress of the running job as the
// engine tells it.
#pragma once

#include <QAbstractTableModel>
#include <QTimer>
#include <optional>
#include <vector>

#include "pipelines/job/video_job.h"
#include "ui/queue/render_engine.h"

namespace rubato::ui {

class QueueModel final : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { Name, State, Progress, Added, Columns };
  static constexpr int kIdRole = Qt::UserRole;
  static constexpr int kStateRole = Qt::UserRole + 1;     // the state's name, as in JSON
  static constexpr int kFractionRole = Qt::UserRole + 2;  // -1: not running

  // The engine outlives the model.
  explicit QueueModel(RenderEngine& engine, QObject* parent = nullptr);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
  Qt::ItemFlags flags(const QModelIndex& index) const override;
  Qt::DropActions supportedDropActions() const override { return Qt::MoveAction; }
  QStringList mimeTypes() const override;
  QMimeData* mimeData(const QModelIndexList& indexes) const override;
  bool dropMimeData(const QMimeData* data, Qt::DropAction action, int row, int column,
                    const QModelIndex& parent) override;

  const QueueJob& job(int row) const { return jobs_[static_cast<std::size_t>(row)]; }
  int row_of(const QString& id) const;
  // What a person sees of a job that waits, runs or has ended: reason, error, or result.
  QString detail(const QueueJob& job) const;
  QString log(const QString& id) const;  // a line an event
  bool paused() const { return paused_; }
  QString pause_reason() const { return pause_reason_; }
  int waiting() const;

  // Each tells refused() where it cannot be done.
  enum class Turn { Last, Next };
  std::optional<QString> add(const VideoJob& job, const QString& title, Turn turn);  // its id
  void pause();
  void resume();
  void cancel(const QString& id, protocol::CancelWhen when = protocol::CancelWhen::Now);
  void retry(const QString& id);
  void remove(const QString& id);
  // `other`: of a job before or after which it goes; "first" and "last" take none.
  void move_to(const QString& id, const char* place, const QString& other = {});
  void move_by(const QString& id, int rows);
  void clear_ended();

 public Q_SLOTS:
  void reload();

 Q_SIGNALS:
  void refused(const QString& text);
  void changed();

 private:
  bool ask(const nlohmann::json& request);

  RenderEngine& engine_;
  std::vector<QueueJob> jobs_;
  QTimer soon_;
  RenderProgress progress_;  // of the running job
  bool paused_ = false;
  QString pause_reason_;
};

// "Waiting", "Rendering", "Done"
QString state_text(JobState state);
// "denoise" → "Denoising"
QString phase_text(const QString& phase);

}  // namespace rubato::ui
