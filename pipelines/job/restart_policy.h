// When a worker that died is started again, and when not any more.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <string>

namespace rubato {

// Waits 1, 5, then 30 s before a new start, longer each time the last start was followed by another death; gives up at
// the third death within ten minutes. One policy a worker slot. Not thread-safe.
class RestartPolicy {
 public:
  using Clock = std::chrono::steady_clock;
  struct Limits {
    std::chrono::milliseconds delays[3]{std::chrono::seconds(1), std::chrono::seconds(5), std::chrono::seconds(30)};
    int deaths = 3;
    std::chrono::milliseconds window = std::chrono::minutes(10);
  };
  struct Decision {
    bool restart = true;
    std::chrono::milliseconds delay{0};  // to wait before the restart
    std::string reason;                  // why there is none, a sentence for people
  };

  explicit RestartPolicy(std::function<Clock::time_point()> now = Clock::now) : RestartPolicy(Limits(), now) {}
  explicit RestartPolicy(Limits limits, std::function<Clock::time_point()> now = Clock::now);

  // The worker has ended without being asked to; how, as in the error of the job ("the engine died (SIGKILL) during
  // denoise").
  Decision died(const std::string& how);
  // A job has come to its end: the next death is a new story as to the delay. It still counts within the window.
  void worked() { in_a_row_ = 0; }

 private:
  Limits limits_;
  std::function<Clock::time_point()> now_;
  std::deque<Clock::time_point> deaths_;  // of the window
  int in_a_row_ = 0;
};

}  // namespace rubato
