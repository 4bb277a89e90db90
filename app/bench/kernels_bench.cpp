// Each kernel at full-size shapes: time, and how near it comes to what the device can do. The floor of a memory-bound
// kernel is its fewest bytes over the rate of a large device copy, measured first; a product is shown in TFLOP/s.
#include <fmt/format.h>
#include <torch/types.h>

#include "app/bench/bench.h"
#include "kernels/cases/kernel_cases.h"

namespace rubato::bench {
namespace {

using kernels::KernelCase;

double copy_bytes_per_ms(const Options& options) {
  const std::int64_t elements = options.device.is_cuda() ? std::int64_t{1} << 28 : std::int64_t{1} << 24;
  const at::Tensor from = at::randn({elements}, at::TensorOptions(options.device).dtype(at::kFloat));
  at::Tensor to = at::empty_like(from);
  const Timing timing = time_runs(options.device, 10, [&] { to.copy_(from); });
  return 2.0 * static_cast<double>(from.nbytes()) / timing.median_ms;
}

nlohmann::json time_case(const KernelCase& c, const Options& options, double bytes_per_ms) {
  const auto inputs = kernels::make_inputs(c, options.device, options.dtype);
  const double bytes = kernels::fewest_bytes(inputs, c.run(inputs));
  const Timing timing = time_runs(options.device, options.repeats, [&] { c.run(inputs); });
  nlohmann::json row{{"kernel", c.kernel}, {"shape", c.shape}, {"time", timing.json()}};
  std::string rate;
  if (c.flops > 0) {
    row["tflops"] = c.flops / timing.median_ms * 1e-9;
    rate = fmt::format("{:6.0f} TFLOP/s", row["tflops"].get<double>());
  } else {
    row["floor_ms"] = bytes / bytes_per_ms;
    row["share_of_floor"] = row["floor_ms"].get<double>() / timing.median_ms;
    rate = fmt::format("{:6.1f} % of the floor", 100 * row["share_of_floor"].get<double>());
  }
  fmt::print("{:<28}{:<34}{:9.4f} ms{}\n", c.kernel, c.shape, timing.median_ms, rate);
  return row;
}

}  // namespace

Result<> kernels(const Options& options) {
  const at::InferenceMode inference;
  const double bytes_per_ms = copy_bytes_per_ms(options);
  nlohmann::json report{{"bench", "kernels"},
                        {"dtype", c10::toString(options.dtype)},
                        {"copy_gb_per_s", bytes_per_ms * 1e-6},
                        {"rows", nlohmann::json::array()}};
  fmt::print("device copy: {:.0f} GB/s (read and written)\n", bytes_per_ms * 1e-6);
  for (const KernelCase& c : kernels::kernel_cases()) {
    if (c.use != KernelCase::Use::Bench || c.name().find(options.filter) == std::string::npos) continue;
    if (c.half_only && options.dtype == at::kFloat) continue;
    report["rows"].push_back(time_case(c, options, bytes_per_ms));
  }
  report["machine"] = machine(options.device);
  fmt::print("{}\n", report["machine"].dump());
  return write_report(options, report);
}

}  // namespace rubato::bench
