// Taps: named looks at intermediate values, for comparing a model with a reference layer by layer.
//
// tap("blocks.3.attn1", x) does nothing (one load and one branch) unless a TapRecorder is alive on this thread.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace rubato::nn {

// While it lives, taps of this thread go to the sink. Recorders nest: the innermost one receives.
class TapRecorder {
 public:
  using Sink = std::function<void(const std::string& name, const at::Tensor& value)>;
  explicit TapRecorder(Sink sink);
  // Keeps a float32 CPU copy of every value under its name.
  explicit TapRecorder(std::map<std::string, at::Tensor>& into);
  ~TapRecorder();
  TapRecorder(const TapRecorder&) = delete;
  TapRecorder& operator=(const TapRecorder&) = delete;

 private:
  Sink sink_;
  const Sink* outer_;
};

namespace detail {
inline thread_local const TapRecorder::Sink* tap_sink = nullptr;
}  // namespace detail

inline void tap(std::string_view name, const at::Tensor& value) {
  if (detail::tap_sink != nullptr) (*detail::tap_sink)(std::string(name), value);
}
// "blocks", 3, "attn1" -> "blocks.3.attn1"; an empty part leaves "blocks.3". The name is built only when recorded.
inline void tap(std::string_view list, std::int64_t index, std::string_view part, const at::Tensor& value) {
  if (detail::tap_sink == nullptr) return;
  std::string name = std::string(list) + '.' + std::to_string(index);
  if (!part.empty()) name.append(".").append(part);
  (*detail::tap_sink)(name, value);
}

}  // namespace rubato::nn
