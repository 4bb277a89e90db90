// Pieces of sigma schedules that the schedulers share.
#pragma once

#include <cmath>
#include <vector>

namespace rubato::sampling {

// count values from first to last, evenly spaced.
inline std::vector<double> linspace(double first, double last, int count) {
  std::vector<double> values(static_cast<std::size_t>(count), first);
  const double stride = count > 1 ? (last - first) / (count - 1) : 0;
  for (int i = 1; i < count; ++i) values[static_cast<std::size_t>(i)] = i == count - 1 ? last : i * stride + first;
  return values;
}

// sigma' = s·sigma / (1 + (s − 1)·sigma): more steps at high noise for s > 1.
inline double shifted(double sigma, double shift) { return shift * sigma / (1 + (shift - 1) * sigma); }

// The same for a shift that depends on the resolution through mu: e^mu (or mu itself, "linear") in place of s.
inline double time_shifted(double sigma, double mu, bool linear) {
  const double shift = linear ? mu : std::exp(mu);
  return shift / (shift + (1 / sigma - 1));
}

// Stretches the schedule so that its last value becomes `terminal`.
inline void stretch_to(double terminal, std::vector<double>& sigmas) {
  const double scale = (1 - sigmas.back()) / (1 - terminal);
  for (double& sigma : sigmas) sigma = 1 - (1 - sigma) / scale;
}

inline double as_float(double value) { return static_cast<double>(static_cast<float>(value)); }

}  // namespace rubato::sampling
