// What jobs took on this machine, so that the next one's time left can be told: seconds per unit of work, learnt per
// model, shape, plan and device for each phase.
//
// A file of its own (timings.sqlite in the state folder) that several processes may write at once in short
// transactions. It is an aid: whoever records a job's times ignores a failure to do so.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/error.h"

namespace rubato {

// What the times of a phase depend on.
struct TimingKey {
  std::string model;  // content hash or stamp of the weights
  int width = 0, height = 0, frames = 0;
  int branches = 2;           // passes through the transformer a step: 2 with guidance, else 1
  std::string plan = "full";  // policies that change the cost; "full" = none
  std::string device;         // "NVIDIA H100 80GB HBM3", "cpu/2": the model of the device, not its number
  std::string dtype;
};

struct PhaseTime {
  double seconds = 0;      // wall time of the phase
  std::int64_t units = 1;  // steps, latent frames, parts: whatever the phase counts
};

struct ExpectedTimes {
  std::map<std::string, double> seconds_per_unit;  // by phase; empty: nothing is known
  bool estimated = false;                          // scaled from another shape of the same model and device
};

// Where a job was computed, for its wish ("auto", "auto").
struct TimingPlace {
  std::string device, dtype;  // as in TimingKey
};

class Timings {
 public:
  // Never waits longer than a second for another process.
  static Result<Timings> open(const std::filesystem::path& file);
  Timings(Timings&&) noexcept;
  Timings& operator=(Timings&&) noexcept;
  ~Timings();

  // Keeps the last 9 samples of each phase.
  Result<> record(const TimingKey& key, const std::map<std::string, PhaseTime>& phases);
  // Medians of the samples of exactly this key; else those of the nearest shape of the same model, device, dtype and
  // plan, scaled by the work (pixels for a decoded latent frame, tokens and their pairs for a step); else nothing.
  Result<ExpectedTimes> expected(const TimingKey& key) const;

  // What a wish for device and dtype came to, the last time.
  Result<> remember_place(std::string_view device, std::string_view dtype, const TimingPlace& place);
  Result<std::optional<TimingPlace>> place(std::string_view device, std::string_view dtype) const;

 private:
  struct State;
  explicit Timings(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rubato
