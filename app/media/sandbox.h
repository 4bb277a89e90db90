// Gives up, for the rest of this process, everything that decoding does not need.
#pragma once

#include "engine/base/error.h"

namespace rubato {

struct SandboxLimits {
  unsigned long long memory_bytes = 6ull << 30;  // address space: a 268 Mpx picture of 16-bit RGBA and its RGB fit
  unsigned long long output_bytes = 8ull << 30;  // of any file or memfd written
  unsigned cpu_seconds = 300;
};

// Call once, single-threaded, after every file is open. From then on the process cannot open or change files, start
// programs, use sockets, or outgrow the limits; descriptors that are open stay usable. The process also ends when its
// parent does. Failed when the kernel refuses, so that nothing untrusted is decoded without it.
Result<> enter_sandbox(const SandboxLimits& limits = {});

}  // namespace rubato
