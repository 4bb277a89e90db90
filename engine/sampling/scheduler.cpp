#include "engine/sampling/scheduler.h"

#include <torch/types.h>

#include "engine/base/check.h"

namespace rubato {

Result<> Scheduler::set_timesteps(int steps, std::optional<double> mu) {
  constexpr int kMost = 100'000;
  if (steps < 1 || steps > kMost) {
    return Error{ErrorCode::JobInvalid, "the number of steps must be from 1 to " + std::to_string(kMost) + ", not " +
                                            std::to_string(steps) + "."};
  }
  if (wants_mu() && !mu) {
    return Error{ErrorCode::ModelUnfit,
                 "this model's scheduler has use_dynamic_shifting, for which its pipeline gives no shift."};
  }
  sigmas_.clear();
  timesteps_.clear();
  schedule(steps, mu.value_or(0), sigmas_, timesteps_);
  next_ = 0;
  reset();
  return {};
}

at::Tensor Scheduler::timesteps() const {
  const at::Tensor values = at::tensor(timesteps_, at::kDouble);
  return values.to(kind_ == Timesteps::Integer ? at::kLong : at::kFloat);
}

at::Tensor Scheduler::step(const at::Tensor& velocity, int i, const at::Tensor& sample) {
  RUBATO_CHECK(i == next_ && i < steps(), "scheduler step ", i, " where ", next_, " of ", steps(), " is due");
  RUBATO_CHECK(velocity.sizes() == sample.sizes(), "velocity ", velocity.sizes(), " for a sample ", sample.sizes());
  at::Tensor result = advance(velocity.to(at::kFloat), i, sample.to(at::kFloat));
  ++next_;
  return result;
}

SchedulerState Scheduler::save() const { return {{}, {{"next", next_}}}; }

Result<> Scheduler::restore(const SchedulerState& state) {
  const auto next = state.values.find("next");
  const bool fits = state.values.is_object() && next != state.values.end() && next->is_number_integer() && *next >= 0 &&
                    *next <= steps();
  if (!fits) return Error{ErrorCode::Corrupt, "the saved scheduler state does not fit this job."};
  reset();
  next_ = next->get<int>();
  return {};
}

}  // namespace rubato
