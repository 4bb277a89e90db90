// RenderDesk: from the draft to a job in the queue, and from a finished job to a clip in the library.
#pragma once

#include <QObject>
#include <filesystem>

#include "pipelines/job/library/library_store.h"
#include "ui/queue/queue_model.h"
#include "ui/queue/render_engine.h"

namespace rubato::ui {

class DraftCheck;
class LibraryModel;

class RenderDesk final : public QObject {
  Q_OBJECT
 public:
  RenderDesk(DraftCheck& check, QueueModel& queue, RenderEngine& engine, LibraryModel& library,
             std::filesystem::path outputs, QObject* parent = nullptr);

  enum class Seed { AsWritten, New };
  // Queues the draft as the check resolved it. Nothing happens while the check finds a problem or is still at work.
  void render(QueueModel::Turn turn, Seed seed = Seed::AsWritten);
  bool can_render() const;

  const std::filesystem::path& outputs() const { return outputs_; }
  void set_outputs(std::filesystem::path folder) { outputs_ = std::move(folder); }

 Q_SIGNALS:
  void queued(const QString& id);
  void refused(const QString& text);
  void made(const rubato::LibraryItem& item);

 private:
  void keep(const RenderEnd& end);

  DraftCheck& check_;
  QueueModel& queue_;
  RenderEngine& engine_;
  LibraryModel& library_;
  std::filesystem::path outputs_;
};

// The name that a clip is to have below the outputs folder: day, beginning of the prompt, seed. Where it is taken, on
// the disk or by a job that waits, the clip gets the next one.
std::filesystem::path name_for(const VideoJob& job, const std::string& model, const std::filesystem::path& folder);

}  // namespace rubato::ui
