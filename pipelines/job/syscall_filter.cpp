#include "pipelines/job/syscall_filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace rubato {
namespace {

#if defined(__x86_64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "name the audit architecture of this processor"
#endif

constexpr unsigned kX32 = 0x40000000;  // the bit of x32 calls, which have x86-64's architecture and their own numbers
static_assert(std::endian::native == std::endian::little, "the low half of an argument comes first");

sock_filter load(std::size_t offset) { return {BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(offset)}; }
sock_filter skip_if(unsigned test, unsigned value, unsigned yes, unsigned no) {
  return {static_cast<std::uint16_t>(BPF_JMP | BPF_K | test), static_cast<std::uint8_t>(yes),
          static_cast<std::uint8_t>(no), value};
}
sock_filter answer(unsigned value) { return {BPF_RET | BPF_K, 0, 0, value}; }
sock_filter refusal(int error) { return answer(SECCOMP_RET_ERRNO | static_cast<unsigned>(error)); }

}  // namespace

SyscallFilter::SyscallFilter(int error) : error_(error) {
  program_ = {load(offsetof(seccomp_data, arch)), skip_if(BPF_JEQ, kArchitecture, 1, 0),
              answer(SECCOMP_RET_KILL_PROCESS),  // nothing here makes such calls
              load(offsetof(seccomp_data, nr)),   skip_if(BPF_JGE, kX32, 0, 1),          refusal(error)};
}

void SyscallFilter::refuse(long call) { refuse(call, error_); }

void SyscallFilter::refuse(long call, int error) {
  program_.push_back(skip_if(BPF_JEQ, static_cast<unsigned>(call), 0, 1));
  program_.push_back(refusal(error));
}

void SyscallFilter::allow_only_value(long call, std::size_t argument, unsigned value) {
  allow_only(call, argument, BPF_JEQ, value);
}

void SyscallFilter::allow_only_bits(long call, std::size_t argument, unsigned bits) {
  allow_only(call, argument, BPF_JSET, bits);
}

void SyscallFilter::allow_only(long call, std::size_t argument, unsigned test, unsigned value) {
  program_.push_back(skip_if(BPF_JEQ, static_cast<unsigned>(call), 0, 4));
  program_.push_back(load(offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t)));
  program_.push_back(skip_if(test, value, 1, 0));
  program_.push_back(refusal(error_));
  program_.push_back(answer(SECCOMP_RET_ALLOW));
}

Result<> SyscallFilter::install() const {
  auto program = program_;
  program.push_back(answer(SECCOMP_RET_ALLOW));
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  // TSYNC: libraries may have started threads before main().
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) != 0)
    return Error{ErrorCode::Failed, std::strerror(errno)};
  return {};
}

}  // namespace rubato
