// Hand-over: the instance that holds a queue takes requests of others through a socket beside its lock.
//
// One request and one answer a connection; a message is a little-endian u32 length and that many bytes of JSON:
//   {"version": 1, "request": "pause", …}  →  {"version": 1, "ok": true, …} or {"version": 1, "error": {code, message}}
// Requests of the queue: queue_requests.h. The socket (AF_UNIX, mode 0600) is reached through its folder's descriptor,
// so that a long path does no harm; a peer of another user is refused. Both sides bound sizes and times.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "engine/base/error.h"

namespace rubato {

inline constexpr int kHandOverVersion = 1;
inline constexpr std::size_t kMaxHandOver = 64u << 20;  // a request may hold 100,000 jobs

// Answers requests on a thread of its own until destroyed. `handle` gets a request whose version and form are right
// and gives the members of the answer; it runs on that thread, one request at a time.
class HandOverServer {
 public:
  using Handler = std::function<Result<nlohmann::json>(const nlohmann::json& request)>;
  static Result<HandOverServer> listen(const std::filesystem::path& socket, Handler handle);
  HandOverServer(HandOverServer&&) noexcept;
  HandOverServer& operator=(HandOverServer&&) noexcept;
  ~HandOverServer();  // ends the thread and removes the socket

 private:
  struct State;
  explicit HandOverServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Sends one request and waits for its answer. Locked: nobody listens (or not any more), or no answer in time.
Result<nlohmann::json> hand_over(const std::filesystem::path& socket, const nlohmann::json& request,
                                 int timeout_s = 30);

}  // namespace rubato
