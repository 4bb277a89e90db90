#include "pipelines/job/batch/document.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "engine/base/text.h"
#include "pipelines/job/batch/csv_rows.h"
#include "pipelines/job/batch/job_layer.h"
#include "pipelines/job/yaml.h"

namespace rubato {
namespace {

using Json = nlohmann::json;

constexpr std::array<const char*, 5> kFrame{"version", "defaults", "presets", "matrix", "jobs"};
constexpr std::size_t kMaxValues = 2'000'000;  // of a tree; a file of the largest size with sensible jobs has fewer
constexpr std::size_t kMostLines = 20;         // that cannot be read and are named

Error refuse(std::string message) { return Error{ErrorCode::JobInvalid, std::move(message)}; }

JsonLimits json_limits(const BatchLimits& limits) {
  return {.max_bytes = limits.max_bytes,
          .max_depth = limits.max_depth,
          .max_string = limits.max_string,
          .max_values = kMaxValues};
}

std::string_view first_line(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string_view::npos ? std::string_view{} : text.substr(begin, text.find('\n', begin) - begin);
}

BatchFormat format_of(std::string_view name, std::string_view text) {
  std::string extension = std::filesystem::path(name).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (extension == ".csv") return BatchFormat::Csv;
  if (extension == ".json") return BatchFormat::Json;
  if (extension == ".jsonl" || extension == ".ndjson") return BatchFormat::JsonLines;
  if (extension == ".yaml" || extension == ".yml") return BatchFormat::Yaml;
  // By content: an object that ends on its own line with another behind it is a list of lines.
  const auto first = trim(first_line(text));
  if (first.starts_with('{') || first.starts_with('[')) {
    const auto rest = trim(text.substr(static_cast<std::size_t>(first.data() - text.data()) + first.size()));
    return first.starts_with('{') && first.ends_with('}') && rest.starts_with('{') ? BatchFormat::JsonLines
                                                                                   : BatchFormat::Json;
  }
  return looks_like_header(first) ? BatchFormat::Csv : BatchFormat::Yaml;
}

// Which line is not UTF-8, for a text that is not.
int line_of_bad_text(std::string_view text) {
  int line = 1;
  for (const auto& part : split(text, '\n')) {
    if (!is_valid_utf8(part)) return line;
    ++line;
  }
  return line;
}

Result<> read_lines(std::string_view text, std::string_view name, const BatchLimits& limits, BatchDocument& document) {
  document.root = Json::array();
  std::vector<std::string> faults;
  std::size_t bad = 0;
  JsonLimits line_limits = json_limits(limits);
  line_limits.first_line = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    at = end + 1;
    ++line_limits.first_line;
    if (trim(line).empty()) continue;
    if (document.root.size() + bad == limits.max_jobs) return too_many_jobs(name, limits);
    SourceMap where;
    auto object = parse_json(line, name, line_limits, ErrorCode::JobInvalid, &where);
    if (!object.ok()) {
      if (++bad <= kMostLines) faults.push_back(object.error().message);
      continue;
    }
    const std::string prefix = fmt::format("/{}", document.root.size());
    for (auto& [pointer, place] : where) document.where.insert_or_assign(document.where.end(), prefix + pointer, place);
    document.root.push_back(std::move(*object));
  }
  if (bad > kMostLines) faults.push_back(fmt::format("and {} more problems", bad - kMostLines));
  if (bad > 0) return refuse(join(faults, "\n"));
  return {};
}

void check_frame(const BatchDocument& document, Problems& problems) {
  const std::vector<std::string> known(kFrame.begin(), kFrame.end());
  for (const auto& [key, value] : document.root.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end())
      problems.add('/' + escape_pointer(key), fmt::format("unknown key '{}'{}; a job file has {}", clip_utf8(key, 80),
                                                          did_you_mean(key, known), join(known, ", ")));
  }
  if (const auto& version = document.part("version"); !version.is_null() && version != kJobVersion)
    problems.add("/version",
                 fmt::format("the version is {}; this Rubato reads version {}",
                             clip_utf8(version.dump(-1, ' ', false, Json::error_handler_t::replace), 60), kJobVersion));
  if (const auto& jobs = document.part("jobs"); !jobs.is_array())
    problems.add(jobs.is_null() ? "" : "/jobs", "the jobs must be a list: jobs: [{prompt: …}, …]");
}

Result<> read_tree(std::string_view text, std::string_view name, const BatchLimits& limits, BatchDocument& document,
                   Problems& problems) {
  const auto parse = document.format == BatchFormat::Json ? parse_json : parse_yaml;
  RUBATO_TRY(root, parse(text, name, json_limits(limits), ErrorCode::JobInvalid, &document.where));
  document.root = std::move(root);
  if (document.root.is_array()) return {};
  if (!document.root.is_object())
    return refuse(fmt::format("{} holds no jobs: it must have keys and values, or a list of such", name));
  // A file with anything of a frame in it is one, so that a mistyped `jobs` is named as such.
  const bool frame =
      std::any_of(kFrame.begin() + 1, kFrame.end(), [&](const char* k) { return document.root.contains(k); });
  document.shape = frame ? BatchDocument::Shape::Frame : BatchDocument::Shape::Single;
  if (frame) check_frame(document, problems);
  return {};
}

}  // namespace

std::size_t BatchDocument::size() const {
  if (shape == Shape::Single) return 1;
  const Json& list = shape == Shape::List ? root : part("jobs");
  return list.is_array() ? list.size() : 0;
}

const Json& BatchDocument::job(std::size_t index) const {
  return shape == Shape::Single ? root : shape == Shape::List ? root[index] : root["jobs"][index];
}

std::string BatchDocument::pointer(std::size_t index) const {
  if (shape == Shape::Single) return {};
  return (shape == Shape::List ? "/" : "/jobs/") + std::to_string(index);
}

const Json& BatchDocument::part(const char* name) const {
  static const Json kNothing;
  if (shape == Shape::Frame)
    if (const auto found = root.find(name); found != root.end()) return *found;
  return kNothing;
}

Error too_many_jobs(std::string_view name, const BatchLimits& limits) {
  return refuse(fmt::format("{} has more than {} jobs; divide it into several files", name, limits.max_jobs));
}

Result<BatchDocument> read_batch_document(std::string_view text, std::string_view name, const BatchLimits& limits,
                                          Problems& problems) {
  if (text.size() > limits.max_bytes)
    return refuse(fmt::format("{} has {} bytes; at most {} are allowed", name, text.size(), limits.max_bytes));
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    return refuse(fmt::format("{} is UTF-16 text; save it as UTF-8", name));
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (!is_valid_utf8(text))
    return refuse(
        fmt::format("{}, line {}: not valid UTF-8 text; save the file as UTF-8", name, line_of_bad_text(text)));
  if (trim(text).empty()) return refuse(fmt::format("{} is empty", name));

  BatchDocument document;
  document.format = format_of(name, text);
  if (document.format == BatchFormat::Csv) {
    RUBATO_OK(read_csv_rows(text, name, limits, document, problems));
  } else if (document.format == BatchFormat::JsonLines) {
    RUBATO_OK(read_lines(text, name, limits, document));
  } else {
    RUBATO_OK(read_tree(text, name, limits, document, problems));
  }
  if (document.size() > limits.max_jobs) return too_many_jobs(name, limits);
  return document;
}

}  // namespace rubato
