#include "engine/nn/tap.h"

#include <torch/types.h>

#include <utility>

namespace rubato::nn {

TapRecorder::TapRecorder(Sink sink) : sink_(std::move(sink)), outer_(detail::tap_sink) { detail::tap_sink = &sink_; }

TapRecorder::TapRecorder(std::map<std::string, at::Tensor>& into)
    : TapRecorder([&into](const std::string& name, const at::Tensor& value) {
        into[name] = value.to(at::kCPU, at::kFloat, /*non_blocking=*/false, /*copy=*/true).contiguous();
      }) {}

TapRecorder::~TapRecorder() { detail::tap_sink = outer_; }

}  // namespace rubato::nn
