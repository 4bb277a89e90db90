// `seeds:` of a job: 7, "1..8", "1..8, 40", [1, 2, 3] or ["1..8", 40].
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string_view>
#include <vector>

#include "engine/base/error.h"

namespace rubato {

// Ranges, so that a long one is counted before it is expanded.
class SeedList {
 public:
  // The message stands behind "seeds ".
  static Result<SeedList> read(const nlohmann::json& value);

  std::uint64_t count() const { return count_; }  // at most UINT64_MAX
  std::vector<std::uint64_t> expand() const;      // in the order they were written

 private:
  struct Range {
    std::uint64_t first = 0, last = 0;
  };
  Result<> add(const nlohmann::json& item);
  Result<> add_text(std::string_view text);
  Result<> check_unique() const;

  std::vector<Range> ranges_;
  std::uint64_t count_ = 0;
};

}  // namespace rubato
