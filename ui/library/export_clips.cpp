#include "ui/library/export_clips.h"

#include <QCoreApplication>
#include <fstream>

#include "engine/base/files.h"
#include "ui/library/trash.h"
#include "ui/widgets/text.h"

namespace rubato::ui {
namespace fs = std::filesystem;
namespace {

struct ExportClips {
  Q_DECLARE_TR_FUNCTIONS(ExportClips)
};

constexpr std::uint64_t kSpare = 64u << 20;  // bytes of the disk that are left to others

Result<> copy_whole(const fs::path& from, const fs::path& to) {
  std::ifstream in(from, std::ios::binary);
  if (!in) return Error{ErrorCode::CannotRead, utf8(ExportClips::tr("%1 cannot be read.").arg(qt(from)))};
  RUBATO_TRY(out, AtomicFile::create(to, Overwrite::Never));
  std::vector<char> block(1u << 20);
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0)
    RUBATO_OK(out.write(std::string_view(block.data(), static_cast<std::size_t>(in.gcount()))));
  if (in.bad()) return Error{ErrorCode::CannotRead, utf8(ExportClips::tr("%1 cannot be read.").arg(qt(from)))};
  return out.commit();
}

fs::path sidecar_of(const fs::path& clip) { return clip.string() + ".json"; }

// A name that neither a clip nor what stands beside it has there.
fs::path free_place(const fs::path& folder, const fs::path& clip) {
  std::error_code failed;
  const auto taken = [&](const fs::path& file) {
    return fs::exists(file, failed) || fs::exists(sidecar_of(file), failed);
  };
  auto place = folder / clip.filename();
  for (int n = 2; taken(place); ++n)
    place = folder / (clip.stem().string() + " (" + std::to_string(n) + ")" + clip.extension().string());
  return place;
}

}  // namespace

Result<std::vector<fs::path>> export_clips(const std::vector<fs::path>& clips, const fs::path& folder) {
  std::error_code failed;
  std::uint64_t bytes = 0;
  for (const auto& clip : clips) {
    if (!fs::is_regular_file(clip, failed))
      return Error{ErrorCode::CannotRead,
                   utf8(ExportClips::tr("%1 is not there any more; nothing was copied.").arg(qt(clip)))};
    for (const auto& file : files_of_clip(clip)) bytes += fs::file_size(file, failed);
  }
  if (const auto free = free_bytes(folder); free < bytes + kSpare)
    return Error{ErrorCode::CannotWrite, utf8(ExportClips::tr("The copies take %1, but only %2 are free in %3.")
                                                  .arg(bytes_text(bytes), bytes_text(free), qt(folder)))};
  std::vector<fs::path> copies;
  for (const auto& clip : clips) {
    const auto place = free_place(folder, clip);
    const auto beside = sidecar_of(clip);
    const bool has_sidecar = fs::exists(beside, failed);
    // The clip comes last: where it stands, everything does.
    if (has_sidecar) RUBATO_OK(copy_whole(beside, sidecar_of(place)));
    if (const auto copied = copy_whole(clip, place); !copied) {
      if (has_sidecar) fs::remove(sidecar_of(place), failed);
      return copied.error();
    }
    copies.push_back(place);
  }
  return copies;
}

}  // namespace rubato::ui
