// DraftKeeper: keeps the draft through a crash. Two seconds after a change it writes one of five copies in turn, so
// that a copy that went wrong never takes the last good one with it; at the start the newest that can be read counts.
#pragma once

#include <QObject>
#include <QTimer>
#include <filesystem>
#include <optional>

#include "engine/base/error.h"
#include "pipelines/job/video_job.h"

namespace rubato::ui {

class VideoDraft;

class DraftKeeper final : public QObject {
  Q_OBJECT
 public:
  static constexpr int kCopies = 5;
  DraftKeeper(VideoDraft& draft, std::filesystem::path folder, QObject* parent = nullptr);
  ~DraftKeeper() override;  // writes what is not yet written

  struct Kept {
    VideoJob job;
    double saved = 0;  // seconds since 1970
  };
  // The newest readable copy of the folder.
  static std::optional<Kept> newest(const std::filesystem::path& folder);
  Result<> save();

 private:
  VideoDraft& draft_;
  std::filesystem::path folder_;
  QTimer soon_;
  int next_ = 1;
  double last_ = 0;  // when the newest copy was written
  bool dirty_ = false;
};

}  // namespace rubato::ui
