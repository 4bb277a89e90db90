#include "pipelines/job/events.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <type_traits>

namespace rubato {
namespace {

using nlohmann::json;

std::string utc_now() {
  const auto now = std::chrono::system_clock::now();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)), ms);
}

void add_eta(json& members, const char* name, double seconds) {
  if (seconds >= 0) members[name] = seconds;
}

std::vector<json> events_of(const protocol::Accepted& m) { return {make_event("job.start", {{"job", m.id}})}; }
std::vector<json> events_of(const protocol::Phase& m) {
  return {make_event("job.phase", {{"job", m.id}, {"phase", m.name}, {"n", m.total}})};
}
std::vector<json> events_of(const protocol::Progress& m) {
  json members = {{"job", m.id}, {"phase", m.phase}, {"i", m.done}, {"n", m.total}, {"frac", m.fraction}};
  add_eta(members, "eta_s", m.eta_s);
  add_eta(members, "eta_lo", m.eta_lo_s);
  add_eta(members, "eta_hi", m.eta_hi_s);
  return {make_event("job.progress", std::move(members))};
}
std::vector<json> events_of(const protocol::Preview& m) {
  return {
      make_event("job.preview",
                 {{"job", m.id}, {"step", m.step}, {"width", m.width}, {"height", m.height}, {"frames", m.frames}})};
}
std::vector<json> events_of(const protocol::Warn& m) {
  return {make_event("job.warn", {{"job", m.id}, {"code", m.code}, {"message", m.message}})};
}
std::vector<json> events_of(const protocol::Done& m) {
  std::vector<json> events;
  for (const auto& output : m.outputs) {
    json members = {{"job", m.id}, {"path", output.path}, {"kind", output.kind}, {"bytes", output.bytes}};
    if (!output.sha256.empty()) members["sha256"] = output.sha256;
    events.push_back(make_event("job.output", std::move(members)));
  }
  events.push_back(make_event("job.done", {{"job", m.id}, {"report", m.report}}));
  return events;
}
std::vector<json> events_of(const protocol::Failed& m) {
  json members = {{"job", m.id}, {"code", code_name(m.code)}, {"exit", exit_code(m.code)}, {"message", m.message}};
  if (!m.kept.empty()) members["kept"] = m.kept;
  return {make_event("job.fail", std::move(members))};
}
template <typename Other>
std::vector<json> events_of(const Other&) {
  return {};
}

}  // namespace

json make_event(std::string_view name, json members) {
  members["v"] = kEventVersion;
  members["t"] = utc_now();
  members["ev"] = name;
  return members;
}

std::vector<json> to_events(const protocol::Message& message) {
  return std::visit([](const auto& m) { return events_of(m); }, message);
}

}  // namespace rubato
