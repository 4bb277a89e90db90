#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <thread>

#include "pipelines/job/no_network.h"

namespace rubato {
namespace {

// Runs `body` in a child, since the filter cannot be taken off again; its result is the exit code.
int in_child(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  return WEXITSTATUS(status);
}

// errno of socket(family), 0 when it gave one.
int try_socket(int family, int type = SOCK_STREAM) {
  const int fd = ::socket(family, type | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  ::close(fd);
  return 0;
}

TEST(NoNetwork, WithoutTheFilterThereAreInternetSockets) {
  EXPECT_EQ(in_child([] { return try_socket(AF_INET); }), 0);  // else the next test would show nothing
}

class NoNetworkFamily : public ::testing::TestWithParam<std::pair<int, int>> {};
TEST_P(NoNetworkFamily, IsRefused) {
  const auto [family, type] = GetParam();
  EXPECT_EQ(in_child([family = family, type = type] { return forbid_network() ? try_socket(family, type) : 255; }),
            EACCES);
}
INSTANTIATE_TEST_SUITE_P(All, NoNetworkFamily,
                         ::testing::Values(std::pair{AF_INET, SOCK_STREAM}, std::pair{AF_INET, SOCK_DGRAM},
                                           std::pair{AF_INET6, SOCK_STREAM}, std::pair{AF_PACKET, SOCK_RAW},
                                           std::pair{AF_NETLINK, SOCK_RAW}, std::pair{AF_VSOCK, SOCK_STREAM},
                                           std::pair{AF_ALG, SOCK_SEQPACKET}));

TEST(NoNetwork, SocketsOfTheMachineStay) {
  EXPECT_EQ(in_child([] {
              if (!forbid_network()) return 255;
              int pair[2];
              if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) return errno;
              return try_socket(AF_UNIX);
            }),
            0);
}

TEST(NoNetwork, ThreadsThatRunAlreadyAreBoundToo) {
  EXPECT_EQ(in_child([] {
              int ready[2], result = 0;
              if (::pipe(ready) != 0) return 255;
              std::thread early([&] {
                char go = 0;
                (void)!::read(ready[0], &go, 1);
                result = try_socket(AF_INET);
              });
              const bool on = forbid_network().ok();
              (void)!::write(ready[1], "g", 1);
              early.join();
              return on ? result : 255;
            }),
            EACCES);
}

TEST(NoNetwork, RingsThatCouldOpenSocketsUnseenAreRefused) {
  EXPECT_EQ(in_child([] {
              if (!forbid_network()) return 255;
              return ::syscall(SYS_io_uring_setup, 1, nullptr) < 0 ? errno : 0;
            }),
            EACCES);
}

TEST(NoNetwork, TheFilterIsCounted) {
  const int before = count_syscall_filters();
  if (before < 0) GTEST_SKIP() << "/proc/self/status of this kernel does not count filters (before 5.9)";
  EXPECT_EQ(in_child([] {
              if (!forbid_network()) return 255;
              return count_syscall_filters(::getpid());
            }),
            before + 1);
  EXPECT_EQ(in_child([] { return forbid_network() ? ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) : 255; }), 1);
  EXPECT_EQ(count_syscall_filters(0x7ffffff0), -1);  // no such process
}

}  // namespace
}  // namespace rubato
