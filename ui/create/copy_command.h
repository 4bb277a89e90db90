// "Copy as command line": the line of `rubato-cli gen video` that makes the same clip, onto the clipboard.
#pragma once

#include <string>

#include "pipelines/job/video_job.h"

namespace rubato::ui {

class Studio;

// Says what was copied, and what stands in its way.
void copy_command_line(Studio& studio, const VideoJob& job);
// Of a job as the queue and the library keep it; says so where it cannot be read.
void copy_command_line(Studio& studio, const std::string& spec);
// Of the draft as it is written: what is open stays open. The file gets the name that it would have here.
void copy_draft_command_line(Studio& studio);

}  // namespace rubato::ui
