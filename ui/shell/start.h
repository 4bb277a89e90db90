// Start: from the command line to the window, and from the window back to the shell.
//
// A second instance on the same state folder hands its files to the first and ends. Returns the exit code.
#pragma once

#include "engine/base/files.h"

namespace rubato::ui {

struct StudioOptions;

// What the studio reaches outside with, but for the engine: media, models, memory of this machine, for this user.
StudioOptions outside_world(const UserFolders& user);

int run_studio(int argc, char** argv);

}  // namespace rubato::ui
