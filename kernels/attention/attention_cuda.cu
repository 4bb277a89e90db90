// One block per token, one 16-byte access per thread: bound by reading a and b and writing a.
#include <algorithm>

#include "kernels/attention/attention_cuda.h"
#include "kernels/cuda/vector.cuh"

namespace rubato::kernels::cuda {
namespace {

template <typename T>
__global__ void merge_attention_kernel(const MergeArgs m) {
  constexpr int n = kPerVector<T>;
  const std::int64_t token = blockIdx.x, batch = blockIdx.y;
  const int row = m.heads * m.width;
  T* a = static_cast<T*>(m.a) + (batch * m.tokens + token) * row;
  const T* b = static_cast<const T*>(m.b) + (batch * m.tokens + token) * row;
  for (int column = static_cast<int>(threadIdx.x) * n; column < row; column += static_cast<int>(blockDim.x) * n) {
    Pack<T, n> left = load_once<T, n>(a + column);
    const Pack<T, n> right = load_once<T, n>(b + column);
    const std::int64_t sum = (batch * m.heads + column / m.width) * m.tokens + token;
    const float share = 1.0f / (1.0f + expf(m.log_sum_a[sum] - m.log_sum_b[sum]));  // of b
#pragma unroll
    for (int i = 0; i < n; ++i) {
      const float l = to_float(left.v[i]);
      left.v[i] = from_float<T>(fmaf(share, to_float(right.v[i]) - l, l));
    }
    store(a + column, left);
  }
}

template <typename T>
cudaError_t launch(const MergeArgs& m, cudaStream_t stream) {
  const int packs = m.heads * m.width / kPerVector<T>;
  const dim3 grid(static_cast<unsigned>(m.tokens), static_cast<unsigned>(m.batch));
  merge_attention_kernel<T><<<grid, std::clamp((packs + 31) / 32 * 32, 32, 512), 0, stream>>>(m);
  return cudaGetLastError();
}

}  // namespace

cudaError_t launch_merge_attention(Element element, const MergeArgs& args, cudaStream_t stream) {
  switch (element) {
    case Element::F32:
      return launch<float>(args, stream);
    case Element::F16:
      return launch<__half>(args, stream);
    case Element::BF16:
      return launch<__nv_bfloat16>(args, stream);
  }
  return cudaErrorInvalidValue;
}

}  // namespace rubato::kernels::cuda
