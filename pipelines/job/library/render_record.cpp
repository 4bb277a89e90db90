#include "pipelines/job/library/render_record.h"

#include <fmt/format.h>

#include "engine/base/json.h"

namespace rubato {
namespace {

using nlohmann::json;

template <typename Number>
Number number_member(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? found->get<Number>() : Number{};
}

const json& list_member(const json& object, const char* name) {
  static const json kNone = json::array();
  const auto found = object.find(name);
  return found != object.end() && found->is_array() ? *found : kNone;
}

void take_event(const JobEvent& event, RenderRecord& record) {
  const auto said = json::parse(event.json, nullptr, false);
  if (!said.is_object()) return;
  const auto kind = text_member(said, "ev");
  if (kind == "job.warn")
    record.warnings.push_back({event.time, text_member(said, "code"), text_member(said, "message")});
  if (kind == "job.done" && said.contains("report") && said["report"].is_object()) record.report = said["report"];
}

}  // namespace

Result<RenderRecord> record_of(const QueueStore& queue, std::string_view id) {
  RUBATO_TRY(job, queue.find(id));
  if (!job) return Error{ErrorCode::Usage, fmt::format("the queue has no job {}", id)};
  RUBATO_TRY(events, queue.events(id));
  RUBATO_TRY(outputs, queue.outputs(id));
  RenderRecord record{.attempts = job->attempts,
                      .deaths = job->deaths,
                      .created = job->created,
                      .started = job->started,
                      .ended = job->ended,
                      .ran_on = job->ran_on};
  for (const auto& event : events) take_event(event, record);
  for (const auto& output : outputs) record.files.push_back({output.path, output.kind, output.sha256, output.bytes});
  return record;
}

json to_json(const RenderRecord& record) {
  auto warnings = json::array(), files = json::array();
  for (const auto& warning : record.warnings)
    warnings.push_back({{"time", warning.time}, {"code", warning.code}, {"message", warning.message}});
  for (const auto& file : record.files)
    files.push_back({{"path", file.path}, {"kind", file.kind}, {"sha256", file.sha256}, {"bytes", file.bytes}});
  return {{"attempts", record.attempts}, {"deaths", record.deaths}, {"created", record.created},
          {"started", record.started},   {"ended", record.ended},   {"ran_on", record.ran_on},
          {"warnings", warnings},        {"files", files},          {"report", record.report}};
}

RenderRecord render_record_from_json(const json& object) {
  RenderRecord record;
  if (!object.is_object()) return record;
  record.attempts = number_member<int>(object, "attempts");
  record.deaths = number_member<int>(object, "deaths");
  record.created = number_member<double>(object, "created");
  record.started = number_member<double>(object, "started");
  record.ended = number_member<double>(object, "ended");
  record.ran_on = text_member(object, "ran_on");
  for (const auto& warning : list_member(object, "warnings"))
    if (warning.is_object())
      record.warnings.push_back(
          {number_member<double>(warning, "time"), text_member(warning, "code"), text_member(warning, "message")});
  for (const auto& file : list_member(object, "files"))
    if (file.is_object())
      record.files.push_back({text_member(file, "path"), text_member(file, "kind"), text_member(file, "sha256"),
                              number_member<std::uint64_t>(file, "bytes")});
  if (object.contains("report") && object["report"].is_object()) record.report = object["report"];
  return record;
}

}  // namespace rubato
