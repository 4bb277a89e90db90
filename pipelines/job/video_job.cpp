#include "pipelines/job/video_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/base/check.h"
#include "engine/base/ids.h"
#include "engine/base/text.h"
#include "pipelines/job/field_value.h"
#include "pipelines/job/job_file_name.h"
#include "pipelines/job/schema.h"
#include "pipelines/job/yaml.h"

namespace rubato {
namespace {

using nlohmann::json;

bool looks_like_json(const std::filesystem::path& file, std::string_view text) {
  const auto extension = file.extension();
  if (extension == ".json") return true;
  if (extension == ".yaml" || extension == ".yml") return false;
  return trim(text).starts_with('{');
}

// The multiple of `unit` nearest to value, at least one unit.
int nearest_multiple(int value, int unit) { return std::max(1, (value + unit / 2) / unit) * unit; }

}  // namespace

Result<VideoJob> video_job_from_json(const json& object, std::string_view source, const SourceMap* where) {
  VideoJob job;
  Problems problems;
  read_fields(fields_of(job), VideoJob::kKind, object, problems);
  RUBATO_OK(problems.result(source, where));
  return job;
}

json video_job_to_json(const VideoJob& job) {
  VideoJob copy = job;  // fields are views of a job that may be changed
  return write_fields(fields_of(copy), VideoJob::kKind);
}

Result<VideoJob> read_video_job(const std::filesystem::path& file) {
  const auto is_batch = [&] {
    return Error{ErrorCode::JobInvalid, fmt::format("{0} is a batch of jobs; 'rubato-cli run {0}' renders it",
                                                    printable(file.string(), Lines::Escape))};
  };
  const auto extension = lower_extension(file);
  std::error_code failed;
  if ((extension == ".csv" || extension == ".jsonl" || extension == ".ndjson") && std::filesystem::exists(file, failed))
    return is_batch();
  const JsonLimits limits;
  RUBATO_TRY(text, read_file(file, limits.max_bytes));
  SourceMap where;
  const std::string source = file.filename().string();
  const auto parse = looks_like_json(file, text) ? parse_json : parse_yaml;
  const auto parsed = parse(text, source, limits, ErrorCode::JobInvalid, &where);
  if (!may_hold_jobs(file) && (!parsed || !(parsed->is_object() || parsed->is_array()))) return no_job_file(file);
  RUBATO_OK(parsed);
  const json& object = *parsed;
  if (object.is_array() || (object.is_object() && object.contains("jobs"))) return is_batch();
  RUBATO_TRY(job, video_job_from_json(object, source, &where));
  anchor_inputs(fields_of(job), file.parent_path().string());
  return job;
}

Result<std::vector<std::string>> apply_flags(VideoJob& job, const std::vector<std::string>& args) {
  return take_flags(fields_of(job), args);
}

Result<> fill_unset(VideoJob& job, const json& defaults, std::string_view source) {
  VideoJob filled;
  const Fields fields = fields_of(filled);
  json known = json::object();
  for (const auto& field : fields) {
    const std::string name(field.name);
    if (detail::is_optional(field) && defaults.is_object() && defaults.contains(name)) known[name] = defaults[name];
  }
  Problems problems;
  read_fields(fields, "", known, problems);
  RUBATO_OK(problems.result(source, nullptr, ErrorCode::ModelUnfit));
  fill_unset_fields(fields_of(job), fields);
  return {};
}

Result<> check_ready(const VideoJob& job) {
  if (trim(job.prompt).empty())
    return Error{ErrorCode::JobInvalid, "the job has no prompt; say what the video shows with -p TEXT"};
  // Latents, a trace or a comparison may be all that is wanted.
  const bool wants_something = !job.latents_out.empty() || !job.trace.empty() || !job.verify_against.empty();
  if (job.out.empty() && !wants_something)
    return Error{ErrorCode::JobInvalid, "the job has no output; name the file with -o FILE"};
  return {};
}

Result<> check_geometry(const Size& size, int frames, int multiple_of, int temporal_ratio) {
  RUBATO_CHECK(multiple_of > 0 && temporal_ratio > 0);
  std::vector<std::string> problems;
  if (size.width <= 0 || size.height <= 0 || size.width % multiple_of != 0 || size.height % multiple_of != 0)
    problems.push_back(fmt::format("the size is {}x{}, but this model takes multiples of {}; the nearest is {}x{}",
                                   size.width, size.height, multiple_of, nearest_multiple(size.width, multiple_of),
                                   nearest_multiple(size.height, multiple_of)));
  if (frames < 1) {
    problems.push_back(fmt::format("the clip has {} frames; the nearest valid length is 1", frames));
  } else if ((frames - 1) % temporal_ratio != 0) {
    const int below = (frames - 1) / temporal_ratio * temporal_ratio + 1;
    problems.push_back(
        fmt::format("the clip has {} frames, but this model takes {}k+1 frames; the nearest are {} and {}", frames,
                    temporal_ratio, below, below + temporal_ratio));
  }
  if (problems.empty()) return {};
  return Error{ErrorCode::JobInvalid, join(problems, "\n")};
}

std::string identity_json(const VideoJob& job) {
  VideoJob copy = job;
  return write_fields(fields_of(copy), VideoJob::kKind, Write::Identity)
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string job_key(const VideoJob& job, const std::vector<std::string>& model_hashes, int output_version) {
  const json identity = {{"job", identity_json(job)}, {"models", model_hashes}, {"output_version", output_version}};
  return sha256_hex(identity.dump());
}

}  // namespace rubato
