#include "pipelines/job/places.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "engine/base/json.h"
#include "engine/base/text.h"

namespace rubato {
namespace fs = std::filesystem;

fs::path executable_folder() {
  std::error_code failed;
  const auto self = fs::read_symlink("/proc/self/exe", failed);
  return failed ? fs::path{} : self.parent_path();
}

fs::path sister_program(const std::string& name) {
  if (const auto beside = executable_folder() / name; ::access(beside.c_str(), X_OK) == 0) return beside;
  const char* path = std::getenv("PATH");
  for (const auto& folder : split(path != nullptr ? path : "", ':'))
    if (const auto there = fs::path(folder) / name; !folder.empty() && ::access(there.c_str(), X_OK) == 0) return there;
  return {};
}

fs::path resources_folder() {
  if (const char* set = std::getenv("RUBATO_RESOURCES"); set != nullptr && *set != '\0') return set;
  const auto here = executable_folder();
  std::error_code failed;
  for (const auto* relative : {"../../../resources", "../share/rubato"}) {
    const auto folder = fs::weakly_canonical(here / relative, failed);
    // The practice model is what makes a folder of that name ours.
    if (!failed && fs::is_directory(folder / "practice", failed)) return folder;
  }
  return {};
}

namespace {
fs::path folders_file(const UserFolders& user) { return user.config / "folders.json"; }
}  // namespace

Result<std::vector<fs::path>> remembered_folders(const UserFolders& user) {
  const auto file = folders_file(user);
  std::error_code failed;
  if (!fs::exists(file, failed)) return std::vector<fs::path>{};
  RUBATO_TRY(text, read_file(file, 1u << 20));
  const auto parsed = parse_json(text, file.string(), {.max_bytes = 1u << 20, .max_depth = 4});
  if (!parsed) return Error{parsed.error().code, parsed.error().message + "; correct or delete the file"};
  const auto& json = *parsed;
  const auto broken = [&] {
    return Error{ErrorCode::Corrupt,
                 fmt::format("{} should hold {{\"version\": 1, \"folders\": [\"/path\", …]}}; correct or delete it",
                             file.string())};
  };
  if (!json.is_object() || !json.contains("folders") || !json["folders"].is_array()) return broken();
  std::vector<fs::path> folders;
  for (const auto& folder : json["folders"]) {
    if (!folder.is_string()) return broken();
    folders.emplace_back(folder.get<std::string>());
  }
  return folders;
}

Result<> remember_folders(const UserFolders& user, const std::vector<fs::path>& folders) {
  std::error_code failed;
  fs::create_directories(user.config, failed);
  if (failed)
    return Error{ErrorCode::CannotWrite,
                 fmt::format("cannot make the folder {}: {}", user.config.string(), failed.message())};
  nlohmann::json json{{"version", 1}, {"folders", nlohmann::json::array()}};
  for (const auto& folder : folders) json["folders"].push_back(folder.string());
  return write_file_atomically(folders_file(user), json.dump(2) + "\n", Overwrite::Always);
}

Result<ModelFolders> model_folders(const UserFolders& user, std::span<const fs::path> first) {
  ModelFolders where;
  where.folders.assign(first.begin(), first.end());
  RUBATO_TRY(remembered, remembered_folders(user));
  for (auto& folder : remembered)
    if (std::find(where.folders.begin(), where.folders.end(), folder) == where.folders.end())
      where.folders.push_back(folder);
  if (const auto resources = resources_folder(); !resources.empty()) where.practice = resources / "practice";
  where.cache = user.cache;
  return where;
}

}  // namespace rubato
