// CompareModel: two clips at the same place of time, and how far apart they are there.
#pragma once

#include <QImage>
#include <QObject>
#include <QTimer>
#include <filesystem>
#include <optional>

#include "ui/stage/clip_frames.h"

namespace rubato::ui {

class CompareModel final : public QObject {
  Q_OBJECT
 public:
  explicit CompareModel(const ClipSource& source, QObject* parent = nullptr);

  void open(const std::filesystem::path& a, const std::filesystem::path& b);
  void swap();  // A and B change places
  const std::filesystem::path& file(int which) const { return frames(which).file(); }
  int count() const;  // frames that both have; 0: not yet known
  int position() const { return position_; }
  QImage image(int which);  // of clip 0 or 1 at the position; null: on its way

  // The absolute difference, made four times as strong; null unless both are there and of one size.
  QImage difference();
  // In dB, of the frames as they are shown; nothing where they are equal or cannot be compared.
  std::optional<double> psnr();
  bool equal();  // both are there, and alike in every pixel

  bool playing() const { return timer_.isActive(); }
  void play_pause();
  void seek(int frame);
  void step(int frames);

 Q_SIGNALS:
  void changed();
  void failed(const QString& problem);

 private:
  ClipFrames& frames(int which) { return which == first_ ? a_ : b_; }
  const ClipFrames& frames(int which) const { return which == first_ ? a_ : b_; }
  void tick();

  ClipFrames a_, b_;
  int first_ = 0;  // which() of clip a_
  int position_ = 0;
  QTimer timer_;
};

// Mean squared difference of the colours, 0…255²; nothing unless the sizes agree. Both in Format_RGB32.
std::optional<double> mean_squared_difference(const QImage& a, const QImage& b);

}  // namespace rubato::ui
