// Element type -> instantiation. The row norms of each type are compiled in a file of their own.
#include "kernels/norm/channel_norm_cuda.cuh"
#include "kernels/norm/row_norm_cuda.cuh"

namespace rubato::kernels::cuda {

extern template cudaError_t launch_row_norm_for<float>(RowNorm, const RowNormArgs&, cudaStream_t);
extern template cudaError_t launch_row_norm_for<__half>(RowNorm, const RowNormArgs&, cudaStream_t);
extern template cudaError_t launch_row_norm_for<__nv_bfloat16>(RowNorm, const RowNormArgs&, cudaStream_t);

cudaError_t launch_row_norm(Element element, RowNorm norm, const RowNormArgs& args, cudaStream_t stream) {
  switch (element) {
    case Element::F32:
      return launch_row_norm_for<float>(norm, args, stream);
    case Element::F16:
      return launch_row_norm_for<__half>(norm, args, stream);
    case Element::BF16:
      return launch_row_norm_for<__nv_bfloat16>(norm, args, stream);
  }
  return cudaErrorInvalidValue;
}

cudaError_t launch_channel_norm(Element element, bool silu, const ChannelNormArgs& args, cudaStream_t stream) {
  switch (element) {
    case Element::F32:
      return launch_channel_norm_for<float>(silu, args, stream);
    case Element::F16:
      return launch_channel_norm_for<__half>(silu, args, stream);
    case Element::BF16:
      return launch_channel_norm_for<__nv_bfloat16>(silu, args, stream);
  }
  return cudaErrorInvalidValue;
}

}  // namespace rubato::kernels::cuda
