#include "kernels/rope/rope_cuda.cuh"

namespace rubato::kernels::cuda {

cudaError_t launch_rms_norm_rope(Element element, const RmsNormRopeArgs& args, cudaStream_t stream) {
  switch (element) {
    case Element::F32:
      return launch_rms_norm_rope_for<float>(args, stream);
    case Element::F16:
      return launch_rms_norm_rope_for<__half>(args, stream);
    case Element::BF16:
      return launch_rms_norm_rope_for<__nv_bfloat16>(args, stream);
  }
  return cudaErrorInvalidValue;
}

}  // namespace rubato::kernels::cuda
