#include "ui/stage/player.h"

#include <algorithm>
#include <cmath>

namespace rubato::ui {
namespace {
constexpr int kFastest = 8;
}

Player::Player(ClipSource source, QObject* parent) : QObject(parent), frames_(std::move(source)) {
  timer_.setTimerType(Qt::PreciseTimer);
  connect(&timer_, &QTimer::timeout, this, &Player::tick);
  connect(&frames_, &ClipFrames::failed, this, &Player::failed);
  connect(&frames_, &ClipFrames::opened, this, [this] {
    timer_.setInterval(std::max(1, static_cast<int>(std::lround(1000.0 / fps()))));
    Q_EMIT opened();
    set_speed(1);
  });
  connect(&frames_, &ClipFrames::ready, this, [this](int first, int ready) {
    if (position_ >= first && position_ < first + ready) Q_EMIT moved();
  });
}

void Player::open(const std::filesystem::path& file) {
  close();
  frames_.open(file);
}

void Player::close() {
  set_speed(0);
  frames_.close();
  position_ = in_ = 0;
  out_ = -1;
  Q_EMIT moved();
}

void Player::set_speed(int speed) {
  if (!is_open()) speed = 0;
  speed_ = speed;
  speed != 0 ? timer_.start() : timer_.stop();
  Q_EMIT changed();
}

void Player::play_pause() {
  if (speed_ != 0) return set_speed(0);
  if (position_ >= out_point() && is_open()) seek(in_);
  set_speed(1);
}

void Player::shuttle(int direction) {
  if (speed_ * direction > 0)
    set_speed(std::clamp(speed_ * 2, -kFastest, kFastest));
  else
    set_speed(speed_ == 0 ? direction : 0);
}

void Player::step(int frames) {
  set_speed(0);
  seek(position_ + frames);
}

void Player::seek(int frame) {
  if (!is_open()) return;
  position_ = std::clamp(frame, 0, count() - 1);
  frames_.frame(position_);
  Q_EMIT moved();
}

void Player::set_loops(bool on) {
  loops_ = on;
  Q_EMIT changed();
}

void Player::mark_in() {
  in_ = position_;
  if (out_ >= 0 && out_ < in_) out_ = -1;
  Q_EMIT changed();
}

void Player::mark_out() {
  out_ = position_;
  if (in_ > out_) in_ = 0;
  Q_EMIT changed();
}

void Player::clear_range() {
  in_ = 0;
  out_ = -1;
  Q_EMIT changed();
}

void Player::tick() {
  if (!frames_.has(position_)) return;  // still on its way: nothing is skipped
  int next = position_ + speed_;
  if (next > out_point() || next < in_) {
    if (!loops_) {
      seek(speed_ > 0 ? out_point() : in_);
      return set_speed(0);
    }
    next = speed_ > 0 ? in_ : out_point();
  }
  seek(next);
}

}  // namespace rubato::ui
