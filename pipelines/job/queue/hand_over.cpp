#include "pipelines/job/queue/hand_over.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "engine/base/files.h"
#include "engine/base/guard.h"
#include "engine/base/json.h"
#include "pipelines/job/channel.h"

namespace rubato {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPatience = std::chrono::seconds(10);  // of the server, with one peer: others wait meanwhile

// sun_path holds 107 bytes, folders of users may be longer: the folder is named by a descriptor of ours.
struct Address {
  UniqueFd folder;
  sockaddr_un name{};
};
Result<Address> address_of(const fs::path& socket) {
  const auto parent = socket.has_parent_path() ? socket.parent_path() : fs::path(".");
  Address address{UniqueFd(::open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)), {}};
  if (!address.folder) return write_error(socket, errno);
  const auto path = fmt::format("/proc/self/fd/{}/{}", address.folder.get(), socket.filename().string());
  if (path.size() >= sizeof address.name.sun_path)
    return Error{ErrorCode::CannotWrite,
                 fmt::format("the name {} is too long for a socket", socket.filename().string())};
  address.name.sun_family = AF_UNIX;
  std::memcpy(address.name.sun_path, path.c_str(), path.size() + 1);
  return address;
}

const sockaddr* as_address(const Address& address) { return reinterpret_cast<const sockaddr*>(&address.name); }

// Waits until `fd` is ready for `events`; false when time is up or `stop` becomes readable.
bool wait_for(int fd, short events, Clock::time_point deadline, int stop = -1) {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd watched[2] = {{fd, events, 0}, {stop, POLLIN, 0}};
    const int ready = ::poll(watched, 2, static_cast<int>(std::min<long>(left, 60'000)));
    if (ready < 0 && errno != EINTR) return false;
    if (watched[1].revents != 0) return false;
    if (ready > 0 && watched[0].revents != 0) return true;
  }
}

bool send_all(int fd, const char* bytes, std::size_t size, Clock::time_point deadline, int stop) {
  while (size > 0) {
    const auto sent = ::send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes += sent;
      size -= static_cast<std::size_t>(sent);
    } else if (sent < 0 && errno == EINTR) {
      continue;
    } else if (sent == 0 || errno != EAGAIN || !wait_for(fd, POLLOUT, deadline, stop)) {
      return false;
    }
  }
  return true;
}

bool receive_all(int fd, char* bytes, std::size_t size, Clock::time_point deadline, int stop) {
  while (size > 0) {
    const auto got = ::recv(fd, bytes, size, MSG_DONTWAIT);
    if (got > 0) {
      bytes += got;
      size -= static_cast<std::size_t>(got);
    } else if (got < 0 && errno == EINTR) {
      continue;
    } else if (got == 0 || errno != EAGAIN || !wait_for(fd, POLLIN, deadline, stop)) {
      return false;
    }
  }
  return true;
}

bool send_message(int fd, const nlohmann::json& message, Clock::time_point deadline, int stop = -1) {
  const auto text = message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (text.size() > kMaxHandOver) return false;
  const auto size = static_cast<std::uint32_t>(text.size());
  char head[4];
  for (unsigned i = 0; i < 4; ++i) head[i] = static_cast<char>(size >> (8 * i) & 0xFF);
  return send_all(fd, head, 4, deadline, stop) && send_all(fd, text.data(), text.size(), deadline, stop);
}

// Corrupt: not a message of this protocol. Failed: it did not come, or not whole.
Result<nlohmann::json> receive_message(int fd, Clock::time_point deadline, int stop = -1) {
  unsigned char head[4];
  if (!receive_all(fd, reinterpret_cast<char*>(head), 4, deadline, stop))
    return Error{ErrorCode::Failed, "the other side said nothing"};
  const std::size_t size = head[0] | head[1] << 8 | head[2] << 16 | static_cast<std::size_t>(head[3]) << 24;
  if (size > kMaxHandOver)
    return Error{ErrorCode::Corrupt,
                 fmt::format("a message of {} bytes is too large; at most {} MB are taken", size, kMaxHandOver >> 20)};
  std::string text;
  // Grows with what really comes, whatever the length says.
  for (std::size_t have = 0; have < size; have = text.size()) {
    text.resize(std::min(size, have + (1u << 20)));
    if (!receive_all(fd, text.data() + have, text.size() - have, deadline, stop))
      return Error{ErrorCode::Failed, "the other side stopped in the middle of a message"};
  }
  JsonLimits limits{.max_bytes = kMaxHandOver, .max_depth = 32, .max_string = 1u << 20};
  RUBATO_TRY(message, parse_json(text, "a message", limits));
  if (!message.is_object()) return Error{ErrorCode::Corrupt, "a message is not an object"};
  return message;
}

bool is_same_user(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
}

nlohmann::json as_answer(const Error& error) {
  return {{"version", kHandOverVersion}, {"error", {{"code", code_name(error.code)}, {"message", error.message}}}};
}

Result<nlohmann::json> check_request(nlohmann::json request) {
  const auto version = request.find("version");
  if (version == request.end() || *version != kHandOverVersion)
    return Error{ErrorCode::Usage,
                 fmt::format("the running Rubato speaks version {} of this protocol; use programs of one "
                             "version",
                             kHandOverVersion)};
  const auto name = request.find("request");
  if (name == request.end() || !name->is_string())
    return Error{ErrorCode::Corrupt, "a request does not say what it wants"};
  return request;
}

}  // namespace

