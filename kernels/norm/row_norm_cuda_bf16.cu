#include "kernels/norm/row_norm_cuda.cuh"

namespace rubato::kernels::cuda {

template cudaError_t launch_row_norm_for<__nv_bfloat16>(RowNorm, const RowNormArgs&, cudaStream_t);

}  // namespace rubato::kernels::cuda
