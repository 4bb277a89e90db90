#include "pipelines/job/queue/queue_work.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "engine/base/files.h"
#include "engine/base/json.h"
#include "pipelines/job/run/output_names.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

// The parts of the work folder, by output.
constexpr std::array kParts{std::pair{"out", &VideoJob::out}, std::pair{"latents", &VideoJob::latents_out},
                            std::pair{"trace", &VideoJob::trace}};

bool is_folder(const fs::path& output) { return !output.has_filename(); }
// "a/frames/" and "a/clip.mp4" lie in "a".
fs::path outer_folder(const fs::path& output) {
  return is_folder(output) ? output.parent_path().parent_path() : output.parent_path();
}
// "frames/" and "clip.mp4".
std::string last_part(const fs::path& output) {
  return is_folder(output) ? output.parent_path().filename().string() + "/" : output.filename().string();
}

// The deepest folder that both are in.
fs::path common_folder(const fs::path& a, const fs::path& b) {
  fs::path common;
  for (auto i = a.begin(), k = b.begin(); i != a.end() && k != b.end() && *i == *k; ++i, ++k) common /= *i;
  return common;
}

fs::path root_of(const VideoJob& job) {
  std::optional<fs::path> root;
  for (const auto& [part, output] : kParts) {
    if ((job.*output).empty()) continue;
    const auto folder = outer_folder(fs::path(job.*output).lexically_normal());
    root = root ? common_folder(*root, folder) : folder;
  }
  return root.value_or(fs::path());
}

Replace replace_of(const VideoJob& job) { return overwrite_of(job) == Overwrite::Always ? Replace::Any : Replace::Own; }

}  // namespace

QueueWork::QueueWork(VideoJob job, std::string id) : job_(std::move(job)), id_(std::move(id)), root_(root_of(job_)) {}

VideoJob QueueWork::for_worker(const std::string& device) const {
  auto given = job_;
  const auto work = publication().work_folder();
  for (const auto& [part, output] : kParts)
    if (!(job_.*output).empty()) given.*output = (work / part).string() + "/" + last_part(job_.*output);
  given.overwrite = "always";  // in the work folder; the final name is publication's matter
  if (given.device == "auto") given.device = device;
  return given;
}

Result<> QueueWork::make_folders() const {
  for (const auto& [part, output] : kParts) {
    const auto folder = publication().work_folder() / part;
    std::error_code failed;
    // Again when another job, done with the same folder, has just removed what was empty.
    for (int tries = 0; tries < 10 && (tries == 0 || failed); ++tries) fs::create_directories(folder, failed);
    if (failed) return write_error(folder, failed.value());
  }
  return {};
}

std::string QueueWork::in_the_way() const {
  const auto files = publication();
  StandingFiles standing("");
  for (const auto& name : output_names(job_)) {
    auto other = standing.in_the_way(name, [&](const std::string& file) {
      return files.may_replace(fs::path(file).lexically_relative(root_).string(), replace_of(job_));
    });
    if (!other.empty()) return other;
  }
  return {};
}

Result<std::vector<JobOutput>> QueueWork::earlier_result() const {
  const auto files = publication();
  if (const auto record = files.done(); record && files.difference(*record).empty()) {
    std::vector<JobOutput> outputs;
    for (const auto& file : record->files)
      outputs.push_back({(root_ / file.path).string(), file.sha256, file.kind, file.bytes});
    return outputs;
  }
  if (files.decided()) return move_into_place();
  return std::vector<JobOutput>{};
}

Result<std::vector<JobOutput>> QueueWork::publish(const protocol::Done& done) const {
  RUBATO_OK(publication().decide(record_of(done)));
  return move_into_place();
}

Result<std::vector<JobOutput>> QueueWork::move_into_place() const {
  auto published = publication().publish(replace_of(job_));
  if (!published && published.error().code == ErrorCode::OutputExists) {
    // What a command line would answer to that is not what helps here.
    const auto what = published.error().message.substr(0, published.error().message.find(". --"));
    return Error{ErrorCode::OutputExists, what + "; move that other file away, then retry this job"};
  }
  RUBATO_TRY(record, std::move(published));
  std::vector<JobOutput> outputs;
  for (const auto& file : record.files)
    outputs.push_back({(root_ / file.path).string(), file.sha256, file.kind, file.bytes});
  return outputs;
}

DoneRecord QueueWork::record_of(const protocol::Done& done) const {
  const auto work = publication().work_folder();
  DoneRecord record;
  record.job = id_;
  const auto add = [&](const fs::path& file, const std::string& kind) {
    const auto in_work = file.lexically_relative(work);
    const auto part = in_work.begin()->string();
    const auto named = std::find_if(kParts.begin(), kParts.end(), [&](const auto& p) { return part == p.first; });
    const auto& output = job_.*(named == kParts.end() ? &VideoJob::out : named->second);
    const auto target = outer_folder(fs::path(output).lexically_normal()) / in_work.lexically_relative(part);
    record.files.push_back({target.lexically_relative(root_).string(), in_work.string(), kind, "", 0, 0});
  };
  for (const auto& output : done.outputs) add(output.path, output.kind);
  std::error_code ignored;
  if (job_.keep_latents)
    for (const auto& entry : fs::recursive_directory_iterator(work / "out", ignored))
      if (entry.is_regular_file() && entry.path().parent_path().extension() == ".rubato-partial" &&
          !entry.path().filename().string().starts_with('.'))  // a save that a killed worker began
        add(entry.path(), "latents");
  record.frames_sha256 = text_member(done.report, "frames_sha256");
  return record;
}

void QueueWork::clear() const {
  if (root_.empty()) return;
  publication().clear_work();
  std::error_code ignored;
  fs::remove(root_ / ".rubato" / (id_ + ".done"), ignored);
  // These stay where others have their work.
  fs::remove(root_ / ".rubato" / "work", ignored);
  fs::remove(root_ / ".rubato", ignored);
}

}  // namespace rubato
