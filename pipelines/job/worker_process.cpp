#include "pipelines/job/worker_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "engine/base/check.h"
#include "pipelines/job/worker_client.h"

namespace rubato {
namespace {

constexpr int kSocketFd = 3;
constexpr int kGpuFault = 70;  // how a worker ends whose CUDA context is beyond repair

// A copy of fd out of the way of 0..3, which the child is about to fill; -1 on failure.
UniqueFd out_of_the_way(int fd) { return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 10)); }

// Everything the child needs, prepared before fork(): after it, only async-signal-safe calls are allowed.
struct ChildPlan {
  const char* path;
  char* const* argv;
  int socket, null, report;
  pid_t parent;
};

[[noreturn]] void run_child(const ChildPlan& plan) {
  const auto give_up = [&] {
    const int reason = errno;
    (void)!::write(plan.report, &reason, sizeof(reason));
    ::_exit(127);
  };
  // The worker ends with its parent. The parent may be gone already: then no signal will come.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != plan.parent) give_up();
  ::setpgid(0, 0);  // Ctrl-C in the terminal is the client's to handle
  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::dup2(plan.null, STDIN_FILENO) < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0 ||
      ::dup2(plan.socket, kSocketFd) < 0)
    give_up();
  ::close_range(kSocketFd + 1, ~0u, CLOSE_RANGE_CLOEXEC);
  // When memory runs out the kernel takes the worker, not the user's session. Not vital.
  if (const int score = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC); score >= 0) {
    (void)!::write(score, "500", 3);
    ::close(score);
  }
  ::execv(plan.path, plan.argv);
  give_up();
  ::_exit(127);
}

Error cannot_start(const std::filesystem::path& executable, int reason) {
  return {ErrorCode::EngineDied,
          fmt::format("the engine {} cannot be started: {}", executable.string(), std::strerror(reason))};
}

// The errno of a failed exec, or 0: the pipe closes by itself when exec succeeds.
int exec_failure(int report) {
  int reason = 0;
  while (true) {
    const auto n = ::read(report, &reason, sizeof(reason));
    if (n < 0 && errno == EINTR) continue;
    return n == sizeof(reason) ? (reason != 0 ? reason : ECHILD) : 0;
  }
}

}  // namespace

Result<WorkerProcess> WorkerProcess::spawn(const std::filesystem::path& executable,
                                           const std::vector<std::string>& arguments) {
  int ends[2], pipe_ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return cannot_start(executable, errno);
  UniqueFd ours(ends[0]), theirs(ends[1]);
  if (::pipe2(pipe_ends, O_CLOEXEC) != 0) return cannot_start(executable, errno);
  UniqueFd report_read(pipe_ends[0]), report_write(pipe_ends[1]);
  UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  theirs = out_of_the_way(theirs.get());
  report_write = out_of_the_way(report_write.get());
  null = out_of_the_way(null.get());
  if (!theirs || !report_write || !null) return cannot_start(executable, errno);

  std::vector<std::string> words{executable.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const ChildPlan plan{words.front().c_str(), argv.data(), theirs.get(), null.get(), report_write.get(), ::getpid()};

  // Our signal handlers must not run in the child before it has put them back.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  if (pid == 0) run_child(plan);
  const int fork_error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return cannot_start(executable, fork_error);

  report_write.reset();
  if (const int reason = exec_failure(report_read.get()); reason != 0) {
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return cannot_start(executable, reason);
  }
  // glibc 2.36 declares pidfd_open() without C linkage.
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    const int reason = errno;
    ::kill(pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return cannot_start(executable, reason);
  }
  return WorkerProcess(pid, std::move(pidfd), Channel(std::move(ours)));
}

WorkerProcess::WorkerProcess(int pid, UniqueFd pidfd, Channel channel)
    : pid_(pid), pidfd_(std::move(pidfd)), channel_(std::move(channel)) {}

WorkerProcess::WorkerProcess(WorkerProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      channel_(std::move(other.channel_)),
      status_(other.status_) {}

WorkerProcess::~WorkerProcess() {
  if (pid_ < 0) return;
  signal(SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void WorkerProcess::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);  // not reaped yet, so the number is still this process
}

std::optional<int> WorkerProcess::ended(std::chrono::milliseconds patience) {
  if (status_) return status_;
  const auto until = std::chrono::steady_clock::now() + patience;
  while (true) {
    int status = 0;
    const pid_t found = ::waitpid(pid_, &status, WNOHANG);
    if (found == pid_ || (found < 0 && errno == ECHILD)) {
      pid_ = -1;
      return status_ = found < 0 ? 0 : status;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return std::nullopt;
    pollfd gone{pidfd_.get(), POLLIN, 0};
    ::poll(&gone, 1, static_cast<int>(left.count()));
  }
}

std::string describe_end(int wait_status) {
  if (WIFSIGNALED(wait_status)) return fmt::format("died ({})", signal_name(WTERMSIG(wait_status)));
  const int code = WEXITSTATUS(wait_status);
  return fmt::format("ended by itself (exit code {}{})", code, code == kGpuFault ? ", a fault of the GPU" : "");
}

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name != nullptr ? fmt::format("SIG{}", name) : fmt::format("signal {}", signal);
}

}  // namespace rubato
