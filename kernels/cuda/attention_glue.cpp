#include "kernels/attention/attention_cuda.h"
#include "kernels/cuda/glue.h"

namespace rubato::kernels::cuda {

void merge_attention(at::Tensor& a, const at::Tensor& log_sum_a, const at::Tensor& b, const at::Tensor& log_sum_b) {
  RUBATO_CHECK(a.is_contiguous() && b.is_contiguous() && a.sizes() == b.sizes(), "merge_attention: a ", a.sizes(),
               ", b ", b.sizes());
  for (const at::Tensor& sum : {log_sum_a, log_sum_b}) {
    RUBATO_CHECK(sum.is_contiguous() && sum.scalar_type() == at::kFloat && sum.numel() * a.size(3) == a.numel(),
                 "merge_attention: log sum ", sum.sizes(), " of ", sum.scalar_type());
  }
  const c10::cuda::CUDAGuard guard(a.device());
  MergeArgs args;
  args.batch = a.size(0);
  args.tokens = a.size(1);
  args.heads = static_cast<int>(a.size(2));
  args.width = static_cast<int>(a.size(3));
  args.a = a.mutable_data_ptr();
  args.b = b.const_data_ptr();
  args.log_sum_a = log_sum_a.const_data_ptr<float>();
  args.log_sum_b = log_sum_b.const_data_ptr<float>();
  C10_CUDA_CHECK(launch_merge_attention(element_of(a), args, c10::cuda::getCurrentCUDAStream()));
}

}  // namespace rubato::kernels::cuda
