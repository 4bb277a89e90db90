// Places: where a program of Rubato finds its sisters, the resources that come with it, and the user's models.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/files.h"
#include "engine/files/model_scan.h"

namespace rubato {

// The folder of the running program; links are followed.
std::filesystem::path executable_folder();

// A sister program such as rubato-worker: beside this one, else the first in PATH, else empty.
std::filesystem::path sister_program(const std::string& name);

// Where resources/ lies: RUBATO_RESOURCES, else by the program's own place (the source tree for a build tree,
// ../share/rubato for an installed one), else empty.
std::filesystem::path resources_folder();

// The folders in which models are looked for: folders.json in the config folder.
// Corrupt when folders.json is malformed.
Result<std::vector<std::filesystem::path>> remembered_folders(const UserFolders& user);
Result<> remember_folders(const UserFolders& user, const std::vector<std::filesystem::path>& folders);

// The remembered folders behind `first`, each once, and the practice models.
Result<ModelFolders> model_folders(const UserFolders& user, std::span<const std::filesystem::path> first = {});

}  // namespace rubato
