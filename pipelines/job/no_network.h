// Isolation of a process that reads what others wrote: no sockets but those of the machine itself.
#pragma once

#include <sys/types.h>

#include "engine/base/error.h"

namespace rubato {

// From here on this process, all its threads and everything it starts cannot make a socket of any family but AF_UNIX:
// socket() and socketpair() fail with EACCES, and so does io_uring, which could make them unseen. Descriptors that are
// open stay usable. It cannot be undone. Rights can no longer be gained by exec (no_new_privs), which the kernel asks
// for. Failed, with the system's reason, when the kernel has no such filter; nothing has changed then.
//
// CUDA needs no network within one process. Collectives over several GPUs (NCCL) talk over TCP even on one host, so a
// worker that uses them must set them up before.
Result<> forbid_network();

// How many system call filters a process runs under (a container may add its own); -1 where /proc does not tell.
// pid 0: this process.
int count_syscall_filters(pid_t pid = 0);

}  // namespace rubato
