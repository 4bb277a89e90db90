// ClipFrames: the frames of one clip, fetched in the background and kept around the place that is looked at.
//
// Frames come from rubato-media in chunks, scaled to the stage; what is far from the last place asked for is dropped
// when the budget is spent, so a long clip costs no more memory than a short one.
#pragma once

#include <QImage>
#include <QObject>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "engine/base/error.h"
#include "pipelines/job/media_client.h"

namespace rubato::ui {

struct ClipFacts {
  int frames = 0, width = 0, height = 0;
  double fps = 0;
};

// Where frames come from; called on threads of the pool, several at a time.
struct ClipSource {
  std::function<Result<ClipFacts>(const std::filesystem::path&)> facts;
  // `count` frames from `start` (fewer at the end), the longer side at most max_side.
  std::function<Result<std::vector<QImage>>(const std::filesystem::path&, int start, int count, int max_side)> frames;
};
ClipSource media_source(std::filesystem::path rubato_media = {});

class ClipFrames final : public QObject {
  Q_OBJECT
 public:
  explicit ClipFrames(ClipSource source, QObject* parent = nullptr);

  static constexpr int kChunk = 16;
  static constexpr qint64 kBudget = 192ll << 20;  // bytes of pictures

  // Forgets the former clip. opened() or failed() follows.
  void open(const std::filesystem::path& file);
  void close();
  const std::filesystem::path& file() const { return file_; }
  const std::optional<ClipFacts>& facts() const { return facts_; }
  // The longer side of the frames; a larger one than before forgets those that are here.
  void set_max_side(int pixels);

  // The frame if it is here; else null, and ready(index) follows. Also fetches what lies ahead.
  QImage frame(int index);
  bool has(int index) const { return frames_.contains(index); }

 Q_SIGNALS:
  void opened();
  void ready(int first, int count);
  void failed(const QString& problem);

 private:
  void fetch(int chunk);
  void fetch_at_once(int index);  // one frame, before the chunk that it is in
  bool whole(int chunk) const;
  void forget_far_from(int index);

  ClipSource source_;
  std::filesystem::path file_;
  std::optional<ClipFacts> facts_;
  std::map<int, QImage> frames_;
  std::set<int> asked_;  // chunks that are on their way
  std::set<int> short_;  // chunks that came with fewer frames than they should have
  qint64 bytes_ = 0;
  int max_side_ = 1280;
  std::uint64_t clip_ = 0;  // which open() an answer belongs to
};

}  // namespace rubato::ui
