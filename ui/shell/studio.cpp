#include "ui/shell/studio.h"

#include "engine/base/guard.h"
#include "ui/create/draft_keeper.h"
#include "ui/create/field_texts.h"
#include "ui/create/render_desk.h"
#include "ui/create/video_draft.h"
#include "ui/library/verifier.h"
#include "ui/queue/queue_model.h"
#include "ui/queue/render_model.h"
#include "ui/shell/commands.h"
#include "ui/stage/compare_model.h"
#include "ui/stage/player.h"
#include "ui/widgets/background.h"
#include "ui/widgets/engine_text.h"
#include "ui/widgets/text.h"

namespace rubato::ui {

Result<std::unique_ptr<Studio>> Studio::create(StudioOptions options) {
  std::error_code failed;
  std::filesystem::create_directories(options.user.state, failed);
  RUBATO_TRY(library, LibraryStore::open(library_file(options.user.state)));
  return std::unique_ptr<Studio>(new Studio(std::move(options), std::move(library)));
}

Studio::Studio(StudioOptions options, LibraryStore library) : options_(std::move(options)), store_(std::move(library)) {
  const auto& user = options_.user;
  settings_ = std::make_unique<QSettings>(qt(user.config / "studio.ini"), QSettings::IniFormat);
  commands_ = std::make_unique<Commands>(user.config / "shortcuts.json");
  draft_ = std::make_unique<VideoDraft>();
  const auto drafts = user.state / "drafts";
  if (const auto kept = DraftKeeper::newest(drafts)) draft_->restore(kept->job);
  keeper_ = std::make_unique<DraftKeeper>(*draft_, drafts);
  check_ = std::make_unique<DraftCheck>(*draft_, options_.judge);
  models_ = std::make_unique<ModelsModel>(options_.scan);
  queue_ = std::make_unique<QueueModel>(*options_.engine);
  render_ = std::make_unique<RenderModel>(*options_.engine);
  library_ = std::make_unique<LibraryModel>(store_, draft_->undo(), options_.thumbnails);
  desk_ = std::make_unique<RenderDesk>(*check_, *queue_, *options_.engine, *library_, options_.outputs);
  player_ = std::make_unique<Player>(options_.clips);
  compare_ = std::make_unique<CompareModel>(options_.clips);
  verifier_ = std::make_unique<Verifier>(options_.rubato_cli);

  connect(models_.get(), &ModelsModel::scanned, check_.get(), &DraftCheck::check_again);
  connect(queue_.get(), &QueueModel::refused, this, &Studio::said);
  connect(render_.get(), &RenderModel::refused, this, &Studio::said);
  connect(library_.get(), &LibraryModel::refused, this, &Studio::said);
  connect(desk_.get(), &RenderDesk::refused, this, &Studio::said);
  connect(verifier_.get(), &Verifier::said, this, &Studio::said);
  connect(verifier_.get(), &Verifier::judged, this, &Studio::told);
  connect(options_.engine.get(), &RenderEngine::noted, this, [this](const QString& text) {
    // That a paused queue waits is no news to who paused it; the status says so all the time.
    queue_->paused() ? Q_EMIT said(text) : Q_EMIT told(text);
  });
  connect(render_.get(), &RenderModel::ended, this, [this](const RenderEnd& end) {
    if (end.job.state == JobState::Cancelled && !queue_->detail(end.job).isEmpty())
      Q_EMIT said(tr("Stopped. %1").arg(queue_->detail(end.job)));
    // What needs a person, or has come to nothing, is not said in passing.
    if (end.job.state == JobState::Failed || end.job.state == JobState::Suspended)
      Q_EMIT told(tr("“%1” was not rendered: %2").arg(one_line(qt(end.job.name), 40), queue_->detail(end.job)));
  });
  connect(options_.engine.get(), &RenderEngine::warned, this,
          [this](const QString&, const QString& text) { Q_EMIT said(text); });
  connect(desk_.get(), &RenderDesk::made, this, [this](const LibraryItem& item) {
    check_->check_again();  // times have been learnt
    player_->open(item.path);
    Q_EMIT said(tr("Done in %1. The clip is in the library.").arg(seconds_text(item.seconds)));
  });
}

Studio::~Studio() = default;

QUndoStack& Studio::undo() { return draft_->undo(); }

void Studio::open_clip(const std::filesystem::path& file) {
  player_->open(file);
  Q_EMIT workspace_wanted(QStringLiteral("video"));
}

void Studio::take_settings_of(const std::filesystem::path& file) {
  in_background(
      this, [file, read = options_.recorded_job] { return guard([&] { return read(file); }); },
      [this, file](Result<VideoJob> found) {
        if (!found) return Q_EMIT said(for_window(found.error().message));
        auto job = std::move(*found);
        // Where a clip goes and what it may take of this machine are this session's.
        const auto& now = draft_->job();
        job.out = now.out;
        job.overwrite = now.overwrite;
        job.id = now.id;
        job.device = now.device;
        job.reserve = now.reserve;
        job.max_ram = now.max_ram;
        job.latents_in.clear();
        job.latents_out.clear();
        job.trace.clear();
        job.verify_against.clear();
        const auto changes = differences(now, job);
        if (changes.isEmpty()) return Q_EMIT said(tr("These are the settings already."));
        draft_->replace(job, tr("settings of %1").arg(qt(file.filename())));
        Q_EMIT workspace_wanted(QStringLiteral("video"));
        Q_EMIT settings_taken(qt(file.filename()), changes);
      });
}

QStringList differences(const VideoJob& from, const VideoJob& to) {
  auto a = from, b = to;
  const auto before = fields_of(a), after = fields_of(b);
  QStringList lines;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i].group == Group::Inspection || before[i].name == "out" || before[i].name == "id") continue;
    const auto was = field_text(before[i]), is = field_text(after[i]);
    if (was == is) continue;
    const auto shown = [](const QString& text) { return text.isEmpty() ? Studio::tr("open") : one_line(text, 40); };
    lines.append(Studio::tr("%1: %2 → %3").arg(field_words(before[i].name).label, shown(was), shown(is)));
  }
  return lines;
}

}  // namespace rubato::ui
