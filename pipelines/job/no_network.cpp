#include "pipelines/job/no_network.h"

#include <fmt/format.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <string>

namespace rubato {
namespace {

#if defined(__x86_64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "name the audit architecture of this processor"
#endif

static_assert(std::endian::native == std::endian::little, "the filter reads the low half of an argument first");

constexpr sock_filter load(std::size_t offset) {
  return {BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<unsigned>(offset)};
}
constexpr sock_filter skip_if(unsigned test, unsigned value, unsigned yes, unsigned no) {
  return {static_cast<unsigned short>(BPF_JMP | BPF_K | test), static_cast<unsigned char>(yes),
          static_cast<unsigned char>(no), value};
}
constexpr sock_filter answer(unsigned value) { return {BPF_RET | BPF_K, 0, 0, value}; }

// The kernel takes the family as an int, so the upper half of the argument counts for nothing.
constexpr std::size_t kFamily = offsetof(seccomp_data, args);
constexpr unsigned kX32 = 0x40000000;  // the bit of x32 calls, which have x86-64's architecture and their own numbers

constexpr std::array kFilter{
    load(offsetof(seccomp_data, arch)),
    skip_if(BPF_JEQ, kArchitecture, 1, 0),  // 32-bit calls have other numbers, and nothing here makes any
    answer(SECCOMP_RET_KILL_PROCESS),
    load(offsetof(seccomp_data, nr)),
    skip_if(BPF_JGE, kX32, 6, 0),
    skip_if(BPF_JEQ, SYS_io_uring_setup, 5, 0),
    skip_if(BPF_JEQ, SYS_socket, 2, 0),
    skip_if(BPF_JEQ, SYS_socketpair, 1, 0),
    answer(SECCOMP_RET_ALLOW),
    load(kFamily),
    skip_if(BPF_JEQ, AF_UNIX, 1, 0),
    answer(SECCOMP_RET_ERRNO | EACCES),
    answer(SECCOMP_RET_ALLOW),
};

}  // namespace

Result<> forbid_network() {
  const auto refused = [] {
    return Error{ErrorCode::Failed, fmt::format("the network could not be forbidden: {}", std::strerror(errno))};
  };
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused();
  const sock_fprog program{kFilter.size(), const_cast<sock_filter*>(kFilter.data())};  // the kernel only reads it
  // TSYNC: libraries may have started threads before main().
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0) return refused();
  return {};
}

int count_syscall_filters(pid_t pid) {
  std::ifstream status(pid == 0 ? std::string("/proc/self/status") : fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("Seccomp_filters:")) return std::atoi(line.c_str() + std::strlen("Seccomp_filters:"));
  return -1;
}

}  // namespace rubato
