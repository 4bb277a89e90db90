// `after:` of the jobs of a file: which of the expanded jobs each of them waits for.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "pipelines/job/schema.h"

namespace rubato {

// One entry of the file and the jobs it became.
struct DependencyEntry {
  std::string id;
  std::vector<std::string> job_ids;  // of what it was expanded into, one or more
  std::vector<std::string> after;    // as written
  std::string pointer;               // of the entry
};

// The ids that each entry's jobs wait for, expanded, in the file's order. Unknown ids, circles (named in their order:
// "a → b → a") and more than `most` dependencies altogether are problems; then the result is of no use.
std::vector<std::vector<std::string>> resolve_after(const std::vector<DependencyEntry>& entries, std::size_t most,
                                                    Problems& problems);

}  // namespace rubato
