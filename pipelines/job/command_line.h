// A job as the command line that renders it, quoted for a POSIX shell.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipelines/job/video_job.h"

namespace rubato {

// The word as a shell reads it back: bare where every character is harmless, else in single quotes.
std::string shell_quoted(std::string_view word);

// The flags of `gen video` that set exactly this job on an empty one: what is unset, or as an empty job has it, is left
// out. Model and prompt come first, the output last.
std::vector<std::string> command_flags(const VideoJob& job);

// "rubato-cli gen video -m practice-video -p 'a ring' --seed 7 -o ring.mp4"
std::string command_line(const VideoJob& job);

}  // namespace rubato
