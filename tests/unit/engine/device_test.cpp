#include "kernels/device.h"

#include <gtest/gtest.h>

namespace rubato {
namespace {

TEST(DeviceErrors, AfterSomeTheProcessMustEndAndAfterOutOfMemoryNot) {
  for (const char* fatal :
       {"CUDA error: an illegal memory access was encountered", "CUDA error: unspecified launch failure",
        "CUDA error: uncorrectable ECC error encountered", "CUDA error: device-side assert triggered",
        "step 3: CUDA error: unknown error\nCUDA kernel errors might be reported later"})
    EXPECT_TRUE(is_fatal_cuda_error(fatal)) << fatal;
  for (const char* harmless : {"CUDA error: out of memory", "CUDA error: invalid argument",
                               "CUDA out of memory. Tried to allocate 2 GiB", "the file ends in an unknown error", ""})
    EXPECT_FALSE(is_fatal_cuda_error(harmless)) << harmless;
}

}  // namespace
}  // namespace rubato
