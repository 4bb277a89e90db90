// Element type and head width -> instantiation.
#include "kernels/attention/short_attention_cuda.cuh"

namespace rubato::kernels::cuda {
namespace {

template <typename T>
cudaError_t launch_for(const ShortAttentionArgs& args, cudaStream_t stream) {
  switch (args.width) {
    case 64:
      return launch_short_attention_for<T, 64>(args, stream);
    case 128:
      return launch_short_attention_for<T, 128>(args, stream);
    default:
      return cudaErrorInvalidValue;
  }
}

}  // namespace

int most_short_keys(int width) {
  constexpr int kMost = 192;  // with more, two blocks' keys and values do not fit a multiprocessor
  int device = 0, major = 0, bytes = 0;
  if ((width != 64 && width != 128) || cudaGetDevice(&device) != cudaSuccess ||
      cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) != cudaSuccess ||
      cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device) != cudaSuccess || major < 8) {
    return 0;
  }
  int keys = kMost;
  while (keys > 0 && short_attention_bytes(keys, width) > bytes) keys -= kKeysAtOnce;
  return keys;
}

cudaError_t launch_short_attention(Element element, const ShortAttentionArgs& args, cudaStream_t stream) {
  switch (element) {
    case Element::F16:
      return launch_for<__half>(args, stream);
    case Element::BF16:
      return launch_for<__nv_bfloat16>(args, stream);
    case Element::F32:
      break;
  }
  return cudaErrorInvalidValue;
}

}  // namespace rubato::kernels::cuda
