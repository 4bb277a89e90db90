#include "pipelines/job/host_identity.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "engine/base/files.h"
#include "engine/base/text.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

std::string first_line(const fs::path& file) {
  const auto text = read_file(file, 4096);
  return text ? std::string(trim(text->substr(0, text->find('\n')))) : std::string{};
}

std::string link_target(const fs::path& link) {
  std::error_code failed;
  return fs::read_symlink(link, failed).string();
}

// Field 22 of /proc/PID/stat; the name in field 2 may hold spaces and parentheses.
std::optional<std::uint64_t> start_ticks(int pid) {
  const auto stat = read_file(fmt::format("/proc/{}/stat", pid), 4096);
  if (!stat) return std::nullopt;
  const auto after_name = stat->rfind(')');
  if (after_name == std::string::npos) return std::nullopt;
  std::istringstream fields(stat->substr(after_name + 1));
  std::string field;
  for (int number = 3; number <= 22; ++number) fields >> field;
  std::uint64_t ticks = 0;
  std::istringstream(field) >> ticks;
  return ticks;
}

// A killed process whose parent has not waited for it yet: it does nothing any more.
bool is_zombie(int pid) {
  const auto stat = read_file(fmt::format("/proc/{}/stat", pid), 4096);
  if (!stat) return false;
  const auto after_name = stat->rfind(") ");
  return after_name != std::string::npos && (*stat)[after_name + 2] == 'Z';
}

}  // namespace

HostIdentity HostIdentity::of_this_process() {
  HostIdentity me;
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) == 0) me.host = name.data();
  me.boot = first_line("/proc/sys/kernel/random/boot_id");
  me.pid_namespace = link_target("/proc/self/ns/pid");
  me.pid = ::getpid();
  me.started = start_ticks(me.pid).value_or(0);
  return me;
}

Life life_of(const HostIdentity& process) {
  const auto me = HostIdentity::of_this_process();
  const bool here = !me.boot.empty() && process.boot == me.boot && process.pid_namespace == me.pid_namespace;
  if (!here) return Life::Unknown;
  const auto started = start_ticks(process.pid);
  return started && *started == process.started && !is_zombie(process.pid) ? Life::Alive : Life::Dead;
}

nlohmann::json to_json(const HostIdentity& identity) {
  return {{"host", identity.host},
          {"boot", identity.boot},
          {"pid_namespace", identity.pid_namespace},
          {"pid", identity.pid},
          {"started", identity.started}};
}

std::optional<HostIdentity> identity_from_json(const nlohmann::json& object) {
  if (!object.is_object()) return std::nullopt;
  for (const char* name : {"host", "boot", "pid_namespace"})
    if (!object.contains(name) || !object[name].is_string()) return std::nullopt;
  for (const char* name : {"pid", "started"})
    if (!object.contains(name) || !object[name].is_number_unsigned()) return std::nullopt;
  HostIdentity identity;
  identity.host = object["host"];
  identity.boot = object["boot"];
  identity.pid_namespace = object["pid_namespace"];
  identity.pid = object["pid"].get<int>();
  identity.started = object["started"].get<std::uint64_t>();
  return identity;
}

}  // namespace rubato
