// The folders with models that a command looks into: those that are remembered, and --models-dir.
#pragma once

#include "app/cli/options.h"
#include "engine/base/error.h"
#include "pipelines/job/places.h"

namespace rubato::cli {

Result<ModelFolders> model_folders(const UserFolders& user, const Arguments& args);

// --models-dir, for every command that looks for models.
Option models_dir_option();

}  // namespace rubato::cli
