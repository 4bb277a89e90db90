#include "ui/library/trash.h"

#include <unistd.h>

#include <QCoreApplication>
#include <QFile>
#include <QStandardPaths>

#include "engine/base/files.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace fs = std::filesystem;
namespace {

struct Trash {
  Q_DECLARE_TR_FUNCTIONS(Trash)
};

// TRASH/files/NAME is described by TRASH/info/NAME.trashinfo.
void forget_description(const fs::path& in_trash) {
  std::error_code ignored;
  fs::remove(in_trash.parent_path().parent_path() / "info" / (in_trash.filename().string() + ".trashinfo"), ignored);
}

// Qt 6.4 takes the working folder for the trash where none can be made, so that is found out beforehand; and what it
// says is a trash must look like one.
bool home_has_trash() {
  const auto data = path_of(QStandardPaths::writableLocation(QStandardPaths::GenericDataLocation));
  std::error_code failed;
  for (const char* part : {"files", "info"}) {
    fs::create_directories(data / "Trash" / part, failed);
    if (::access((data / "Trash" / part).c_str(), W_OK | X_OK) != 0) return false;
  }
  return true;
}

// HOME/Trash/files/NAME, TOP/.Trash-UID/files/NAME or TOP/.Trash/UID/files/NAME.
bool in_a_trash(const fs::path& file) {
  const auto root = file.parent_path().parent_path();
  const auto name = root.filename().string();
  return file.parent_path().filename() == "files" &&
         (name == "Trash" || name.starts_with(".Trash-") || root.parent_path().filename() == ".Trash");
}

Error no_trash(const fs::path& file) {
  return {
      ErrorCode::CannotWrite,
      utf8(Trash::tr("There is no trash for %1 on its file system, so nothing was deleted. Taking the clip out of the "
                     "library leaves its file alone.")
               .arg(qt(file)))};
}

}  // namespace

std::vector<fs::path> files_of_clip(const fs::path& clip) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (const auto& file : {clip, fs::path(clip.string() + ".json")})
    if (fs::exists(file, failed)) files.push_back(file);
  return files;
}

Result<std::vector<TrashedFile>> to_trash(const std::vector<fs::path>& files) {
  std::vector<TrashedFile> moved;
  if (!files.empty() && !home_has_trash()) return no_trash(files.front());
  for (const auto& file : files) {
    QString place;
    const bool gone = QFile::moveToTrash(qt(file), &place) && !place.isEmpty();
    if (gone) moved.push_back({file, path_of(place)});
    if (gone && in_a_trash(moved.back().in_trash)) continue;
    if (out_of_trash(moved)) return no_trash(file);
    return Error{ErrorCode::CannotWrite,
                 utf8(Trash::tr("There is no trash for %1 on its file system, and what was moved already lies in %2.")
                          .arg(qt(file), qt(moved.front().in_trash.parent_path())))};
  }
  return moved;
}

Result<> out_of_trash(const std::vector<TrashedFile>& files) {
  std::error_code failed;
  for (const auto& file : files)
    if (!fs::exists(file.in_trash, failed))
      return Error{
          ErrorCode::CannotRead,
          utf8(Trash::tr("%1 is not in the trash any more, so it cannot be brought back.").arg(qt(file.from)))};
  for (std::size_t done = 0; done < files.size(); ++done) {
    fs::create_directories(files[done].from.parent_path(), failed);
    const auto moved = rename_to_new(files[done].in_trash, files[done].from);
    if (moved) continue;
    while (done-- > 0) static_cast<void>(rename_to_new(files[done].from, files[done].in_trash));
    return moved;
  }
  for (const auto& file : files) {
    forget_description(file.in_trash);
    sync_folder(file.from.parent_path());
  }
  return {};
}

}  // namespace rubato::ui