// ---- Server -------------------------------------------------------------------------------------------------------
struct HandOverServer::State {
  fs::path socket;
  Handler handle;
  UniqueFd listener, stop;
  std::thread thread;

  void serve() {
    while (wait_for(listener.get(), POLLIN, Clock::time_point::max(), stop.get())) {
      const UniqueFd peer(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (peer && is_same_user(peer.get())) answer(peer.get());
    }
  }

  void answer(int peer) {
    const auto deadline = Clock::now() + kPatience;
    const auto given = guard([&]() -> Result<nlohmann::json> {
      RUBATO_TRY(message, receive_message(peer, deadline, stop.get()));
      RUBATO_TRY(request, check_request(std::move(message)));
      RUBATO_TRY(members, handle(request));
      members["version"] = kHandOverVersion;
      members["ok"] = true;
      return members;
    });
    (void)send_message(peer, given ? *given : as_answer(given.error()), Clock::now() + kPatience, stop.get());
  }
};

HandOverServer::HandOverServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
HandOverServer::HandOverServer(HandOverServer&&) noexcept = default;
HandOverServer& HandOverServer::operator=(HandOverServer&& other) noexcept {
  HandOverServer gone(std::move(*this));
  state_ = std::move(other.state_);
  return *this;
}
HandOverServer::~HandOverServer() {
  if (!state_) return;
  const std::uint64_t one = 1;
  (void)!::write(state_->stop.get(), &one, sizeof one);
  state_->thread.join();
  ::unlink(state_->socket.c_str());
}

Result<HandOverServer> HandOverServer::listen(const fs::path& socket, Handler handle) {
  RUBATO_TRY(address, address_of(socket));
  auto state = std::make_unique<State>(State{socket, std::move(handle), UniqueFd(), UniqueFd(), {}});
  state->listener = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  state->stop = UniqueFd(::eventfd(0, EFD_CLOEXEC));
  if (!state->listener || !state->stop) return write_error(socket, errno);
  // What a killed holder left behind; that there is no living one is known by the lock.
  std::error_code ignored;
  if (fs::is_socket(fs::symlink_status(socket, ignored))) ::unlink(socket.c_str());
  // The mode is set before anyone can connect: bind makes the file, listen opens it.
  if (::bind(state->listener.get(), as_address(address), sizeof address.name) != 0 ||
      ::fchmodat(address.folder.get(), socket.filename().c_str(), 0600, 0) != 0 ||
      ::listen(state->listener.get(), 16) != 0)
    return write_error(socket, errno);
  state->thread = std::thread([raw = state.get()] { raw->serve(); });
  return HandOverServer(std::move(state));
}

// ---- Client -------------------------------------------------------------------------------------------------------
Result<nlohmann::json> hand_over(const fs::path& socket, const nlohmann::json& request, int timeout_s) {
  const auto nobody = [&](std::string_view what) {
    return Error{ErrorCode::Locked, fmt::format("the Rubato that holds {} {}", socket.parent_path().string(), what)};
  };
  const auto deadline = Clock::now() + std::chrono::seconds(timeout_s);
  auto address = address_of(socket);
  if (!address) return nobody("takes no requests");
  const UniqueFd peer(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!peer || ::connect(peer.get(), as_address(*address), sizeof address->name) != 0)
    return nobody("takes no requests");
  if (!is_same_user(peer.get())) return nobody("belongs to another user");
  auto message = request;
  message["version"] = kHandOverVersion;
  // A server that refuses early closes before it has read all; its answer says why.
  (void)send_message(peer.get(), message, deadline);
  auto answer = receive_message(peer.get(), deadline);
  if (!answer) return nobody("does not answer");
  if (const auto error = answer->find("error"); error != answer->end()) {
    const auto text = [&](const char* name) {
      const auto it = error->is_object() ? error->find(name) : error->end();
      return error->is_object() && it != error->end() && it->is_string() ? it->get<std::string>() : std::string();
    };
    return Error{code_from_name(text("code")), text("message").empty() ? "the request was refused" : text("message")};
  }
  return std::move(*answer);
}

}  // namespace rubato
