// A tensor of attention on raw device pointers: what launchers of attention kernels take. No torch, no device code.
#pragma once

#include <cstdint>

namespace rubato::kernels::cuda {

// [batch,tokens,heads,width] with contiguous width; distances in elements, multiples of one 16-byte access; the data
// begins on 16 bytes.
struct HeadRows {
  void* data = nullptr;
  std::int64_t batch_stride = 0, token_stride = 0, head_stride = 0;
};

}  // namespace rubato::kernels::cuda
