#include "kernels/attention/hopper_attention_cuda.h"
#include "kernels/attention/short_attention_cuda.h"
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

// The same for the copy engine, which wants a distance between samples, too.
at::Tensor apart(const at::Tensor& t) { return t.size(0) > 1 && t.stride(0) == 0 ? t.contiguous() : aligned(t); }

// What both kernels' arguments have in common.
template <typename Args>
Args args_of(const at::Tensor& out, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale) {
  RUBATO_CHECK(
      q.size(1) < std::int64_t{1} << 30 && k.size(1) < std::int64_t{1} << 30 && q.size(0) < 65536 && q.size(2) < 65536,
      "attention: q ", q.sizes(), ", k ", k.sizes());
  Args args;
  args.batch = static_cast<int>(q.size(0));
  args.tokens = static_cast<int>(q.size(1));
  args.heads = static_cast<int>(q.size(2));
  args.keys = static_cast<int>(k.size(1));
  args.scale = static_cast<float>(scale);
  args.q = head_rows_of(q);
  args.k = head_rows_of(k);
  args.v = head_rows_of(v);
  args.out = head_rows_of(out);
  return args;
}

}  // namespace

std::int64_t most_short_keys(at::Device device, std::int64_t width) {
  const c10::cuda::CUDAGuard guard(device);
  return cuda::most_short_keys(static_cast<int>(width));
}

at::Tensor short_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& key_bias,
                           double scale) {
  const c10::cuda::CUDAGuard guard(q.device());
  const at::Tensor out = at::empty(q.sizes(), q.options()), queries = aligned(q), keys = aligned(k),
                   values = aligned(v);
  const at::Tensor bias = key_bias.defined() ? key_bias.contiguous() : key_bias;
  auto args = args_of<ShortAttentionArgs>(out, queries, keys, values, scale);
  args.width = static_cast<int>(q.size(3));
  args.key_bias = bias.defined() ? bias.const_data_ptr<float>() : nullptr;
  C10_CUDA_CHECK(launch_short_attention(element_of(q), args, c10::cuda::getCurrentCUDAStream()));
  return out;
}

bool hopper_attention_runs(at::Device device) {
  const c10::cuda::CUDAGuard guard(device);
  return cuda::hopper_attention_runs();
}

at::Tensor hopper_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale) {
  const c10::cuda::CUDAGuard guard(q.device());
  const at::Tensor out = at::empty(q.sizes(), q.options()), queries = aligned(q), keys = apart(k), values = apart(v);
  const auto args = args_of<HopperAttentionArgs>(out, queries, keys, values, scale);
  C10_CUDA_CHECK(launch_hopper_attention(element_of(q), args, c10::cuda::getCurrentCUDAStream()));
  return out;
}

}  // namespace rubato::kernels::cuda
