// Run: what is known of one render, from the library, the queue, and the clip itself.
//
// read_clip() and read_job() find it out, in the background where files are opened; `done` is called on the window's
// thread unless `owner` has died meanwhile.
#pragma once

#include <QObject>
#include <QString>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "pipelines/job/library/library_store.h"
#include "pipelines/job/library/render_record.h"
#include "pipelines/job/video_job.h"
#include "ui/create/draft_check.h"

namespace rubato::ui {

class RenderEngine;

struct Run {
  QString title;
  QString path;             // of the clip; "" = there is none
  bool file_there = false;  // the clip still lies there
  QString state, problem;   // of a job of the queue, as people read them; "" of a clip of the library
  double made = 0;          // seconds since 1970; 0 = not known
  double seconds = 0;       // that the render took; 0 = not known
  std::uint64_t bytes = 0;  // of the clip
  std::optional<VideoJob> job;
  std::optional<VideoJob> defaults;  // what its model gives; nothing: the model is not here
  RenderRecord record;
  bool kept = false;  // the record is the queue's; else it is what the clip says of itself
};

// What reaches outside; both run on a thread of the pool.
struct RunSources {
  DraftCheck::Judge judge;                                                            // knows the models' defaults
  std::function<Result<nlohmann::json>(const std::filesystem::path& clip)> metadata;  // of a clip; may be empty
};

using RunRead = std::function<void(Run)>;
void read_clip(const LibraryItem& item, const RunSources& sources, QObject* owner, RunRead done);
// A job that the queue does not know gives a run without a job.
void read_job(const QString& id, const RenderEngine& engine, const RunSources& sources, QObject* owner, RunRead done);

}  // namespace rubato::ui
