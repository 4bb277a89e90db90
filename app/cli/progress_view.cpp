#include "app/cli/progress_view.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "engine/base/text.h"

namespace rubato::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr auto kPlainEvery = std::chrono::seconds(10);

bool terminal_takes_a_bar() {
  const char* term = std::getenv("TERM");
  return is_terminal(STDERR_FILENO) && (term == nullptr || std::string_view(term) != "dumb");
}

// By the locale's name, in the order in which the C library looks.
bool speaks_utf8() {
  for (const auto* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* set = std::getenv(variable);
    if (set == nullptr || *set == '\0') continue;
    const std::string_view locale(set);
    return locale.find("UTF-8") != std::string_view::npos || locale.find("utf8") != std::string_view::npos;
  }
  return false;
}

std::string eta_text(const Progress& p) {
  if (p.eta_s < 0) return {};
  const auto left = human_duration(p.eta_s);
  const auto low = human_duration(std::max(0.0, p.eta_lo_s)), high = human_duration(std::max(0.0, p.eta_hi_s));
  if (p.eta_lo_s < 0 || p.eta_hi_s < 0 || low == high) return fmt::format("{} left", left);
  return fmt::format("{} left ({}-{})", left, low, high);
}

std::string count_text(const Progress& p) {
  return p.total > 1 && p.done > 0 ? fmt::format("{}/{}", p.done, p.total) : std::string{};
}

class BarView final : public ProgressView {
 public:
  explicit BarView(Output& out) : ProgressView(out) {}
  ~BarView() override { BarView::clear(); }

  void update(const Progress& progress) override {
    const auto now = Clock::now();
    const bool phase_ends = progress.phase != phase_ || progress.done >= progress.total;
    if (!phase_ends && now - drawn_ < kRedraw) return;
    // Even phase changes keep to the limit, except that the final state of a job is shown.
    if (phase_ends && progress.fraction < 1 && progress.phase == phase_ && now - drawn_ < kRedraw) return;
    phase_ = progress.phase;
    drawn_ = now;
    last_ = progress;
    // One column is left free: some terminals wrap when the last one is written.
    draw(bar_text(progress, terminal_width(STDERR_FILENO, 80) - 1));
  }

  void clear() override {
    if (shown_.empty()) return;
    std::fputs("\r\033[K", stderr);
    std::fflush(stderr);
    shown_.clear();
  }

 private:
  void redraw() override {
    if (!phase_.empty()) draw(bar_text(last_, terminal_width(STDERR_FILENO, 80) - 1));
  }

  void draw(const std::string& text) {
    std::fputs(("\r" + text + "\033[K").c_str(), stderr);
    std::fflush(stderr);
    shown_ = text;
  }

  Progress last_;
  std::string phase_, shown_;
  Clock::time_point drawn_{};
};

// Lines for logs: one when a phase starts, then at most one each ten seconds.
class PlainView final : public ProgressView {
 public:
  explicit PlainView(Output& out) : ProgressView(out) {}

  void update(const Progress& progress) override {
    const auto now = Clock::now();
    const bool new_phase = progress.phase != phase_;
    if (!new_phase && now - said_ < kPlainEvery) return;
    phase_ = progress.phase;
    said_ = now;
    out_.say(plain_text(progress));
  }
  void clear() override {}

 private:
  void redraw() override {}
  std::string phase_;
  Clock::time_point said_{};
};

class NoView final : public ProgressView {
 public:
  explicit NoView(Output& out) : ProgressView(out) {}
  void update(const Progress&) override {}
  void clear() override {}

 private:
  void redraw() override {}
};

}  // namespace

Option progress_option() {
  return {.name = "progress",
          .value = "MODE",
          .help = "How progress is shown",
          .group = "Output",
          .choices = {"auto", "bar", "plain", "json", "none"}};
}

ProgressMode progress_mode(const Arguments& args) {
  const auto mode = args.value_or("progress", "auto");
  if (mode == "bar") return ProgressMode::Bar;
  if (mode == "plain") return ProgressMode::Plain;
  if (mode == "json") return ProgressMode::Json;
  if (mode == "none" || args.has("quiet")) return ProgressMode::None;
  // Log lines on the same terminal would tear a bar apart.
  const bool log_on_terminal = args.has("verbose") && !args.has("log");
  return terminal_takes_a_bar() && !log_on_terminal ? ProgressMode::Bar : ProgressMode::Plain;
}

std::string bar_text(const Progress& progress, int columns) {
  constexpr int kLongestBar = 40, kShortestBar = 8;
  auto left = fmt::format("{:<8}", progress.phase);
  std::string right;
  for (const auto& part : {count_text(progress), eta_text(progress)})
    if (!part.empty()) right += "  " + part;
  const int room = columns - display_width(left) - 2 - display_width(right);
  if (room < kShortestBar) return fit_width(fmt::format("{}{}", trim(left), right), columns);

  const int length = std::min(room, kLongestBar);
  const double share = std::clamp(progress.fraction, 0.0, 1.0);
  const int full = static_cast<int>(std::floor(share * length + 1e-9));
  std::string bar;
  const bool fancy = speaks_utf8();
  for (int i = 0; i < length; ++i) bar += i < full ? (fancy ? "━" : "#") : (fancy ? "╌" : "-");
  return fmt::format("{}  {}{}", left, bar, right);
}

std::string plain_text(const Progress& progress) {
  std::string text = progress.phase;
  for (const auto& part : {count_text(progress), eta_text(progress)})
    if (!part.empty()) text += "  " + part;
  return text;
}

void ProgressView::note(std::string_view sentence) {
  clear();
  out_.say(sentence);
  redraw();
}

void ProgressView::warn(std::string_view sentence) {
  clear();
  out_.warn(sentence);
  redraw();
}

std::unique_ptr<ProgressView> make_progress_view(ProgressMode mode, Output& out) {
  switch (mode) {
    case ProgressMode::Bar:
      return std::make_unique<BarView>(out);
    case ProgressMode::Plain:
      return std::make_unique<PlainView>(out);
    case ProgressMode::Json:
    case ProgressMode::None:
      break;
  }
  return std::make_unique<NoView>(out);
}

}  // namespace rubato::cli
