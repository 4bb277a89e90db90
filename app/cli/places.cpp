#include "app/cli/places.h"

#include <fmt/format.h>

namespace rubato::cli {
namespace fs = std::filesystem;

Result<ModelFolders> model_folders(const UserFolders& user, const Arguments& args) {
  std::vector<fs::path> named;
  for (const auto& folder : args.values("models-dir")) {
    std::error_code failed;
    if (!fs::is_directory(folder, failed))
      return Error{ErrorCode::Usage, fmt::format("--models-dir {} is not a folder", folder)};
    named.push_back(fs::absolute(folder));
  }
  return rubato::model_folders(user, named);
}

Option models_dir_option() {
  return {.name = "models-dir",
          .value = "DIR",
          .help = "Look for models in DIR as well; may be given again",
          .offer = Offer::Folders,
          .repeatable = true};
}

}  // namespace rubato::cli
