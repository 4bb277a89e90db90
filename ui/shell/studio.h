// Studio: what the window works on. It owns the models, in the order in which they stand on each other, and no widget.
//
// What reaches outside (engine, media, models, judging a job) comes in by StudioOptions, so that tests run the whole
// window without a worker.
#pragma once

#include <QObject>
#include <QSettings>
#include <QUndoStack>
#include <filesystem>
#include <functional>
#include <memory>

#include "engine/base/files.h"
#include "pipelines/job/library/library_store.h"
#include "ui/create/draft_check.h"
#include "ui/library/library_model.h"
#include "ui/models/models_model.h"
#include "ui/queue/render_engine.h"
#include "ui/report/run.h"
#include "ui/stage/clip_frames.h"

namespace rubato::ui {

class Commands;
class CompareModel;
class DraftKeeper;
class Player;
class QueueModel;
class RenderDesk;
class RenderModel;
class Verifier;
class VideoDraft;

struct StudioOptions {
  UserFolders user;
  std::filesystem::path outputs;  // where clips go
  std::unique_ptr<RenderEngine> engine;
  ClipSource clips;
  LibraryModel::Thumbnailer thumbnails;
  ModelsModel::Scan scan;
  DraftCheck::Judge judge;
  std::filesystem::path rubato_cli;  // looks at the machine and verifies clips; empty: cannot be asked
  // The job that made a file, which may be a job file; runs on a thread of the pool.
  std::function<Result<VideoJob>(const std::filesystem::path&)> recorded_job;
  // What a clip says of itself, for the report of its run; empty: nothing is read. On a thread of the pool, too.
  std::function<Result<nlohmann::json>(const std::filesystem::path&)> metadata;
};

class Studio final : public QObject {
  Q_OBJECT
 public:
  // Errors of the library's file. What else is wrong is told by notice().
  static Result<std::unique_ptr<Studio>> create(StudioOptions options);
  ~Studio() override;

  const UserFolders& user() const { return options_.user; }
  const std::filesystem::path& rubato_cli() const { return options_.rubato_cli; }
  QSettings& settings() { return *settings_; }
  Commands& commands() { return *commands_; }
  VideoDraft& draft() { return *draft_; }
  DraftCheck& check() { return *check_; }
  QUndoStack& undo();
  RenderEngine& engine() { return *options_.engine; }
  RenderModel& render() { return *render_; }
  QueueModel& queue() { return *queue_; }
  LibraryModel& library() { return *library_; }
  ModelsModel& models() { return *models_; }
  RenderDesk& desk() { return *desk_; }
  Player& player() { return *player_; }
  CompareModel& compare() { return *compare_; }
  Verifier& verifier() { return *verifier_; }
  RunSources run_sources() const { return {options_.judge, options_.metadata}; }

  // The settings of a clip or picture into the draft, as one step that can be undone; nothing else is changed, and
  // nothing is started. settings_taken() or said() follows.
  void take_settings_of(const std::filesystem::path& file);
  void open_clip(const std::filesystem::path& file);

 Q_SIGNALS:
  void said(const QString& text);  // one line, in passing
  void told(const QString& text);  // what is to stay until it was read
  // What has changed, a line a setting; not empty.
  void settings_taken(const QString& file, const QStringList& changes);
  void workspace_wanted(const QString& id);  // what follows is to be seen there

 private:
  explicit Studio(StudioOptions options, LibraryStore library);

  StudioOptions options_;
  LibraryStore store_;
  std::unique_ptr<QSettings> settings_;
  std::unique_ptr<Commands> commands_;
  std::unique_ptr<VideoDraft> draft_;
  std::unique_ptr<DraftKeeper> keeper_;
  std::unique_ptr<DraftCheck> check_;
  std::unique_ptr<ModelsModel> models_;
  std::unique_ptr<QueueModel> queue_;
  std::unique_ptr<RenderModel> render_;
  std::unique_ptr<LibraryModel> library_;
  std::unique_ptr<RenderDesk> desk_;
  std::unique_ptr<Player> player_;
  std::unique_ptr<CompareModel> compare_;
  std::unique_ptr<Verifier> verifier_;
};

// What differs between two jobs, one line a setting: "Steps: 30 → 12". Output and identity are left out.
QStringList differences(const VideoJob& from, const VideoJob& to);

}  // namespace rubato::ui
