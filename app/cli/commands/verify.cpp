// verify: renders a file's recorded job again and compares the frames.
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>
#include <vector>

#include "app/cli/command.h"
#include "app/cli/media_file.h"
#include "app/cli/places.h"
#include "app/cli/preflight.h"
#include "app/cli/render.h"
#include "engine/base/version.h"
#include "pipelines/job/media_client.h"

namespace rubato::cli {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr std::int64_t kFramesAtATime = 16;  // bounds the memory of a comparison

std::vector<Option> options() {
  return {models_dir_option(),
          {.name = "model",
           .letter = 'm',
           .value = "MODEL",
           .help = "Where the model lies now, if it moved",
           .offer = Offer::Models},
          {.name = "device",
           .value = "DEVICE",
           .help = "Render on this device instead of the recorded one: cpu, cuda, cuda:N"},
          progress_option()};
}

// A private folder that goes with everything in it.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> make() {
    auto name = (fs::temp_directory_path() / "rubato-verify-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      return Error{ErrorCode::CannotWrite,
                   fmt::format("cannot make a folder in {}; set TMPDIR to one that can be written",
                               fs::temp_directory_path().string())};
    return TemporaryFolder(name);
  }
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  explicit TemporaryFolder(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

// Mean squared error, summed up piece by piece; values are scaled to 0..1.
class Difference {
 public:
  template <typename T>
  void add(std::span<const T> a, std::span<const T> b, double scale) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double d = (static_cast<double>(a[i]) - static_cast<double>(b[i])) * scale;
      sum_ += d * d;
    }
    count_ += a.size();
  }
  double psnr_db() const {
    if (count_ == 0 || sum_ == 0) return std::numeric_limits<double>::infinity();
    return -10 * std::log10(sum_ / static_cast<double>(count_));
  }

 private:
  double sum_ = 0;
  std::size_t count_ = 0;
};

Error shapes_differ(const fs::path& file) {
  return {ErrorCode::VerifyMismatch,
          fmt::format("{} does not have the size or length that its metadata says: it was changed after it was made",
                      file.string())};
}

// Both clips as they play, so that what the codec loses is lost on both sides.
Result<double> psnr_of_clips(const fs::path& a, const fs::path& b) {
  const MediaClient media;
  Difference difference;
  for (std::int64_t start = 0;; start += kFramesAtATime) {
    RUBATO_TRY(left, media.frames(a, start, kFramesAtATime));
    RUBATO_TRY(right, media.frames(b, start, kFramesAtATime));
    if (left.count != right.count || left.width != right.width || left.height != right.height) return shapes_differ(a);
    difference.add(left.pixels, right.pixels, 1.0 / 255);
    if (left.count < kFramesAtATime) return difference.psnr_db();
  }
}

Result<double> psnr_of_tensors(const fs::path& a, const fs::path& b) {
  RUBATO_TRY(left, SafetensorsFile::open(a));
  RUBATO_TRY(right, SafetensorsFile::open(b));
  const auto *x = left.find("frames"), *y = right.find("frames");
  if (x == nullptr || y == nullptr || x->shape != y->shape || x->dtype != DType::F32 || y->dtype != DType::F32)
    return shapes_differ(a);
  // Copied, since the format does not promise alignment.
  std::vector<float> p(x->bytes() / sizeof(float)), q(p.size());
  std::memcpy(p.data(), left.bytes(*x).data(), x->bytes());
  std::memcpy(q.data(), right.bytes(*y).data(), y->bytes());
  Difference difference;
  difference.add(std::span<const float>(p), std::span<const float>(q), 1.0);
  return difference.psnr_db();
}

