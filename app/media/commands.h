// The questions that rubato-media answers: one each run, one JSON object on stdout.
//
//   rubato-media probe FILE
//   rubato-media metadata FILE
//   rubato-media frames FILE --fd N [--start N] [--count N] [--step N] [--max-side N]
//   rubato-media thumbnail FILE --fd N [--max-side N]
//   rubato-media support
//
// `support` answers {"encoders": {"h264": true, …}, "libraries": {"libavcodec": "59.37.100", …}}.
// `frames` and `thumbnail` write packed RGB24 frames to the open descriptor N (a memfd of the caller) and answer
// {"width", "height", "count", "times_s"}. A failure is {"error": {"code", "message"}} and the exit code of
// rubato-cli's table. Files are opened first, then every right is dropped (sandbox.h), then the file is looked into.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "engine/base/error.h"

namespace rubato {

struct MediaQuestion {
  std::string verb;
  std::filesystem::path file;
  int fd = -1;
  std::int64_t start = 0, count = -1, step = 1;
  int max_side = 0;
};

Result<MediaQuestion> parse_question(std::span<char* const> arguments);
Result<nlohmann::json> answer(const MediaQuestion& question);

}  // namespace rubato
