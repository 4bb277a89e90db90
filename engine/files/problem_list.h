// Collects everything that is wrong with a file, so that a person hears all of it at once.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/text.h"

namespace rubato {

class ProblemList {
 public:
  static constexpr std::size_t kShown = 10;  // a damaged file can have thousands; the rest is counted

  void add(std::string problem) {
    if (++count_ <= kShown) shown_.push_back(std::move(problem));
  }
  bool empty() const { return count_ == 0; }
  std::size_t count() const { return count_; }

  // "FILE <what>: a" or "FILE <what> (14 problems): a; b; … and 2 more".
  Error error(ErrorCode code, std::string_view subject) const {
    std::string text = count_ == 1 ? fmt::format("{}: ", subject) : fmt::format("{} ({} problems): ", subject, count_);
    text += join(shown_, "; ");
    if (count_ > shown_.size()) text += fmt::format("; and {} more", count_ - shown_.size());
    return {code, std::move(text)};
  }

 private:
  std::vector<std::string> shown_;
  std::size_t count_ = 0;
};

// A name from a file for use in a message: cut to a readable length, control characters shown as '?'.
std::string shown_name(std::string_view name);

}  // namespace rubato
