// Places: where the CLI finds its sister programs, the resources that come with Rubato, and the user's models.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/cli/options.h"
#include "engine/base/error.h"
#include "engine/base/files.h"
#include "engine/files/model_scan.h"

namespace rubato::cli {

// The folder of the running program; links are followed.
std::filesystem::path executable_folder();

// A sister program such as rubato-worker: beside this one, else the first in PATH, else empty.
std::filesystem::path sister_program(const std::string& name);

// Where resources/ lies: RUBATO_RESOURCES, else by the program's own place (the source tree for a build tree,
// ../share/rubato for an installed one), else empty.
std::filesystem::path resources_folder();

// The folders in which models are looked for: folders.json in the config folder, and --models-dir.
// Corrupt when folders.json is malformed.
Result<std::vector<std::filesystem::path>> remembered_folders(const UserFolders& user);
Result<> remember_folders(const UserFolders& user, const std::vector<std::filesystem::path>& folders);
Result<ModelFolders> model_folders(const UserFolders& user, const Arguments& args);

// --models-dir, for every command that looks for models.
Option models_dir_option();

}  // namespace rubato::cli
