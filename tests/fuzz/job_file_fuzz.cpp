// Job files and name templates. The first byte chooses the format; the rest is the text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/text.h"
#include "engine/files/file_name.h"
#include "pipelines/job/batch/failed_csv.h"
#include "pipelines/job/batch/job_file.h"
#include "pipelines/job/batch/name_template.h"

namespace {

using namespace rubato;

void require(bool holds) {
  if (!holds) std::abort();
}

NameValues values_of(const BatchJob& batch) {
  NameValues values;
  values.when.tm_mday = 1;
  values.job = batch.job.id;
  values.index = batch.index;
  values.model = batch.job.model;
  values.prompt = batch.job.prompt;
  values.preset = batch.preset;
  values.variables = batch.variables;
  return values;
}

// Whatever the template and the values, each part of the name is a good one, and the name says itself again.
void check_name(const NameTemplate& name, const NameValues& values) {
  const auto path = name.render(values, ".mp4");
  std::string_view parts = path;
  if (parts.ends_with('/')) parts.remove_suffix(1);  // a folder of pictures
  for (const auto& part : split(parts, '/')) require(!name_part_fault(part));
  const auto again = NameTemplate::parse(literal_name(path));
  require(again.ok() && again->render({}) == path);
}

// What is accepted must come back from failed.csv as the same jobs.
void read_file(std::string_view text, std::string_view name) {
  const BatchLimits limits{.max_bytes = 1 << 16, .max_jobs = 64};
  const auto file = parse_batch(text, name, "/jobs", limits);
  if (!file.ok()) return require(file.error().code == ErrorCode::JobInvalid && !file.error().message.empty());
  require(!file->jobs.empty() && file->jobs.size() <= limits.max_jobs);
  std::vector<FailedJob> failed;
  for (const auto& batch : file->jobs) {
    require(!batch.job.id.empty());
    if (!batch.job.out.empty()) {
      const auto out = NameTemplate::parse(batch.job.out);
      require(out.ok());
      check_name(*out, values_of(batch));
    }
    failed.push_back({&batch, "", "reason"});
  }
  const auto again = parse_batch(failed_csv(failed, file->columns), "failed.csv", "/elsewhere", BatchLimits{});
  require(again.ok() && again->jobs.size() == file->jobs.size());
  for (std::size_t i = 0; i < file->jobs.size(); ++i) {
    require(again->jobs[i].job == file->jobs[i].job);
    require(again->jobs[i].after == file->jobs[i].after);
  }
}

void read_template(std::string_view text) {
  const auto cut = text.find('\n');
  const auto name = NameTemplate::parse(text.substr(0, cut));
  if (!name.ok()) return require(!name.error().message.empty());
  NameValues values;
  values.when.tm_mday = 1;
  values.prompt = values.job = values.preset = values.model = values.hash =
      cut == std::string_view::npos ? std::string() : std::string(text.substr(cut + 1));
  values.variables["x"] = values.prompt;
  check_name(*name, values);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 6) {
    case 0:
      read_file(text, "jobs.yaml");
      break;
    case 1:
      read_file(text, "jobs.json");
      break;
    case 2:
      read_file(text, "jobs.jsonl");
      break;
    case 3:
      read_file(text, "jobs.csv");
      break;
    case 4:
      read_file(text, "jobs");
      break;
    default:
      read_template(text);
      break;
  }
  return 0;
}
