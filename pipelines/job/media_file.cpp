#include "pipelines/job/media_file.h"

#include <fmt/format.h>

#include "engine/base/files.h"
#include "engine/base/json.h"
#include "engine/files/content_hash.h"
#include "engine/files/weight_kind.h"
#include "pipelines/job/media_client.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

Result<FileFacts> look_at_tensors(const fs::path& file) {
  FileFacts facts;
  facts.clip = file;
  RUBATO_TRY(header, read_safetensors_header(file));
  if (const auto text = header.metadata.find("rubato"); text != header.metadata.end()) {
    RUBATO_TRY(metadata, parse_json(text->second, file.string()));
    facts.metadata = std::move(metadata);
    facts.source = "header";
  } else {
    facts.no_metadata = fmt::format(
        "{} carries no Rubato metadata: it was written by another program, or holds weights", file.string());
  }
  facts.tensors = std::move(header);
  return facts;
}

// "clip.mp4.json", what is known of clip.mp4.
Result<FileFacts> look_at_sidecar(const fs::path& file) {
  FileFacts facts;
  std::error_code failed;
  auto clip = file;
  clip.replace_extension();
  facts.clip = fs::exists(clip, failed) ? clip : file;
  facts.source = "sidecar";
  RUBATO_TRY(text, read_file(file, JsonLimits{}.max_bytes));
  RUBATO_TRY(metadata, parse_json(text, file.string()));
  if (metadata.is_object() && metadata.contains("rubato") && metadata.contains("job"))
    facts.metadata = std::move(metadata);
  else
    facts.no_metadata = fmt::format("{} carries no Rubato metadata", file.string());
  return facts;
}

// "shot_####.png" and "shot_%04d.png" name many files.
bool may_be_pattern(const fs::path& file) { return file.filename().string().find_first_of("#%") != std::string::npos; }

// A picture, a clip, or a clip that is many pictures.
Result<FileFacts> look_at_media(const fs::path& file) {
  FileFacts facts;
  facts.clip = file;
  const MediaClient media;
  const auto found = media.metadata(file);
  if (!found && found.error().code == ErrorCode::Corrupt) return found.error();
  if (found && found->contains("sequence") && (*found)["sequence"].is_string())
    facts.clip = (*found)["sequence"].get<std::string>();
  RUBATO_TRY(probe, media.probe(facts.clip));
  facts.media = std::move(probe);
  if (found && found->contains("metadata") && (*found)["metadata"].is_object()) {
    facts.metadata = (*found)["metadata"];
    facts.source = found->value("source", "container");
  } else {
    facts.no_metadata = found ? fmt::format("{} carries no Rubato metadata", file.string()) : found.error().message;
  }
  return facts;
}

// Whether a folder holds the model of this hash, as far as that is known without reading gigabytes.
std::optional<bool> is_model(const fs::path& folder, const std::string& hash, const ModelFolders& where) {
  const auto pipeline = PipelineFolder::open(folder);
  const auto known = pipeline && !hash.empty() ? known_content_hash(*pipeline, where.cache) : std::nullopt;
  return known ? std::optional(*known == hash) : std::nullopt;
}

// What is recorded is a name; files of older versions hold a folder, of the machine that rendered. A name is believed
// unless the model of that name is known to be another one; then, and where the name is not known, the hash tells.
void localise_model(VideoJob& job, const nlohmann::json& metadata, const ModelFolders& where) {
  const auto model = metadata.find("model");
  if (model == metadata.end() || !model->is_object()) return;
  const auto name = text_member(*model, "name"), hash = text_member(*model, "content_hash");
  const bool practice = model->value("practice", nlohmann::json(false)) == nlohmann::json(true);
  std::error_code failed;
  if (!practice && fs::path(job.model).is_absolute() && fs::exists(job.model, failed)) return;
  std::string named;  // known here by its name
  for (const auto& candidate : {name, job.model}) {
    const auto folder = candidate.empty() ? Result<fs::path>(Error{}) : resolve_model(candidate, where);
    if (!folder) continue;
    if (is_model(*folder, hash, where).value_or(true)) {
      job.model = candidate;
      return;
    }
    if (named.empty()) named = candidate;
  }
  if (!hash.empty())
    for (const auto& known : scan_models(where.folders, where.cache).models)
      if (known.complete() && is_model(known.root, hash, where) == true) {
        job.model = known.name;
        return;
      }
  if (!named.empty()) job.model = named;
}

}  // namespace

Result<FileFacts> look_at(const fs::path& file) {
  std::error_code failed;
  if (fs::is_directory(file, failed)) {
    if (fs::exists(file / "model_index.json", failed))
      return Error{ErrorCode::CannotRead,
                   fmt::format("{0} is a model; 'rubato-cli models info {0}' looks at it", file.string())};
    return look_at_media(file);
  }
  if (!fs::exists(file, failed)) {
    if (may_be_pattern(file)) return look_at_media(file);
    return Error{ErrorCode::CannotRead, fmt::format("there is no file {}", file.string())};
  }
  if (!fs::is_regular_file(file, failed))
    return Error{ErrorCode::CannotRead, fmt::format("{} is a pipe or device; give a file", file.string())};
  if (file.extension() == ".json") return look_at_sidecar(file);
  RUBATO_TRY(kind, sniff_weight_file(file));
  if (kind == WeightKind::Empty) return Error{ErrorCode::Corrupt, refuse_weights(kind, file).message};
  if (kind == WeightKind::Safetensors) return look_at_tensors(file);
  if (kind == WeightKind::Pickle || kind == WeightKind::Zip || kind == WeightKind::Gguf ||
      kind == WeightKind::LfsPointer)
    return refuse_weights(kind, file);
  return look_at_media(file);
}

Result<VideoJob> recorded_job(const nlohmann::json& metadata, const std::string& source, const ModelFolders& where) {
  if (!metadata.is_object() || !metadata.contains("job"))
    return Error{ErrorCode::Corrupt, fmt::format("the metadata of {} holds no job", source)};
  RUBATO_TRY(job, video_job_from_json(metadata["job"], fmt::format("the job in {}", source)));
  job.id.clear();
  job.overwrite = "never";
  localise_model(job, metadata, where);
  return job;
}

}  // namespace rubato
