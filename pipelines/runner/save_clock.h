// When partial work is saved: as often as it costs at most one percent of the time, and at least every 30 s.
#pragma once

#include <chrono>

namespace rubato {

class SaveClock {
 public:
  using Clock = std::chrono::steady_clock;

  // The first save is due at once, or when a save of the guessed cost would take one percent of the time since now.
  SaveClock() = default;
  explicit SaveClock(Clock::duration guessed_cost) : last_(Clock::now()), cost_(guessed_cost) {}

  bool due() const {
    const auto waited = Clock::now() - last_;
    return waited > std::chrono::seconds(30) || waited > 100 * cost_;
  }
  template <typename Save>
  void timed(Save&& save) {
    const auto start = Clock::now();
    save();
    last_ = Clock::now();
    cost_ = last_ - start;
  }

 private:
  Clock::time_point last_{};  // long ago
  Clock::duration cost_{};
};

}  // namespace rubato
