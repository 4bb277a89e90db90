// verify: renders a file's recorded job again and compares the frames.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/command.h"
#include "app/cli/places.h"
#include "app/cli/render.h"
#include "pipelines/job/media_file.h"
#include "pipelines/job/preflight.h"

namespace rubato::cli {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr double kWorstCodec = 15;  // dB; even 256 colours for a whole clip stay above it

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

// The recorded job, made to compare instead of to write.
Result<VideoJob> comparing_job(const Context& context, const fs::path& file, const json& metadata,
                               const ModelFolders& where) {
  RUBATO_TRY(job, recorded_job(metadata, file.string(), where));
  if (const auto moved = context.args.value("model")) job.model = *moved;
  if (const auto device = context.args.value("device")) job.device = *device;
  job.verify_against = file.string();
  for (auto* output : {&job.out, &job.latents_out, &job.trace}) output->clear();
  job.keep_latents = false;
  return job;
}

struct Verdict {
  bool identical = false;      // the frames before encoding, then and now
  bool lossless = false;       // the file can be held to the same frames
  std::optional<double> psnr;  // of what the file plays against the frames made now; nothing when they are equal
  bool altered = false;        // the file plays something else than it was written from
  std::vector<std::string> changes;
};

Verdict judge(const json& metadata, const json& report) {
  Verdict v;
  const auto& recorded = metadata["frames_sha256"];
  v.identical = report.contains("frames_sha256") && report["frames_sha256"] == recorded;
  v.changes = changes(metadata, report);
  const auto verify = report.find("verify");
  if (verify == report.end() || !verify->is_object()) return v;
  if (verify->contains("psnr_db") && (*verify)["psnr_db"].is_number()) v.psnr = (*verify)["psnr_db"].get<double>();
  v.lossless = verify->value("lossless", json(false)) == json(true);
  v.altered = v.lossless ? verify->value("file_frames_sha256", json()) != recorded
                         : v.identical && v.psnr && *v.psnr < kWorstCodec;
  return v;
}

json to_json(const fs::path& file, const Verdict& v, const json& metadata, const RenderResult& result) {
  return {{"file", file.string()},
          {"identical", v.identical && !v.altered},
          {"lossless", v.lossless},
          {"altered", v.altered},
          {"psnr_db", v.psnr ? json(*v.psnr) : json(nullptr)},
          {"changes", v.changes},
          {"recorded_frames_sha256", metadata["frames_sha256"]},
          {"frames_sha256", result.done.report.value("frames_sha256", "")},
          {"seconds", result.seconds}};
}

// The sentence, or VerifyMismatch with it.
Result<std::string> sentence(const fs::path& file, const Verdict& v) {
  const auto distance = v.psnr ? fmt::format("PSNR {:.2f} dB", *v.psnr) : std::string("no visible difference");
  const auto circumstances =
      v.changes.empty() ? std::string("same device, same version") : fmt::format("{}", fmt::join(v.changes, "; "));
  if (v.identical && v.altered)
    return Error{
        ErrorCode::VerifyMismatch,
        fmt::format(
            "{}: its job gives the recorded frames, but the file holds others ({}): it was changed after it was made",
            file.string(), distance)};
  if (!v.identical)
    return Error{
        ErrorCode::VerifyMismatch,
        fmt::format("{}: not bit-identical, {} ({}){}", file.string(), distance, circumstances,
                    v.altered ? "; and the file does not hold the frames that were recorded when it was made" : "")};
  if (v.lossless) return fmt::format("{}: bit-identical, the file's own frames too ({})", file.string(), circumstances);
  return fmt::format("{}: bit-identical before encoding ({}); the file plays {}", file.string(), circumstances,
                     v.psnr ? fmt::format("these frames at {}", distance) : std::string("exactly these frames"));
}

Result<json> verify(const Context& context, const fs::path& named, ProgressMode mode) {
  RUBATO_TRY(facts, look_at(named));
  const auto& file = facts.clip;
  if (facts.metadata.is_null())
    return Error{ErrorCode::CannotRead, facts.no_metadata + "; without it there is nothing to compare with"};
  if (!facts.metadata.contains("frames_sha256") || !facts.metadata["frames_sha256"].is_string())
    return Error{ErrorCode::CannotRead,
                 fmt::format("the metadata of {} holds no hash of its frames, so there is nothing to compare with",
                             file.string())};
  RUBATO_TRY(where, model_folders(context.folders, context.args));
  RUBATO_TRY(job, comparing_job(context, file, facts.metadata, where));

  Renderer renderer(context.out, mode);
  RUBATO_OK(renderer.start());
  RUBATO_TRY(ready, resolve(std::move(job), where));
  RUBATO_TRY(result, renderer.run(video_job_to_json(ready.job)));

  const auto verdict = judge(facts.metadata, result.done.report);
  const auto report = to_json(file, verdict, facts.metadata, result);
  if (mode != ProgressMode::Json && context.args.has("json")) context.out.json(report);
  RUBATO_TRY(text, sentence(file, verdict));
  if (mode != ProgressMode::Json && !context.args.has("json")) context.out.result(printable(text));
  return json{{"verify", report}};
}

Result<> run(const Context& context) {
  const auto mode = progress_mode(context.args);
  return with_events(context.out, mode, [&] { return verify(context, context.args.positionals()[0], mode); });
}

}  // namespace

const Command kVerify{
    .path = "verify",
    .summary = "Render a file's job again and compare the frames",
    .text =
        "Nothing is written. The frames before encoding are compared by their hash: 'bit-identical', or the PSNR of "
        "what the file plays and exit code 11. The frames in a PNG or safetensors file must have that hash too; how "
        "far compression moved those of other files is said as their PSNR. "
        "The same frames are promised for the same version on the same device; what differs is said.",
    .options = options,
    .positionals = {{.name = "FILE",
                     .help = "A clip that Rubato made; frames by their folder, their pattern (shot_####.png), or any "
                             "one of them",
                     .offer = Offer::Files}},
    .prints_json = true,
    .examples = {{"rubato-cli verify clip.mp4", "Is this what its settings give?"}},
    .run = run,
};

}  // namespace rubato::cli
