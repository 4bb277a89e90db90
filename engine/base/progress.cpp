#include "engine/base/progress.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "engine/base/check.h"

namespace rubato {

ProgressMeter::ProgressMeter(std::vector<Phase> phases, ProgressSink sink, std::function<double()> now_s)
    : sink_(std::move(sink)), now_(std::move(now_s)) {
  if (!now_) {
    now_ = [] { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); };
  }
  for (auto& phase : phases) phases_.push_back({std::move(phase)});
}

void ProgressMeter::begin(const std::string& phase, std::int64_t total) {
  const auto at = std::find_if(phases_.begin(), phases_.end(), [&](const State& s) { return s.plan.name == phase; });
  RUBATO_CHECK(at != phases_.end(), "unknown phase ", phase);
  const double now = now_();
  for (auto it = phases_.begin(); it != at; ++it) {
    if (it->started >= 0 && it->ended < 0) it->ended = now;
    it->done = it->plan.total;
  }
  *at = State{std::move(at->plan)};  // a phase may run again, after an out-of-memory retry for example
  at->plan.total = std::max<std::int64_t>(1, total);
  at->started = at->mark = now;
  current_ = static_cast<std::size_t>(at - phases_.begin());
  if (sink_) sink_(snapshot());
}

void ProgressMeter::advance(std::int64_t done) {
  RUBATO_CHECK(current_ < phases_.size() && phases_[current_].started >= 0, "advance() before begin()");
  State& phase = phases_[current_];
  done = std::clamp<std::int64_t>(done, 0, phase.plan.total);
  const double now = now_();
  const auto step = done - phase.done;
  if (step > 0) {
    const double each = (now - phase.mark) / static_cast<double>(step);
    phase.sum += each;
    phase.sum_sq += each * each;
    ++phase.samples;
  }
  phase.done = done;
  phase.mark = now;
  if (done >= phase.plan.total) phase.ended = now;
  if (sink_) sink_(snapshot());
}

std::vector<std::pair<std::string, double>> ProgressMeter::seconds() const {
  std::vector<std::pair<std::string, double>> all;
  all.reserve(phases_.size());
  for (const auto& phase : phases_)
    all.emplace_back(phase.plan.name,
                     phase.started < 0 ? 0.0 : (phase.ended < 0 ? now_() : phase.ended) - phase.started);
  return all;
}

Progress ProgressMeter::snapshot() {
  const State& phase = phases_[current_];
  Progress p{phase.plan.name, phase.done, phase.plan.total};

  const auto total = static_cast<double>(phase.plan.total), left = static_cast<double>(phase.plan.total - phase.done);
  double unit = phase.plan.expected_s / total, spread = 0.3 * unit;
  bool known = phase.plan.expected_s > 0;
  if (phase.samples >= 2) {
    const double n = static_cast<double>(phase.samples);
    unit = phase.sum / n;
    spread = std::sqrt(std::max(0.0, phase.sum_sq / n - unit * unit));
    known = true;
  }

  double spent = 0, expected = 0, scaled = 0;       // seconds: so far, of later phases as known, as scaled by share
  double shares_done = 0, shares_all = 0, later_shares = 0;
  for (std::size_t i = current_ + 1; i < phases_.size(); ++i) later_shares += phases_[i].plan.share;
  for (std::size_t i = 0; i < phases_.size(); ++i) {
    const State& s = phases_[i];
    shares_all += s.plan.share;
    if (i < current_) shares_done += s.plan.share;
    if (i == current_) shares_done += s.plan.share * static_cast<double>(s.done) / total;
    if (i <= current_ && s.started >= 0) spent += (s.ended < 0 ? now_() : s.ended) - s.started;
    if (i <= current_) continue;
    const bool scalable = phase.samples >= 2 && s.plan.share > 0 && later_shares <= phase.plan.share;
    if (s.plan.expected_s > 0) {
      expected += s.plan.expected_s;
    } else if (scalable) {
      scaled += unit * total * s.plan.share / phase.plan.share;
    } else {
      known = false;
    }
  }
  const double rest = unit * left + expected + scaled;
  const double margin = 2 * spread * std::sqrt(std::max(1.0, left)) + 0.2 * expected + 0.5 * scaled;
  if (known) {
    p.eta_s = rest;
    p.eta_lo_s = std::max(0.0, rest - margin);
    p.eta_hi_s = rest + margin;
  }
  const double whole = spent + rest;
  p.fraction = whole > 0 ? std::clamp(spent / whole, 0.0, 1.0) : 0.0;
  if (!known) {  // without times, by the usual shares, else phases evenly
    const double within = static_cast<double>(phase.done) / total;
    p.fraction = shares_all > 0 ? shares_done / shares_all
                                : (static_cast<double>(current_) + within) / static_cast<double>(phases_.size());
  }
  p.fraction = furthest_ = std::max(furthest_, p.fraction);  // a bar never runs backwards
  return p;
}

}  // namespace rubato
