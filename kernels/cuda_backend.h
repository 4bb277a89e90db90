// What librubato_cuda.so offers to the rest of Rubato: a table of functions. kernels/*.cpp call through it for
// CUDA tensors; nothing else should.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/device.h"

namespace rubato::kernels {

struct CudaBackend {
  int (*device_count)();
  DeviceInfo (*device_info)(int index);
};

// Null until load_cuda() succeeded once.
const CudaBackend* cuda_backend();

}  // namespace rubato::kernels
