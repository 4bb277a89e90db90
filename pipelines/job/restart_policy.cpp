#include "pipelines/job/restart_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace rubato {

RestartPolicy::RestartPolicy(Limits limits, std::function<Clock::time_point()> now)
    : limits_(limits), now_(std::move(now)) {}

RestartPolicy::Decision RestartPolicy::died(const std::string& how) {
  const auto now = now_();
  deaths_.push_back(now);
  while (now - deaths_.front() >= limits_.window) deaths_.pop_front();
  if (static_cast<int>(deaths_.size()) >= limits_.deaths) {
    const auto minutes = std::chrono::ceil<std::chrono::minutes>(now - deaths_.front()).count();
    return {.restart = false,
            .reason = fmt::format("the engine ended {} times within {} minute{} and is not started again; the last "
                                  "time: {}. 'rubato-cli doctor' checks the engine and the GPU",
                                  deaths_.size(), std::max<long>(minutes, 1), minutes > 1 ? "s" : "", how)};
  }
  const auto last = static_cast<int>(std::size(limits_.delays)) - 1;
  return {.restart = true, .delay = limits_.delays[std::min(in_a_row_++, last)], .reason = {}};
}

}  // namespace rubato
