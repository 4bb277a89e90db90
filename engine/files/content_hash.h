// Hashes that name a model by its content, kept in a cache so that 30 GB are read once and not before every job.
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>

#include "engine/base/error.h"
#include "engine/files/pipeline_folder.h"

namespace rubato {

// SHA-256 over the weights, configurations and tokenizer files of every component, independent of where the folder
// lies. The cache (of no folder: none) is keyed by (path, size, mtime in ns, inode); a damaged cache is ignored and
// written anew. Reading may take minutes: Cancelled soon after `stop` is requested; files that were read to their end
// stay cached.
Result<std::string> model_content_hash(const PipelineFolder& pipeline, const std::filesystem::path& cache_folder,
                                       std::stop_token stop = {});
// The same out of the cache alone: nothing where a file would have to be read to its end.
std::optional<std::string> known_content_hash(const PipelineFolder& pipeline,
                                              const std::filesystem::path& cache_folder);
// With UserFolders::from_environment().cache.
Result<std::string> model_content_hash(const PipelineFolder& pipeline);

}  // namespace rubato
