// Structured log: one line a record on stderr or in a file, "time level event key=value …".
// Prompts never go into the log; callers pass only names, numbers and paths.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/error.h"

namespace rubato {

enum class LogLevel { Debug, Info, Warn, Error, Off };
using LogFields = std::initializer_list<std::pair<std::string_view, std::string>>;

// Where and how much to log; call once at start. An empty path logs to stderr. Default: warnings to stderr.
Result<> configure_log(LogLevel level, const std::filesystem::path& file);

// Thread-safe. Values with spaces or quotes are quoted.
void log(LogLevel level, std::string_view event, LogFields fields = {});

}  // namespace rubato
