// Player: where a clip stands and how it moves: play, shuttle (J K L), single steps, a loop and an in–out range.
//
// It knows frames by number and shows none; the stage does. Time goes by the clip's own rate: where frames come late
// the player waits for them rather than skipping, since every frame is to be seen.
#pragma once

#include <QElapsedTimer>
#include <QImage>
#include <QObject>
#include <QTimer>

#include "ui/stage/clip_frames.h"

namespace rubato::ui {

class Player final : public QObject {
  Q_OBJECT
 public:
  explicit Player(ClipSource source, QObject* parent = nullptr);

  void open(const std::filesystem::path& file);  // plays from the start as soon as it is there
  void close();
  bool is_open() const { return frames_.facts().has_value(); }
  const std::filesystem::path& file() const { return frames_.file(); }
  int count() const { return is_open() ? frames_.facts()->frames : 0; }
  double fps() const { return is_open() ? frames_.facts()->fps : 0; }
  int position() const { return position_; }
  double seconds() const { return fps() > 0 ? position_ / fps() : 0; }
  ClipFrames& frames() { return frames_; }
  QImage image() { return frames_.frame(position_); }

  // -8 … 8: frames of the clip a frame of time; 0 = stands.
  int speed() const { return speed_; }
  bool loops() const { return loops_; }
  int in_point() const { return in_; }
  int out_point() const { return out_ < 0 ? count() - 1 : out_; }
  bool has_range() const { return in_ > 0 || out_ >= 0; }

  void play_pause();
  void shuttle(int direction);  // J = -1, L = 1: again is faster; against the direction stands first
  void stop() { set_speed(0); }
  void step(int frames);
  void seek(int frame);
  void set_loops(bool on);
  void mark_in();
  void mark_out();
  void clear_range();

 Q_SIGNALS:
  void opened();
  void moved();    // another position, or the picture of this one has come
  void changed();  // speed, loop, range
  void failed(const QString& problem);

 private:
  void set_speed(int speed);
  void tick();

  ClipFrames frames_;
  QTimer timer_;
  int position_ = 0, speed_ = 0, in_ = 0, out_ = -1;
  bool loops_ = true;
};

}  // namespace rubato::ui
