#include "engine/base/log.h"

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace rubato {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return spdlog::level::debug;
    case LogLevel::Info:
      return spdlog::level::info;
    case LogLevel::Warn:
      return spdlog::level::warn;
    case LogLevel::Error:
      return spdlog::level::err;
    case LogLevel::Off:
      return spdlog::level::off;
  }
  return spdlog::level::warn;
}

std::shared_ptr<spdlog::logger> make_logger(spdlog::sink_ptr sink, LogLevel level) {
  auto logger = std::make_shared<spdlog::logger>("rubato", std::move(sink));
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  logger->set_level(to_spdlog(level));
  logger->flush_on(spdlog::level::warn);
  return logger;
}

std::shared_ptr<spdlog::logger>& logger() {
  static auto instance = make_logger(std::make_shared<spdlog::sinks::stderr_sink_mt>(), LogLevel::Warn);
  return instance;
}

std::string quoted(const std::string& value) {
  const auto plain = [](unsigned char c) { return c > ' ' && c != '"' && c != '=' && c != 0x7F; };
  if (!value.empty() && std::all_of(value.begin(), value.end(), plain)) return value;
  std::string out = "\"";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {  // no value may forge a line or drive a terminal
      out += fmt::format("\\x{:02x}", byte);
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

Result<> configure_log(LogLevel level, const std::filesystem::path& file) {
  if (file.empty()) {
    logger() = make_logger(std::make_shared<spdlog::sinks::stderr_sink_mt>(), level);
    return {};
  }
  try {
    logger() = make_logger(std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string()), level);
  } catch (const spdlog::spdlog_ex& e) {
    return Error{ErrorCode::CannotWrite, fmt::format("cannot write the log {}: {}", file.string(), e.what())};
  }
  return {};
}

void log(LogLevel level, std::string_view event, LogFields fields) {
  if (!logger()->should_log(to_spdlog(level))) return;
  std::string line(event);
  for (const auto& [key, value] : fields) line += fmt::format(" {}={}", key, quoted(value));
  logger()->log(to_spdlog(level), line);
}

}  // namespace rubato