std::string text_of(const json& object, const char* part, const char* key) {
  if (!object.contains(part) || !object[part].is_object() || !object[part].contains(key)) return {};
  const auto& value = object[part][key];
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// What is not as it was, in words: "made by version 0.1.0, this is 0.2.0".
std::vector<std::string> changes(const json& then, const json& now) {
  std::vector<std::string> list;
  const auto compare = [&](const char* part, const char* key, std::string_view words) {
    const auto before = text_of(then, part, key), after = text_of(now, part, key);
    if (!before.empty() && before != after) list.push_back(fmt::format(fmt::runtime(words), before, after));
  };
  compare("rubato", "version", "made by version {}, this is {}");
  if (list.empty()) compare("rubato", "revision", "made by revision {}, this is {}");
  compare("device", "model", "made on {}, now on {}");
  compare("device", "name", "made on device {}, now on {}");
  compare("device", "threads", "made with {} threads, now with {}");
  compare("libraries", "libtorch", "made with libtorch {}, now {}");
  compare("model", "content_hash", "the model's files have changed ({:.12} then, {:.12} now)");
  return list;
}

Result<> run(const Context& context) {
  const fs::path file = context.args.positionals()[0];
  RUBATO_TRY(facts, look_at(file));
  if (facts.metadata.is_null())
    return Error{ErrorCode::CannotRead, facts.no_metadata + "; without it there is nothing to compare with"};
  RUBATO_TRY(job, recorded_job(facts.metadata, file.string()));
  if (!facts.metadata.contains("frames_sha256") || !facts.metadata["frames_sha256"].is_string())
    return Error{ErrorCode::CannotRead,
                 fmt::format("the metadata of {} holds no hash of its frames, so there is nothing to compare with",
                             file.string())};
  const auto recorded = facts.metadata["frames_sha256"].get<std::string>();

  RUBATO_TRY(folder, TemporaryFolder::make());
  Renderer renderer(context.out, progress_mode(context.args));
  RUBATO_OK(renderer.start());
  RUBATO_TRY(where, model_folders(context.folders, context.args));
  const auto name = text_of(facts.metadata, "model", "name");
  if (const auto moved = context.args.value("model"))
    job.model = *moved;
  else if (std::error_code failed; !fs::exists(job.model, failed) && !name.empty())
    job.model = name;
  if (const auto device = context.args.value("device")) job.device = *device;
  job.out = (folder.path() / (facts.tensors ? "again.safetensors" : "again" + file.extension().string())).string();
  job.latents_out.clear();
  job.trace.clear();
  job.keep_latents = false;
  RUBATO_TRY(ready, resolve(std::move(job), where));
  RUBATO_TRY(result, renderer.run(video_job_to_json(ready.job)));

  const auto& report = result.done.report;
  const bool identical = report.contains("frames_sha256") && report["frames_sha256"] == recorded;
  const auto changed = changes(facts.metadata, report);
  double psnr = std::numeric_limits<double>::infinity();
  if (!identical) {
    RUBATO_TRY(measured, facts.tensors ? psnr_of_tensors(file, ready.job.out) : psnr_of_clips(file, ready.job.out));
    psnr = measured;
  }
  if (context.args.has("json")) {
    context.out.json({{"file", file.string()},
                      {"identical", identical},
                      {"psnr_db", std::isfinite(psnr) ? json(psnr) : json(nullptr)},
                      {"changes", changed},
                      {"recorded_frames_sha256", recorded},
                      {"frames_sha256", report.value("frames_sha256", "")},
                      {"seconds", result.seconds}});
  }
  const auto circumstances =
      changed.empty() ? std::string("same device, same version") : fmt::format("{}", fmt::join(changed, "; "));
  if (identical) {
    if (!context.args.has("json"))
      context.out.result(printable(fmt::format("{}: bit-identical ({})", file.string(), circumstances)));
    return {};
  }
  const auto measured =
      std::isfinite(psnr) ? fmt::format("PSNR {:.2f} dB", psnr) : std::string("no difference left after encoding");
  return Error{ErrorCode::VerifyMismatch,
               fmt::format("{}: not bit-identical, {} ({})", file.string(), measured, circumstances)};
}

}  // namespace

const Command kVerify{
    .path = "verify",
    .summary = "Render a file's job again and compare the frames",
    .text =
        "Compares the frames before encoding by their hash: 'bit-identical', or the PSNR and exit code 11. "
        "The same frames are promised for the same version on the same device; what differs is said.",
    .options = options,
    .positionals = {{.name = "FILE", .help = "A clip that Rubato made", .offer = Offer::Files}},
    .prints_json = true,
    .examples = {{"rubato-cli verify clip.mp4", "Is this what its settings give?"}},
    .run = run,
};

}  // namespace rubato::cli
