// A job file as a tree, whatever its format: the step between its text and its jobs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/json.h"
#include "pipelines/job/batch/job_file.h"
#include "pipelines/job/schema.h"

namespace rubato {

struct BatchDocument {
  enum class Shape { Frame, List, Single };  // {"jobs": […]}, […], {…}

  BatchFormat format = BatchFormat::Yaml;
  Shape shape = Shape::List;
  nlohmann::json root;
  SourceMap where;                   // of everything in root; a table's problems have places of their own
  std::vector<std::string> columns;  // of a table

  std::size_t size() const;
  const nlohmann::json& job(std::size_t index) const;
  std::string pointer(std::size_t index) const;  // of job(index)
  // A member of the frame; null when there is none.
  const nlohmann::json& part(const char* name) const;
};

// Chooses the format, reads the text and checks the frame. What is wrong with the text itself is the error
// (JobInvalid); what is wrong with the frame or with a table's header goes to `problems`.
Result<BatchDocument> read_batch_document(std::string_view text, std::string_view name, const BatchLimits& limits,
                                          Problems& problems);

// "shots.yaml has more than 100000 jobs; …"
Error too_many_jobs(std::string_view name, const BatchLimits& limits);

}  // namespace rubato
