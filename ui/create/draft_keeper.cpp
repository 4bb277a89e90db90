#include "ui/create/draft_keeper.h"

#include <fmt/format.h>

#include <QDateTime>
#include <nlohmann/json.hpp>

#include "engine/base/files.h"
#include "engine/base/json.h"
#include "ui/create/video_draft.h"

namespace rubato::ui {
namespace {

constexpr std::uint64_t kMaxCopy = 1u << 20;

std::filesystem::path copy_name(const std::filesystem::path& folder, int number) {
  return folder / fmt::format("draft-{}.json", number);
}

std::optional<DraftKeeper::Kept> read_copy(const std::filesystem::path& file) {
  const auto text = read_file(file, kMaxCopy);
  if (!text) return std::nullopt;
  const auto json = parse_json(*text, file.string(), {.max_bytes = kMaxCopy, .max_depth = 8});
  if (!json || !json->is_object() || !json->contains("job") || !json->contains("saved") ||
      !(*json)["saved"].is_number())
    return std::nullopt;
  auto job = video_job_from_json((*json)["job"], file.string());
  if (!job) return std::nullopt;
  return DraftKeeper::Kept{std::move(*job), (*json)["saved"].get<double>()};
}

}  // namespace

DraftKeeper::DraftKeeper(VideoDraft& draft, std::filesystem::path folder, QObject* parent)
    : QObject(parent), draft_(draft), folder_(std::move(folder)) {
  // Goes on behind the newest copy, so that the oldest is the one that goes.
  for (int i = 1; i <= kCopies; ++i)
    if (const auto kept = read_copy(copy_name(folder_, i)); kept && kept->saved > last_) {
      last_ = kept->saved;
      next_ = i % kCopies + 1;
    }
  soon_.setSingleShot(true);
  soon_.setInterval(2'000);
  connect(&soon_, &QTimer::timeout, this, [this] { (void)save(); });  // the next change tries again
  connect(&draft, &VideoDraft::changed, this, [this] {
    dirty_ = true;
    if (!soon_.isActive()) soon_.start();
  });
}

DraftKeeper::~DraftKeeper() { (void)save(); }

std::optional<DraftKeeper::Kept> DraftKeeper::newest(const std::filesystem::path& folder) {
  std::optional<Kept> best;
  for (int i = 1; i <= kCopies; ++i)
    if (auto kept = read_copy(copy_name(folder, i)); kept && (!best || kept->saved > best->saved))
      best = std::move(kept);
  return best;
}

Result<> DraftKeeper::save() {
  if (!dirty_) return {};
  std::error_code failed;
  std::filesystem::create_directories(folder_, failed);
  // Later than every copy that is there, also where the clock was set back or two saves fall into one millisecond.
  last_ = std::max(static_cast<double>(QDateTime::currentMSecsSinceEpoch()) / 1000.0, last_ + 0.001);
  const nlohmann::json json{{"version", 1}, {"saved", last_}, {"job", video_job_to_json(draft_.job())}};
  RUBATO_OK(write_file_atomically(copy_name(folder_, next_), json.dump(2) + "\n", Overwrite::Always));
  dirty_ = false;
  next_ = next_ % kCopies + 1;
  return {};
}

}  // namespace rubato::ui
