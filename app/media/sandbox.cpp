#include "app/media/sandbox.h"

#include <fmt/format.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <vector>

// The address sanitizer reserves terabytes of address space, so a limit on it would end the program at once.
#if defined(__SANITIZE_ADDRESS__)
#define RUBATO_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RUBATO_ADDRESS_SANITIZER 1
#endif
#endif

namespace rubato {
namespace {

#if defined(__x86_64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "name the audit architecture of this processor"
#endif

// Refused with EPERM. Decoders get along without them: libraries that try (to count processors, say) fall back.
const std::vector<long>& refused_calls() {
  static const std::vector<long> calls{
      SYS_openat,
      SYS_openat2,
      SYS_unlinkat,
      SYS_renameat2,
      SYS_mkdirat,
      SYS_mknodat,
      SYS_linkat,
      SYS_symlinkat,
      SYS_fchmodat,
      SYS_fchmod,
      SYS_fchownat,
      SYS_fchown,
      SYS_truncate,
      SYS_utimensat,
      SYS_chroot,
      SYS_mount,
      SYS_umount2,
      SYS_pivot_root,
      SYS_setxattr,
      SYS_execve,
      SYS_execveat,
      SYS_socket,
      SYS_socketpair,
      SYS_connect,
      SYS_bind,
      SYS_listen,
      SYS_accept,
      SYS_accept4,
      SYS_sendto,
      SYS_sendmsg,
      SYS_sendmmsg,
      SYS_ptrace,
      SYS_process_vm_readv,
      SYS_process_vm_writev,
      SYS_pidfd_getfd,
      SYS_kill,
      SYS_setuid,
      SYS_setgid,
      SYS_setns,
      SYS_unshare,
      SYS_bpf,
      SYS_perf_event_open,
      SYS_userfaultfd,
      SYS_io_uring_setup,
      SYS_keyctl,
      SYS_add_key,
      SYS_request_key,
      SYS_open_by_handle_at,
      SYS_init_module,
      SYS_finit_module,
      SYS_kexec_load,
      SYS_prlimit64,
#if defined(__x86_64__)  // the old names that newer processors never had
      SYS_open,
      SYS_creat,
      SYS_unlink,
      SYS_rename,
      SYS_renameat,
      SYS_mkdir,
      SYS_rmdir,
      SYS_mknod,
      SYS_link,
      SYS_symlink,
      SYS_chmod,
      SYS_chown,
      SYS_lchown,
      SYS_utime,
      SYS_utimes,
      SYS_fork,
      SYS_vfork,
      SYS_setrlimit,
#endif
  };
  return calls;
}

sock_filter statement(unsigned code, unsigned value) { return {static_cast<std::uint16_t>(code), 0, 0, value}; }
sock_filter jump(unsigned code, unsigned value, unsigned yes, unsigned no) {
  return {static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(yes), static_cast<std::uint8_t>(no), value};
}

std::vector<sock_filter> make_filter() {
  constexpr unsigned kLoad = BPF_LD | BPF_W | BPF_ABS, kEqual = BPF_JMP | BPF_JEQ | BPF_K, kReturn = BPF_RET | BPF_K;
  constexpr unsigned kRefuse = SECCOMP_RET_ERRNO | EPERM;
  std::vector<sock_filter> filter{
      statement(kLoad, offsetof(seccomp_data, arch)),
      jump(kEqual, kArchitecture, 1, 0),
      statement(kReturn, SECCOMP_RET_KILL_PROCESS),
      statement(kLoad, offsetof(seccomp_data, nr)),
#if defined(__x86_64__)
      jump(BPF_JMP | BPF_JGE | BPF_K, 0x40000000u, 0, 1),  // the x32 numbers would go round the list
      statement(kReturn, kRefuse),
#endif
      // clone3 hides its flags behind a pointer; "no such call" makes the C library use clone.
      jump(kEqual, SYS_clone3, 0, 1),
      statement(kReturn, SECCOMP_RET_ERRNO | ENOSYS),
  };
  for (const long call : refused_calls()) {
    filter.push_back(jump(kEqual, static_cast<unsigned>(call), 0, 1));
    filter.push_back(statement(kReturn, kRefuse));
  }
  // Threads yes, processes no.
  filter.push_back(jump(kEqual, SYS_clone, 0, 3));
  filter.push_back(statement(kLoad, offsetof(seccomp_data, args[0])));
  filter.push_back(jump(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0));
  filter.push_back(statement(kReturn, kRefuse));
  filter.push_back(statement(kReturn, SECCOMP_RET_ALLOW));
  return filter;
}

bool limit(int resource, unsigned long long most) {
  rlimit now{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &now) != 0) return false;
  const rlim_t wanted = std::min<rlim_t>(most, now.rlim_max);
  const rlimit lower{wanted, wanted};
  return ::setrlimit(static_cast<__rlimit_resource>(resource), &lower) == 0;
}

Error refused(const char* what) {
  return {ErrorCode::Failed,
          fmt::format("the reader of media files could not give up its rights ({}: {}), so it reads nothing", what,
                      std::strerror(errno))};
}

}  // namespace

Result<> enter_sandbox(const SandboxLimits& limits) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return refused("parent death signal");
#ifndef RUBATO_ADDRESS_SANITIZER
  if (!limit(RLIMIT_AS, limits.memory_bytes)) return refused("memory limit");
#endif
  if (!limit(RLIMIT_CPU, limits.cpu_seconds)) return refused("time limit");
  if (!limit(RLIMIT_FSIZE, limits.output_bytes)) return refused("output limit");
  if (!limit(RLIMIT_CORE, 0)) return refused("no core files");
  ::signal(SIGXFSZ, SIG_IGN);  // a write beyond the limit is an error, not the end
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("no new privileges");
  std::vector<sock_filter> filter = make_filter();
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) return refused("system call filter");
  return {};
}

}  // namespace rubato
