#include "pipelines/job/channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

namespace rubato {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kMaxFds = 16;  // in flight towards us, before their frames are complete
constexpr std::uint64_t kMaxMemfd = 1ull << 30;

Error gone() { return {ErrorCode::EngineDied, "the other side of the connection has gone"}; }
Error system_error(std::string_view doing) {
  return {ErrorCode::Internal, fmt::format("{}: {}", doing, std::strerror(errno))};
}

// What is left of a wait, for poll(): -1 = for ever.
int left_ms(milliseconds patience, Clock::time_point since) {
  if (patience < milliseconds{0}) return -1;
  const auto left = std::chrono::ceil<milliseconds>(since + patience - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000'000));
}

std::uint32_t read_length(const char* at) {
  std::uint32_t length = 0;
  for (int i = 3; i >= 0; --i) length = length << 8 | static_cast<unsigned char>(at[i]);
  return length;
}

std::string framed(const std::string& payload) {
  std::string frame;
  frame.reserve(payload.size() + 4);
  for (int i = 0; i < 4; ++i) frame += static_cast<char>(payload.size() >> (8 * i) & 0xFF);
  return frame += payload;
}

}  // namespace

void UniqueFd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

// ---- memfds ------------------------------------------------------------------------------------------------------

Result<UniqueFd> make_memfd(std::span<const std::byte> bytes) {
  UniqueFd fd(::memfd_create("rubato", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return system_error("no shared memory could be made");
  for (std::size_t done = 0; done < bytes.size();) {
    const auto n = ::write(fd.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      return Error{ErrorCode::OutOfMemory, fmt::format("no room for {} bytes of shared memory", bytes.size())};
    done += static_cast<std::size_t>(n);
  }
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
    return system_error("shared memory could not be sealed");
  return fd;
}

Result<MappedMemfd> MappedMemfd::map(int fd, std::uint64_t bytes) {
  const auto refuse = [](std::string_view why) {
    return Error{ErrorCode::Corrupt, fmt::format("shared memory was refused: {}", why)};
  };
  constexpr int kNeeded = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  const int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & kNeeded) != kNeeded) return refuse("it is not sealed");
  struct stat info{};
  if (::fstat(fd, &info) != 0) return refuse(std::strerror(errno));
  if (bytes == 0 || bytes > kMaxMemfd || static_cast<std::uint64_t>(info.st_size) != bytes)
    return refuse(fmt::format("it has {} bytes where {} were announced", info.st_size, bytes));
  void* data = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
  if (data == MAP_FAILED) return refuse(std::strerror(errno));
  return MappedMemfd(static_cast<const std::byte*>(data), bytes);
}

MappedMemfd::MappedMemfd(MappedMemfd&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(other.size_) {}
MappedMemfd::~MappedMemfd() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

// ---- Frames ------------------------------------------------------------------------------------------------------

void FrameDecoder::feed(std::span<const std::byte> bytes) {
  if (start_ > 0 && start_ >= buffer_.size() / 2) {
    buffer_.erase(0, start_);
    start_ = 0;
  }
  buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Result<std::optional<std::string>> FrameDecoder::next() {
  const std::size_t have = buffer_.size() - start_;
  if (have < 4) return std::optional<std::string>{};
  const std::size_t length = read_length(buffer_.data() + start_);
  if (length > protocol::kMaxFrame)
    return Error{ErrorCode::Corrupt, fmt::format("a message of {} bytes was announced; at most {} are allowed", length,
                                                 protocol::kMaxFrame)};
  if (have - 4 < length) return std::optional<std::string>{};
  std::optional<std::string> frame = buffer_.substr(start_ + 4, length);
  start_ += 4 + length;
  return frame;
}

// ---- Channel -----------------------------------------------------------------------------------------------------

struct Channel::State {
  UniqueFd socket;

  std::mutex send_mutex;
  std::optional<Error> send_error;  // guarded by send_mutex

  // Of the receiving thread.
  std::optional<Error> receive_error;
  FrameDecoder decoder;
  std::deque<UniqueFd> fds;  // in the order of their frames
  std::atomic<std::uint64_t> ignored{0};

  Result<> write_frame(const std::string& frame, int memfd, milliseconds patience);
  Result<bool> read_some();
  Result<std::optional<Envelope>> take();
};

Channel::Channel(UniqueFd socket) : state_(std::make_unique<State>()) { state_->socket = std::move(socket); }
Channel::Channel(Channel&&) noexcept = default;
Channel& Channel::operator=(Channel&&) noexcept = default;
Channel::~Channel() = default;

Result<std::pair<Channel, Channel>> Channel::make_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return system_error("no connection could be made");
  return std::pair(Channel(UniqueFd(ends[0])), Channel(UniqueFd(ends[1])));
}

int Channel::fd() const { return state_->socket.get(); }
std::uint64_t Channel::ignored() const { return state_->ignored; }

Result<> Channel::send(const protocol::Message& message, int memfd, milliseconds patience) {
  const std::string payload = protocol::encode(message);
  if (payload.size() > protocol::kMaxFrame)
    return Error{ErrorCode::JobInvalid, fmt::format("a message of {} bytes is too long; at most {} are allowed",
                                                    payload.size(), protocol::kMaxFrame)};
  const std::lock_guard lock(state_->send_mutex);
  if (state_->send_error) return *state_->send_error;
  auto sent = state_->write_frame(framed(payload), memfd, patience);
  if (!sent.ok()) state_->send_error = sent.error();
  return sent;
}

Result<> Channel::State::write_frame(const std::string& frame, int memfd, milliseconds patience) {
  const auto since = Clock::now();
  for (std::size_t done = 0; done < frame.size();) {
    iovec part{const_cast<char*>(frame.data()) + done, frame.size() - done};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    if (memfd >= 0 && done == 0) {  // the memfd rides on the first byte
      header.msg_control = control.data();
      header.msg_controllen = control.size();
      cmsghdr* rights = CMSG_FIRSTHDR(&header);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(sizeof(int));
      std::memcpy(CMSG_DATA(rights), &memfd, sizeof(int));
    }
    const auto n = ::sendmsg(socket.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) {
      done += static_cast<std::size_t>(n);
    } else if (errno == EAGAIN) {
      const int wait = left_ms(patience, since);
      pollfd ready{socket.get(), POLLOUT, 0};
      if (wait == 0 || ::poll(&ready, 1, wait) == 0)
        return Error{ErrorCode::EngineDied, "the other side of the connection takes no messages"};
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return gone();
    } else if (errno != EINTR) {
      return system_error("a message could not be sent");
    }
  }
  return {};
}

// Reads what is there without waiting. False: nothing was.
Result<bool> Channel::State::read_some() {
  std::array<std::byte, 64u << 10> bytes;
  iovec part{bytes.data(), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaxFds * sizeof(int))> control;
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const auto n = ::recvmsg(socket.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (n == 0 || (n < 0 && errno == ECONNRESET)) return gone();
  if (n < 0) return system_error("no message could be received");
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int received = -1;
      std::memcpy(&received, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
      fds.emplace_back(received);
    }
  }
  if ((header.msg_flags & MSG_CTRUNC) != 0 || fds.size() > kMaxFds)
    return Error{ErrorCode::Corrupt, "too many files came along with the messages"};
  decoder.feed(std::span(bytes).first(static_cast<std::size_t>(n)));
  return true;
}

// The next message that is complete in the buffer.
Result<std::optional<Envelope>> Channel::State::take() {
  while (true) {
    RUBATO_TRY(frame, decoder.next());
    if (!frame) return std::optional<Envelope>{};
    RUBATO_TRY(decoded, protocol::decode(*frame));
    UniqueFd fd;
    if (decoded.memfd) {
      if (fds.empty()) return Error{ErrorCode::Corrupt, "a message announced shared memory but brought none"};
      fd = std::move(fds.front());
      fds.pop_front();
    }
    if (decoded.message) return std::optional(Envelope{std::move(*decoded.message), std::move(fd)});
    ++ignored;
  }
}

Result<std::optional<Envelope>> Channel::receive(milliseconds patience) {
  State& s = *state_;
  const auto since = Clock::now();
  while (!s.receive_error) {
    auto message = s.take();
    if (!message.ok()) {
      s.receive_error = message.error();
      break;
    }
    if (message->has_value()) return message;
    const auto read = s.read_some();
    if (!read.ok()) {
      s.receive_error = read.error();
      break;
    }
    if (*read) continue;
    const int wait = left_ms(patience, since);
    pollfd ready{s.socket.get(), POLLIN, 0};
    if (wait == 0 || ::poll(&ready, 1, wait) <= 0) return std::optional<Envelope>{};
  }
  return *s.receive_error;
}

}  // namespace rubato
