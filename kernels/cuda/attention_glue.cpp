#include "kernels/attention/attention_cuda.h"
#include "kernels/cuda/glue.h"

namespace rubato::kernels::cuda {
namespace {

HeadRows head_rows_of(const at::Tensor& t) {
  return {const_cast<void*>(t.const_data_ptr()), t.stride(0), t.stride(1), t.stride(2)};
}

// The tensor itself, or a copy, where its rows do not begin on 16 bytes.
at::Tensor aligned(const at::Tensor& t) {
  const std::int64_t n = 16 / t.element_size();
  const bool fits = t.stride(3) == 1 && t.stride(0) % n == 0 && t.stride(1) % n == 0 && t.stride(2) % n == 0 &&
                    reinterpret_cast<std::uintptr_t>(t.const_data_ptr()) % 16 == 0;
  return fits ? t : t.clone(at::MemoryFormat::Contiguous);
}

}  // namespace

std::int64_t most_short_keys(at::Device device, std::int64_t width) {
  const c10::cuda::CUDAGuard guard(device);
  return cuda::most_short_keys(static_cast<int>(width));
}

void short_attention(at::Tensor& out, const at::Tensor& log_sum, const at::Tensor& q, const at::Tensor& k,
                     const at::Tensor& v, const at::Tensor& key_bias, double scale) {
  RUBATO_CHECK(q.size(1) < std::int64_t{1} << 30 && q.size(0) < 65536 && q.size(2) < 65536, "short_attention: q ",
               q.sizes());
  for (const at::Tensor* list : {&log_sum, &key_bias}) {
    RUBATO_CHECK(!list->defined() ||
                     (list->is_contiguous() && list->scalar_type() == at::kFloat && list->device() == q.device()),
                 "short_attention: bias or log sum ", list->sizes(), " of ", list->scalar_type());
  }
  const c10::cuda::CUDAGuard guard(q.device());
  const at::Tensor queries = aligned(q), keys = aligned(k), values = aligned(v);
  ShortAttentionArgs args;
  args.batch = static_cast<int>(q.size(0));
  args.tokens = static_cast<int>(q.size(1));
  args.heads = static_cast<int>(q.size(2));
  args.width = static_cast<int>(q.size(3));
  args.keys = static_cast<int>(k.size(1));
  args.scale = static_cast<float>(scale);
  args.q = head_rows_of(queries);
  args.k = head_rows_of(keys);
  args.v = head_rows_of(values);
  args.out = head_rows_of(out);
  args.key_bias = key_bias.defined() ? key_bias.const_data_ptr<float>() : nullptr;
  args.log_sum = log_sum.defined() ? log_sum.const_data_ptr<float>() : nullptr;
  C10_CUDA_CHECK(launch_short_attention(element_of(q), args, c10::cuda::getCurrentCUDAStream()));
}

}  // namespace rubato::kernels::cuda
