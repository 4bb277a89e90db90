// The one exported symbol of librubato_cuda.so: the table of functions.
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/cuda/CUDAFunctions.h>

#include "kernels/cuda/glue.h"
#include "kernels/cuda_backend.h"

namespace rubato::kernels::cuda {
namespace {

DeviceInfo device_info(int index) {
  cudaDeviceProp properties{};
  C10_CUDA_CHECK(cudaGetDeviceProperties(&properties, index));
  const c10::cuda::CUDAGuard guard(static_cast<c10::DeviceIndex>(index));
  std::size_t free = 0, total = 0;
  C10_CUDA_CHECK(cudaMemGetInfo(&free, &total));
  return {"cuda:" + std::to_string(index), properties.name, total, free, properties.major, properties.minor};
}

CudaVersions versions() {
  CudaVersions v;
  C10_CUDA_CHECK(cudaDriverGetVersion(&v.driver));
  C10_CUDA_CHECK(cudaRuntimeGetVersion(&v.runtime));
  v.cudnn = at::detail::getCUDAHooks().versionRuntimeCuDNN();
  return v;
}

}  // namespace
}  // namespace rubato::kernels::cuda

extern "C" __attribute__((visibility("default"))) const rubato::kernels::CudaBackend* rubato_cuda_backend() {
  namespace cuda = rubato::kernels::cuda;
  static const rubato::kernels::CudaBackend table{
      .device_count = [] { return static_cast<int>(c10::cuda::device_count()); },
      .device_info = cuda::device_info,
      .versions = cuda::versions,
      .layer_norm_modulated = cuda::layer_norm_modulated,
      .layer_norm_affine = cuda::layer_norm_affine,
      .rms_norm = cuda::rms_norm,
      .gated_residual = cuda::gated_residual,
      .channel_norm = cuda::channel_norm,
      .rms_norm_rope = cuda::rms_norm_rope,
      .most_short_keys = cuda::most_short_keys,
      .short_attention = cuda::short_attention,
      .hopper_attention_runs = cuda::hopper_attention_runs,
      .hopper_attention = cuda::hopper_attention,
  };
  return &table;
}
