#include "app/cli/interrupts.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>

#include "engine/base/check.h"

namespace rubato::cli {
namespace {

// What a signal handler may touch: lock-free atomics and write().
std::atomic<int> interrupt_count{0};
std::atomic<bool> term_seen{false};
std::atomic<int> wake_fd{-1};
static_assert(std::atomic<int>::is_always_lock_free);

void on_signal(int signal) {
  const int saved = errno;
  if (signal == SIGINT) {
    if (++interrupt_count >= 3) _exit(130);
  } else {
    term_seen = true;
  }
  const char byte = 0;
  if (const int fd = wake_fd; fd >= 0) [[maybe_unused]]
    const auto ignored = ::write(fd, &byte, 1);
  errno = saved;
}

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};

}  // namespace

Interrupts::Interrupts() {
  int ends[2];
  RUBATO_CHECK(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0, "no pipe: ", errno);
  read_fd_ = ends[0];
  write_fd_ = ends[1];
  interrupt_count = 0;
  term_seen = false;
  wake_fd = write_fd_;
  struct sigaction action{};
  action.sa_handler = on_signal;  // without SA_RESTART: a blocking wait returns
  sigemptyset(&action.sa_mask);
  for (const int signal : kSignals) {
    struct sigaction before{};
    ::sigaction(signal, nullptr, &before);
    // What the caller chose to ignore (nohup) stays ignored.
    if (before.sa_handler != SIG_IGN) ::sigaction(signal, &action, nullptr);
  }
}

Interrupts::~Interrupts() {
  wake_fd = -1;
  ::close(read_fd_);
  ::close(write_fd_);
}

void Interrupts::drain() {
  char bytes[64];
  while (::read(read_fd_, bytes, sizeof bytes) > 0) {
  }
}

int Interrupts::interrupts() const { return interrupt_count; }
bool Interrupts::terminated() const { return term_seen; }

}  // namespace rubato::cli
