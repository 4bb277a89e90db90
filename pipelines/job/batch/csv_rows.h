// The rows of a table as jobs: the header has the keys, an empty cell is an unset key.
#pragma once

#include <string_view>

#include "pipelines/job/batch/document.h"

namespace rubato {

// Whether a line could be the header of a table of jobs: several cells, one of them a key that jobs have.
bool looks_like_header(std::string_view line);

// Fills root, where and columns. Numbers and switches are read by the rule of their field. A cell that is quoted and
// empty is an empty text for a field that tells that from an unset one, unless the header is quoted as well (some
// programs put everything in quotes). Duplicate, empty and unknown columns and rows of another length are problems;
// rows of empty cells are passed over.
Result<> read_csv_rows(std::string_view text, std::string_view name, const BatchLimits& limits, BatchDocument& document,
                       Problems& problems);

}  // namespace rubato
