// Tensor maps, element type -> instantiation, launch.
#include <cudaTypedefs.h>

#include "kernels/attention/hopper_attention_cuda.cuh"

namespace rubato::kernels::cuda {
namespace {

// From the driver, which the toolkit's stub library would otherwise have to be linked for.
PFN_cuTensorMapEncodeTiled_v12000 tensor_map_encoder() {
  static const auto encoder = [] {
    void* found = nullptr;
    cudaDriverEntryPointQueryResult result{};
    const auto error =
        cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &found, 12000, cudaEnableDefault, &result);
    if (error != cudaSuccess || result != cudaDriverEntryPointSuccess) found = nullptr;
    return reinterpret_cast<PFN_cuTensorMapEncodeTiled_v12000>(found);
  }();
  return encoder;
}

// Boxes of 64 columns and 128 keys of one head, swizzled as the products read them.
template <typename T>
cudaError_t describe(const HeadRows& rows, const HopperAttentionArgs& a, CUtensorMap& map) {
  constexpr cuuint32_t kRank = 4;
  const auto encode = tensor_map_encoder();
  if (encode == nullptr) return cudaErrorNotSupported;
  const auto bytes = [](std::int64_t elements) { return static_cast<cuuint64_t>(elements) * sizeof(T); };
  const cuuint64_t sizes[kRank] = {HopperAttention::kWidth, static_cast<cuuint64_t>(a.keys),
                                   static_cast<cuuint64_t>(a.heads), static_cast<cuuint64_t>(a.batch)};
  const cuuint64_t strides[kRank - 1] = {bytes(rows.token_stride), bytes(rows.head_stride), bytes(rows.batch_stride)};
  const cuuint32_t box[kRank] = {HopperAttention::kWidth / 2, HopperAttention::kKeys, 1, 1},
                   steps[kRank] = {1, 1, 1, 1};
  constexpr auto kType = std::is_same_v<T, __half> ? CU_TENSOR_MAP_DATA_TYPE_FLOAT16 : CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
  const CUresult result =
      encode(&map, kType, kRank, rows.data, sizes, strides, box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE,
             CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  return result == CUDA_SUCCESS ? cudaSuccess : cudaErrorInvalidValue;
}

template <typename T>
cudaError_t launch_for(const HopperAttentionArgs& a, cudaStream_t stream) {
  using A = HopperAttention;
  CUtensorMap k, v;
  if (const auto error = describe<T>(a.k, a, k); error != cudaSuccess) return error;
  if (const auto error = describe<T>(a.v, a, v); error != cudaSuccess) return error;
  const auto kernel = hopper_attention_kernel<T>;
  if (const auto error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, A::kBytes<T>);
      error != cudaSuccess) {
    return error;
  }
  const dim3 grid(static_cast<unsigned>((a.tokens + A::kRows - 1) / A::kRows), static_cast<unsigned>(a.heads),
                  static_cast<unsigned>(a.batch));
  kernel<<<grid, A::kThreads, A::kBytes<T>, stream>>>(k, v, a);
  return cudaGetLastError();
}

}  // namespace

bool hopper_attention_runs() {
#ifdef RUBATO_SM90A
  int device = 0, major = 0, minor = 0;
  return cudaGetDevice(&device) == cudaSuccess &&
         cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess &&
         cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device) == cudaSuccess && major == 9 &&
         minor == 0 && tensor_map_encoder() != nullptr;
#else
  return false;
#endif
}

cudaError_t launch_hopper_attention(Element element, const HopperAttentionArgs& args, cudaStream_t stream) {
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
