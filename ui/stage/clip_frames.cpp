#include "ui/stage/clip_frames.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/base/guard.h"
#include "ui/widgets/background.h"
#include "ui/widgets/engine_text.h"
#include "ui/widgets/text.h"

namespace rubato::ui {

ClipSource media_source(std::filesystem::path rubato_media) {
  ClipSource source;
  source.facts = [rubato_media](const std::filesystem::path& file) -> Result<ClipFacts> {
    RUBATO_TRY(probe, MediaClient(rubato_media).probe(file));
    ClipFacts facts{.frames = probe.value("frames", 0),
                    .width = probe.value("width", 0),
                    .height = probe.value("height", 0),
                    .fps = static_cast<double>(probe.value("fps_num", 0)) / std::max(probe.value("fps_den", 1), 1)};
    if (facts.frames < 1 || facts.width < 1 || facts.height < 1)
      return Error{ErrorCode::CannotRead, file.string() + " holds no pictures"};
    if (facts.fps <= 0) facts.fps = 16;
    return facts;
  };
  source.frames = [rubato_media](const std::filesystem::path& file, int start, int count,
                                 int max_side) -> Result<std::vector<QImage>> {
    RUBATO_TRY(found, MediaClient(rubato_media).frames(file, start, count, 1, max_side));
    std::vector<QImage> images;
    for (std::int64_t i = 0; i < found.count; ++i) {
      const auto rgb = found.frame(i);
      images.push_back(QImage(rgb.data(), found.width, found.height, 3 * found.width, QImage::Format_RGB888)
                           .convertToFormat(QImage::Format_RGB32));
    }
    return images;
  };
  return source;
}

ClipFrames::ClipFrames(ClipSource source, QObject* parent) : QObject(parent), source_(std::move(source)) {}

void ClipFrames::close() {
  ++clip_;
  file_.clear();
  facts_.reset();
  frames_.clear();
  asked_.clear();
  short_.clear();
  bytes_ = 0;
}

void ClipFrames::open(const std::filesystem::path& file) {
  close();
  file_ = file;
  in_background(
      this, [facts = source_.facts, file] { return guard([&] { return facts(file); }); },
      [this, clip = clip_](Result<ClipFacts> facts) {
        if (clip != clip_) return;
        if (!facts) return Q_EMIT failed(for_window(facts.error().message));
        facts_ = *facts;
        fetch(0);
        Q_EMIT opened();
      });
}

void ClipFrames::set_max_side(int pixels) {
  const int before = std::exchange(max_side_, std::max(pixels, 64));
  if (max_side_ <= before || !facts_ || before >= std::max(facts_->width, facts_->height)) return;
  ++clip_;  // answers that are on their way are of the old size
  frames_.clear();
  asked_.clear();
  bytes_ = 0;
}

QImage ClipFrames::frame(int index) {
  if (!facts_ || index < 0 || index >= facts_->frames) return {};
  const int chunk = index / kChunk;
  if (!frames_.contains(index) && !asked_.contains(chunk) && !short_.contains(chunk)) fetch_at_once(index);
  fetch(chunk);
  // The next one while this one is looked at, in the direction that players mostly go.
  if (index % kChunk >= kChunk / 2)
    fetch(chunk + 1);
  else if (chunk > 0 && index % kChunk < kChunk / 4)
    fetch(chunk - 1);
  const auto found = frames_.find(index);
  return found != frames_.end() ? found->second : QImage();
}

bool ClipFrames::whole(int chunk) const {
  const int end = std::min((chunk + 1) * kChunk, facts_->frames);
  for (int i = chunk * kChunk; i < end; ++i)
    if (!frames_.contains(i)) return short_.contains(chunk);
  return true;
}

void ClipFrames::fetch(int chunk) {
  const int start = chunk * kChunk;
  if (!facts_ || start >= facts_->frames || asked_.contains(chunk) || whole(chunk)) return;
  asked_.insert(chunk);
  in_background(
      this,
      [frames = source_.frames, file = file_, start, side = max_side_] {
        return guard([&] { return frames(file, start, kChunk, side); });
      },
      [this, clip = clip_, chunk, start](Result<std::vector<QImage>> images) {
        if (clip != clip_) return;
        asked_.erase(chunk);
        if (!images) return Q_EMIT failed(for_window(images.error().message));
        int index = start;
        for (auto& image : *images) {
          auto& kept = frames_[index++];
          bytes_ += image.sizeInBytes() - kept.sizeInBytes();
          kept = std::move(image);
        }
        if (index < std::min(start + kChunk, facts_->frames)) short_.insert(chunk);  // a damaged tail; not asked again
        forget_far_from(start);
        if (index > start) Q_EMIT ready(start, index - start);
      });
}

void ClipFrames::fetch_at_once(int index) {
  in_background(
      this,
      [frames = source_.frames, file = file_, index, side = max_side_] {
        return guard([&] { return frames(file, index, 1, side); });
      },
      [this, clip = clip_, index](Result<std::vector<QImage>> images) {
        // Its chunk follows and brings it again, with the error if there is one.
        if (clip != clip_ || !images || images->empty() || frames_.contains(index)) return;
        bytes_ += images->front().sizeInBytes();
        frames_[index] = std::move(images->front());
        Q_EMIT ready(index, 1);
      });
}

void ClipFrames::forget_far_from(int index) {
  while (bytes_ > kBudget && frames_.size() > 2 * kChunk) {
    const auto first = frames_.begin(), last = std::prev(frames_.end());
    // Whole chunks, so that a chunk is either here or not.
    const int chunk = (std::abs(first->first - index) > std::abs(last->first - index) ? first : last)->first / kChunk;
    for (int i = chunk * kChunk; i < (chunk + 1) * kChunk; ++i)
      if (const auto gone = frames_.find(i); gone != frames_.end()) {
        bytes_ -= gone->second.sizeInBytes();
        frames_.erase(gone);
      }
  }
}

}  // namespace rubato::ui
