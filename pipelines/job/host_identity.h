// Who a process is among all hosts that share a folder, and whether another one still lives.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace rubato {

// A process that may have ended, on this or another host. `pid` alone says nothing: numbers are used again, and each
// container counts its own; `boot`, `pid_namespace` and `started` make it one process for ever.
struct HostIdentity {
  std::string host;           // for people
  std::string boot;           // of this boot of this machine
  std::string pid_namespace;  // in which `pid` counts
  int pid = 0;
  std::uint64_t started = 0;  // clock ticks after boot
  bool operator==(const HostIdentity&) const = default;

  static HostIdentity of_this_process();
};

enum class Life {
  Alive,
  Dead,
  Unknown,  // on another host, or in another container: only its heartbeat tells
};
Life life_of(const HostIdentity& process);

nlohmann::json to_json(const HostIdentity& identity);
// Nothing when a member is missing or of the wrong type.
std::optional<HostIdentity> identity_from_json(const nlohmann::json& object);

}  // namespace rubato
