// Progress of a job as a list of weighted phases, with an honest estimate of the time left.
//
// Phases differ in speed, so each carries the seconds it is expected to take (its weight; 0 = unknown).
// An estimate appears once the running phase has a known weight or two units done, and every later phase has a
// known weight; before that it is hidden (eta_s < 0). A later phase of unknown time is scaled from the running one by
// their shares, with a wide margin, unless they are the larger part. The range widens with the spread of the units seen.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace rubato {

struct Progress {
  std::string phase;      // "load", "text", "denoise", "decode", "mux"
  std::int64_t done = 0;  // units of this phase
  std::int64_t total = 0;
  double fraction = 0;                              // of the whole job, 0..1
  double eta_s = -1, eta_lo_s = -1, eta_hi_s = -1;  // negative = not known yet
};

using ProgressSink = std::function<void(const Progress&)>;

class ProgressMeter {
 public:
  struct Phase {
    std::string name;
    std::int64_t total = 1;
    double expected_s = 0;  // 0 = unknown
    double share = 0;       // usual part of the whole job, in any unit; stands in where the time is unknown; 0 = none
  };
  // `now_s` is a monotonic clock in seconds; tests pass their own.
  ProgressMeter(std::vector<Phase> phases, ProgressSink sink, std::function<double()> now_s = {});

  // Starts a phase of the list (earlier ones count as finished). total may be corrected here.
  void begin(const std::string& phase, std::int64_t total);
  void advance(std::int64_t done);
  // Wall time of each phase so far, in list order; unfinished phases count to now.
  std::vector<std::pair<std::string, double>> seconds() const;

 private:
  Progress snapshot();

  struct State {
    Phase plan;
    double started = -1, ended = -1;
    std::int64_t done = 0;
    double mark = 0;             // time of the last unit
    double sum = 0, sum_sq = 0;  // of seconds per unit
    std::int64_t samples = 0;
  };
  std::vector<State> phases_;
  std::size_t current_ = 0;
  double furthest_ = 0;  // largest fraction reported
  ProgressSink sink_;
  std::function<double()> now_;
};

}  // namespace rubato
