// Numbered migrations of an SQLite file: which version it has, and how it comes to the newest.
//
// `user_version` holds the number of steps that were applied, `application_id` says whose file it is. A step that was
// released is never changed; a new version is a new step at the end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/error.h"
#include "pipelines/job/queue/sqlite.h"

namespace rubato {

struct Schema {
  std::string_view what;                    // "queue", for messages
  std::int64_t application_id = 0;          // 32 bits
  std::span<const std::string_view> steps;  // the version is their number
  std::int64_t version() const { return static_cast<std::int64_t>(steps.size()); }
};

// The version of the file, 0 for an empty one. CannotRead: a database of some other program.
Result<std::int64_t> version_of(const sqlite::Database& database, const Schema& schema);

// Applies the steps that are missing, each as one change. Before the first one a file that holds something is copied to
// a free name beside it, which is returned; else "". The caller has made sure that the version is not a newer one.
Result<std::filesystem::path> migrate(const sqlite::Database& database, const Schema& schema);

// "queue.sqlite.SUFFIX", or with a number behind it where that is taken.
std::filesystem::path free_sibling(const std::filesystem::path& file, std::string_view suffix);

}  // namespace rubato
