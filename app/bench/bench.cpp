#include "app/bench/bench.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/version.h>

#include <algorithm>
#include <charconv>

#include "app/bench/clocks.h"
#include "engine/base/files.h"
#include "engine/base/version.h"
#include "kernels/device.h"

namespace rubato::bench {
namespace {

Result<std::int64_t> number(std::string_view flag, std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > 1'000'000) {
    return Error{ErrorCode::Usage, fmt::format("{} takes a whole number from 1, not '{}'", flag, text)};
  }
  return value;
}

}  // namespace

const char* Options::help() {
  return "usage: rubato-bench clip|kernels|wan-step|wan-vae [options]\n"
         "  clip       a whole clip of the checkpoint --model DIR: text, denoising, decoding, peak memory\n"
         "  kernels    each kernel at full-size shapes, against its bandwidth floor or in TFLOP/s\n"
         "  wan-step   one denoising step of a Wan 2.1 1.3B with random weights, both guidance branches\n"
         "  wan-vae    decoding a clip by a Wan 2.1 VAE with random weights\n"
         "options:\n"
         "  --device NAME    auto, cpu, cuda, cuda:N (default auto)\n"
         "  --dtype NAME     auto, bfloat16, float16, float32 (default auto)\n"
         "  --filter TEXT    only kernels whose name contains TEXT\n"
         "  --size WxH       of the video, in pixels (default 832x480)\n"
         "  --frames N       of the video (default 81)\n"
         "  --layers N       of the transformer (default 30)\n"
         "  --branches HOW   joined (one call, default) or turn (one after the other)\n"
         "  --offload WHAT   none (default); layers: streamed from the host's memory; parts (clip): in memory in turn\n"
         "  --repeats N      timed runs (default 10)\n"
         "  --model DIR      of the clip\n"
         "  --threads N      on the CPU\n"
         "  --json FILE      write the report there too\n";
}

Result<Options> Options::parse(std::span<char* const> args) {
  Options options;
  std::string device = "auto", dtype = "auto";
  for (std::size_t i = 0; i < args.size(); i += 2) {
    const std::string_view flag = args[i];
    if (i + 1 == args.size()) return Error{ErrorCode::Usage, fmt::format("{} needs a value", flag)};
    const std::string_view value = args[i + 1];
    if (flag == "--device") {
      device = value;
    } else if (flag == "--dtype") {
      dtype = value;
    } else if (flag == "--filter") {
      options.filter = value;
    } else if (flag == "--model") {
      options.model = value;
    } else if (flag == "--json") {
      options.json = value;
    } else if (flag == "--branches") {
      if (value != "joined" && value != "turn") return Error{ErrorCode::Usage, "--branches takes joined or turn"};
      options.joined = value == "joined";
    } else if (flag == "--offload") {
      if (value != "none" && value != "parts" && value != "layers")
        return Error{ErrorCode::Usage, "--offload takes none, parts or layers"};
      options.offload = value == "none" ? Offload::None : value == "parts" ? Offload::Parts : Offload::Layers;
    } else if (flag == "--size") {
      const auto x = value.find('x');
      if (x == value.npos) return Error{ErrorCode::Usage, fmt::format("--size is like 832x480, not '{}'", value)};
      RUBATO_TRY(width, number(flag, value.substr(0, x)));
      RUBATO_TRY(height, number(flag, value.substr(x + 1)));
      options.width = width;
      options.height = height;
    } else if (flag == "--frames" || flag == "--layers" || flag == "--repeats" || flag == "--threads") {
      RUBATO_TRY(n, number(flag, value));
      if (flag == "--frames") options.frames = n;
      if (flag == "--layers") options.layers = n;
      if (flag == "--threads") options.threads = static_cast<int>(n);
      if (flag == "--repeats") options.repeats = static_cast<int>(n);
    } else {
      return Error{ErrorCode::Usage, fmt::format("unknown option '{}'", flag)};
    }
  }
  RUBATO_TRY(parsed_device, parse_device(device));
  RUBATO_TRY(parsed_dtype, parse_dtype(dtype, parsed_device));
  if (options.threads > 0) at::set_num_threads(options.threads);
  options.device = parsed_device;
  options.dtype = parsed_dtype;
  return options;
}

Timing Timing::of(std::vector<double> all_ms) {
  auto sorted = all_ms;
  std::ranges::sort(sorted);
  const std::size_t n = sorted.size();
  const double median = n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
  return {median, sorted.front(), sorted.back(), std::move(all_ms)};
}

nlohmann::json Timing::json() const {
  return {{"median_ms", median_ms}, {"min_ms", min_ms}, {"max_ms", max_ms}, {"all_ms", all_ms}};
}

Timing time_runs(at::Device device, int repeats, const std::function<void()>& run) {
  DeviceTimer timer(device);
  const auto time_batch = [&](int runs) {
    timer.start();
    for (int i = 0; i < runs; ++i) run();
    timer.stop();
    return timer.ms() / runs;
  };
  time_batch(1);
  const double once_ms = time_batch(1);
  const int batch = once_ms > 1 ? 1 : static_cast<int>(std::min(100.0, 2 / std::max(once_ms, 1e-3))) + 1;
  std::vector<double> all;
  for (int i = 0; i < repeats; ++i) all.push_back(time_batch(batch));
  return Timing::of(std::move(all));
}

nlohmann::json machine(at::Device device) {
  nlohmann::json out{{"rubato", fmt::format("{} ({})", kVersion, kGitRevision)},
                     {"libtorch", TORCH_VERSION},
                     {"threads", at::get_num_threads()},
                     {"device", device.str()}};
  if (!device.is_cuda()) return out;
  const auto all = cuda_devices();
  const auto& info = all.at(static_cast<std::size_t>(device.index()));
  const auto versions = cuda_versions();
  out["device"] = info.model;
  out["compute_capability"] = fmt::format("{}.{}", info.major, info.minor);
  out["memory_bytes"] = info.memory_bytes;
  out["cuda_driver"] = versions.driver;
  out["cuda_runtime"] = versions.runtime;
  out["cudnn"] = versions.cudnn;
  out["clocks"] = clocks(device.index());
  return out;
}

Result<> write_report(const Options& options, const nlohmann::json& report) {
  if (options.json.empty()) return {};
  return write_file_atomically(options.json, report.dump(2) + "\n", Overwrite::Always);
}

}  // namespace rubato::bench
