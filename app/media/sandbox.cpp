#include "app/media/sandbox.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <vector>

#include "pipelines/job/syscall_filter.h"

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

SyscallFilter make_filter() {
  SyscallFilter filter(EPERM);
  filter.refuse(SYS_clone3,
                ENOSYS);  // it hides its flags behind a pointer; "no such call" makes the C library use clone
  for (const long call : refused_calls()) filter.refuse(call);
  filter.allow_only_bits(SYS_clone, 0, CLONE_THREAD);  // threads yes, processes no
  return filter;
}

bool limit(int resource, unsigned long long most) {
  rlimit now{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &now) != 0) return false;
  const rlim_t wanted = std::min<rlim_t>(most, now.rlim_max);
  const rlimit lower{wanted, wanted};
  return ::setrlimit(static_cast<__rlimit_resource>(resource), &lower) == 0;
}

Error refused(const char* what, const std::string& why = std::strerror(errno)) {
  return {
      ErrorCode::Failed,
      fmt::format("the reader of media files could not give up its rights ({}: {}), so it reads nothing", what, why)};
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
  if (const auto installed = make_filter().install(); !installed)
    return refused("system call filter", installed.error().message);
  return {};
}

}  // namespace rubato
