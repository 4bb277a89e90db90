// SyscallFilter: system calls that this process is to be refused, for good and for its children too (seccomp).
//
// What is not named is allowed. Calls of other architectures (32-bit, x32), whose numbers differ, are no way round:
// the first end the process, the second are refused. Source: seccomp(2), linux/filter.h.
#pragma once

#include <linux/filter.h>

#include <cstddef>
#include <vector>

#include "engine/base/error.h"

namespace rubato {

class SyscallFilter {
 public:
  // `error` is the errno that refused calls give.
  explicit SyscallFilter(int error);

  void refuse(long call);
  // The call answers with another errno.
  void refuse(long call, int error);
  // Only with this value, or at least one of these bits, in the low half of an argument (counted from 0) is the call
  // allowed.
  void allow_only_value(long call, std::size_t argument, unsigned value);
  void allow_only_bits(long call, std::size_t argument, unsigned bits);

  // For all threads. The process gains no privileges by exec any more. Failed, with the reason.
  Result<> install() const;

 private:
  void allow_only(long call, std::size_t argument, unsigned test, unsigned value);

  int error_;
  std::vector<sock_filter> program_;
};

}  // namespace rubato
