#include "kernels/norm/row_norm_cuda.cuh"

namespace rubato::kernels::cuda {

template cudaError_t launch_row_norm_for<float>(RowNorm, const RowNormArgs&, cudaStream_t);

}  // namespace rubato::kernels::cuda
