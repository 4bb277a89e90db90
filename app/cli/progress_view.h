// ProgressView: how far a render is, for the reader at hand: a bar on a terminal, lines in a log, NDJSON for programs
// (printed by the caller), or nothing.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "app/cli/options.h"
#include "app/cli/output.h"
#include "engine/base/progress.h"

namespace rubato::cli {

enum class ProgressMode { Bar, Plain, Json, None };

// --progress=auto|bar|plain|json|none. auto: a bar where standard error is a terminal, else plain lines; none
// with --quiet.
Option progress_option();
ProgressMode progress_mode(const Arguments& args);

// Text of one state, without a terminal: tested apart from it. `columns` is the width to keep to.
//   denoise  ━━━━━━━━━━━━╌╌╌╌╌╌╌╌  12/30  1:05 left (0:58-1:12)
std::string bar_text(const Progress& progress, int columns);
std::string plain_text(const Progress& progress);

class ProgressView {
 public:
  virtual ~ProgressView() = default;
  // A new state. At most ten redraws a second; the last state of a phase is always shown.
  virtual void update(const Progress& progress) = 0;
  // A sentence that must stay readable above the bar.
  void note(std::string_view sentence);
  // The same as a warning, which --quiet does not silence.
  void warn(std::string_view sentence);
  // Removes the bar. Called before the closing line; also by the destructor.
  virtual void clear() = 0;

 protected:
  explicit ProgressView(Output& out) : out_(out) {}
  virtual void redraw() = 0;  // after a sentence
  Output& out_;
};

// A view that writes to standard error through `out`. Json and None give a view that shows notes only.
std::unique_ptr<ProgressView> make_progress_view(ProgressMode mode, Output& out);

}  // namespace rubato::cli
