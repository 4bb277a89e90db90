// Channel: protocol messages over one end of a socketpair, with memfds beside them (POSIX, Linux).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "engine/base/error.h"
#include "pipelines/job/protocol.h"

namespace rubato {

// Owns a file descriptor; -1 = none.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~UniqueFd() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_ = -1;
};

// An anonymous file with these bytes, sealed against writing and resizing.
Result<UniqueFd> make_memfd(std::span<const std::byte> bytes);

// A read-only mapping of a memfd that somebody else made. Corrupt unless it is sealed (else the other side could change
// or shrink it under us) and has exactly `bytes` bytes, at most 1 GiB.
class MappedMemfd {
 public:
  static Result<MappedMemfd> map(int fd, std::uint64_t bytes);
  MappedMemfd(MappedMemfd&& other) noexcept;
  MappedMemfd& operator=(MappedMemfd&&) = delete;
  ~MappedMemfd();
  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  MappedMemfd(const std::byte* data, std::size_t size) : data_(data), size_(size) {}
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

struct Envelope {
  protocol::Message message;
  UniqueFd fd;  // of a message that carries_memfd
};

// Threads: send() from any; receive() from one. Both may run at the same time.
// Failure: after an error the stream is out of step and every further call fails too. EngineDied when the other side
// has gone (its last messages are still received first), Corrupt when it does not speak the protocol.
class Channel {
 public:
  static constexpr std::chrono::milliseconds kForever{-1};

  explicit Channel(UniqueFd socket);
  static Result<std::pair<Channel, Channel>> make_pair();
  Channel(Channel&&) noexcept;
  Channel& operator=(Channel&&) noexcept;
  ~Channel();

  // Readable (poll) when receive() has something to do. One receive() may leave whole frames behind in its buffer, so
  // call it until it gives nothing.
  int fd() const;
  // Sends all of it; waits for room for at most `patience`. memfd is borrowed.
  Result<> send(const protocol::Message& message, int memfd = -1, std::chrono::milliseconds patience = kForever);
  // The next message, or nothing when none came within `patience` (0 = do not wait) or a signal interrupted the wait.
  Result<std::optional<Envelope>> receive(std::chrono::milliseconds patience = kForever);
  // Frames with an unknown type that were passed over.
  std::uint64_t ignored() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Cuts a byte stream into frames; the part of Channel that can be fuzzed.
class FrameDecoder {
 public:
  void feed(std::span<const std::byte> bytes);
  // The next whole frame, nothing when more bytes are needed, Corrupt when a length is over protocol::kMaxFrame.
  Result<std::optional<std::string>> next();

 private:
  std::string buffer_;
  std::size_t start_ = 0;
};

}  // namespace rubato
