// failed.csv: the jobs of a run that did not come out, as a job file that can be run again.
//
// It has the columns of the run's own CSV file, or those fields that any of the jobs sets, and always `id`, `seed` and
// `out`, so that the second run makes the very files that the first one owed, under their names, and finds what is left
// of their work. `reason` is the last column; read_batch() passes over it. Inputs are absolute, since the file lies
// elsewhere than the job file did. An `after` names only jobs that are in the file too: the others are done.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/job/batch/job_file.h"

namespace rubato {

// The column that says why a job failed; a CSV job file may have it and it means nothing there.
inline constexpr const char* kReasonColumn = "reason";

struct FailedJob {
  const BatchJob* job = nullptr;  // borrowed; its seed is set, as it was (to be) rendered
  std::string out;                // the finished file, relative to the run's folder; "" = the job's own template
  std::string reason;             // one sentence
};

// What a failed.csv says.
struct FailedTable {
  std::vector<std::string> columns;
  std::vector<std::map<std::string, std::string>> rows;  // cells by column; a column that is absent is unset
};
// Nothing for a text that failed_csv() did not write.
std::optional<FailedTable> read_failed_csv(std::string_view text);

// The text of failed.csv, RFC 4180 with LF. `columns` is BatchFile::columns. The rows of `kept`, of jobs that earlier
// runs owe and this one did not have, come last; one whose id is taken gets a free one, and their `after` names only
// each other.
std::string failed_csv(std::span<const FailedJob> failed, const std::vector<std::string>& columns,
                       const FailedTable& kept = {});

}  // namespace rubato
