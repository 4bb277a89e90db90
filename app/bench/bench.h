// What all benchmarks share: options, timing, and a report that says where its numbers come from.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "pipelines/job/memory_plan.h"

namespace rubato::bench {

struct Options {
  at::Device device{at::kCPU};
  at::ScalarType dtype = at::kFloat;
  std::string filter;          // kernels: only cases whose name contains it
  std::filesystem::path model;  // clip: a checkpoint folder
  int threads = 0;             // CPU threads; 0 = as many as libtorch takes
  std::filesystem::path json;  // also write the report there
  std::int64_t width = 832, height = 480, frames = 81;
  std::int64_t layers = 30;
  bool joined = true;  // wan-step: both guidance branches in one call
  Offload offload = Offload::None;  // wan-step (none or layers), clip
  int repeats = 10;    // timed runs, after warm-up

  static Result<Options> parse(std::span<char* const> args);
  static const char* help();
};

struct Timing {
  double median_ms = 0, min_ms = 0, max_ms = 0;
  std::vector<double> all_ms;

  static Timing of(std::vector<double> all_ms);
  nlohmann::json json() const;
};

// Times `run` `repeats` times after two runs for warm-up. A run shorter than a millisecond is timed in batches.
Timing time_runs(at::Device device, int repeats, const std::function<void()>& run);

// Rubato's version, device, clocks now, library versions, threads.
nlohmann::json machine(at::Device device);

// To options.json if given, atomically.
Result<> write_report(const Options& options, const nlohmann::json& report);

Result<> kernels(const Options& options);
Result<> wan_step(const Options& options);
Result<> wan_vae(const Options& options);
Result<> clip(const Options& options);

}  // namespace rubato::bench
