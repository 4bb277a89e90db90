// PNG: one picture, or numbered frames that appear all together.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "engine/base/drafts.h"
#include "engine/base/ids.h"
#include "engine/base/log.h"
#include "pipelines/media/container_writer.h"
#include "pipelines/media/png_encode.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

class PngOutput final : public ContainerWriter {
 public:
  PngOutput(fs::path target, const VideoFormat& format, AtomicFile file)
      : target_(std::move(target)), format_(format), file_(std::move(file)) {}

  Result<> add(std::int64_t index, std::span<const std::uint8_t> rgb24) override {
    if (index > 0)
      return Error{ErrorCode::JobInvalid,
                   fmt::format("{} holds one frame; name many as {}_####.png or give a folder such as {}/",
                               target_.string(), target_.stem().string(), target_.stem().string())};
    RUBATO_TRY(png, encode_png(rgb24, format_.width, format_.height));
    png_ = std::move(png);
    return {};
  }

  Result<std::vector<fs::path>> finish(const Metadata& metadata) override {
    RUBATO_OK(file_.write(with_text(std::move(png_), metadata)));
    RUBATO_OK(file_.commit());
    return std::vector<fs::path>{target_};
  }

 private:
  fs::path target_;
  VideoFormat format_;
  AtomicFile file_;
  std::string png_;  // waits for its metadata
};

// Frames gather in a hidden folder. A whole folder then appears by one rename; frames that join a folder of
// others are linked in one by one, and taken back if one of them cannot be.
class PngFramesOutput final : public ContainerWriter {
 public:
  PngFramesOutput(FrameTemplate frames, const VideoFormat& format, Overwrite overwrite, fs::path draft, int held)
      : frames_(std::move(frames)), format_(format), overwrite_(overwrite), draft_(std::move(draft)), held_(held) {}
  ~PngFramesOutput() override {
    std::error_code ignored;
    if (!draft_.empty()) fs::remove_all(draft_, ignored);
    ::close(held_);
  }

  Result<> add(std::int64_t index, std::span<const std::uint8_t> rgb24) override {
    count_ = index + 1;
    RUBATO_TRY(png, encode_png(rgb24, format_.width, format_.height));
    if (index == 0) {  // waits for the metadata that it carries for all
      first_ = std::move(png);
      return {};
    }
    return write_file_atomically(draft_ / frames_.name(index), png, Overwrite::Never);
  }

  Result<std::vector<fs::path>> finish(const Metadata& metadata) override {
    RUBATO_OK(
        write_file_atomically(draft_ / frames_.name(0), with_text(std::move(first_), metadata), Overwrite::Never));
    RUBATO_OK(frames_.whole_folder ? publish_folder() : publish_files());
    std::vector<fs::path> paths;
    for (std::int64_t i = 0; i < count_; ++i) paths.push_back(frames_.folder / frames_.name(i));
    return paths;
  }

  fs::path temporary_path() const override { return draft_; }

 private:
  Result<> publish_folder() {
    RUBATO_OK(check_frames_writable(frames_, overwrite_));        // once more: hours may have passed
    if (::rename(draft_.c_str(), frames_.folder.c_str()) == 0) {  // a new name, or an empty folder
      draft_.clear();
      return {};
    }
    if (errno != ENOTEMPTY && errno != EEXIST) return write_error(frames_.folder, errno);
    // Older frames: they and the new ones change places, then the old ones go with the hidden folder.
    if (::renameat2(AT_FDCWD, draft_.c_str(), AT_FDCWD, frames_.folder.c_str(), RENAME_EXCHANGE) != 0)
      return write_error(frames_.folder, errno);
    return {};
  }

  Result<> publish_files() {
    std::vector<fs::path> placed;
    const auto take_back = [&](Error error) {
      for (const auto& path : placed) ::unlink(path.c_str());
      return error;
    };
    for (std::int64_t i = 0; i < count_; ++i) {
      const fs::path from = draft_ / frames_.name(i), to = frames_.folder / frames_.name(i);
      if (overwrite_ == Overwrite::Always) {
        if (::rename(from.c_str(), to.c_str()) != 0) return write_error(to, errno);
      } else if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0) {
        if (errno == EEXIST)
          return take_back(
              {ErrorCode::OutputExists, fmt::format("{} appeared while rendering; choose another name", to.string())});
        return take_back(write_error(to, errno));
      } else {
        placed.push_back(to);
      }
    }
    warn_of_older_frames();
    return {};
  }

  // A longer sequence was there before: its tail would be played together with the new frames.
  void warn_of_older_frames() const {
    std::error_code failed;
    for (fs::directory_iterator entry(frames_.folder, failed), end; !failed && entry != end; entry.increment(failed)) {
      if (frames_.index_of(entry->path().filename().string()) < count_) continue;
      log(LogLevel::Warn, "older_frames_left", {{"file", entry->path().string()}});
      return;
    }
  }

  FrameTemplate frames_;
  VideoFormat format_;
  Overwrite overwrite_;
  fs::path draft_;
  int held_;  // says that the draft is being written
  std::string first_;
  std::int64_t count_ = 0;
};

}  // namespace

OutputResult open_png_output(const fs::path& output, const VideoFormat& format, Overwrite overwrite) {
  RUBATO_TRY(file, AtomicFile::create(output, overwrite));
  return OutputResult(std::make_unique<PngOutput>(output, format, std::move(file)));
}

OutputResult open_png_frames_output(const fs::path& output, const VideoFormat& format, Overwrite overwrite) {
  RUBATO_TRY(frames, frame_template(output));
  RUBATO_OK(check_frames_writable(frames, overwrite));
  const fs::path parent = !frames.whole_folder              ? frames.folder
                          : frames.folder.has_parent_path() ? frames.folder.parent_path()
                                                            : fs::path(".");
  const std::string label = frames.whole_folder ? frames.folder.filename().string() : "frames";
  const fs::path draft = parent / fmt::format(".{}.{}.tmp", label, new_ulid());
  if (::mkdir(draft.c_str(), 0777) != 0) return write_error(output, errno);
  const int held = ::open(draft.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (held < 0) return write_error(output, errno);
  static_cast<void>(hold_draft(held, draft));
  return OutputResult(std::make_unique<PngFramesOutput>(std::move(frames), format, overwrite, draft, held));
}

}  // namespace rubato
