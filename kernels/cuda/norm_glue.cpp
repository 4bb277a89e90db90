#include "kernels/cuda/glue.h"
#include "kernels/rope/rope_cuda.h"

namespace rubato::kernels::cuda {
namespace {

// Fills in what all row norms have in common, allocates the results, launches on the current stream.
ResidualNorm run(RowNorm norm, RowNormArgs args, const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate,
                 double eps) {
  const c10::cuda::CUDAGuard guard(x.device());
  ResidualNorm out{y.defined() ? at::empty(x.sizes(), x.options()) : x,
                   norm == RowNorm::None ? at::Tensor() : at::empty(x.sizes(), x.options())};
  args.batch = x.size(0);
  args.tokens = x.size(1);
  args.width = static_cast<int>(x.size(2));
  args.eps = static_cast<float>(eps);
  args.x = rows_of(x);
  args.y = rows_of(y);
  args.gate = row_vector_of(gate, x.size(1));
  args.sum = y.defined() ? out.x.mutable_data_ptr() : nullptr;
  args.norm = out.n.defined() ? out.n.mutable_data_ptr() : nullptr;
  C10_CUDA_CHECK(launch_row_norm(element_of(x), norm, args, c10::cuda::getCurrentCUDAStream()));
  return out;
}

// Weight and bias in one dtype: the kernel has one switch for both.
struct Affine {
  at::Tensor weight, bias;
  Affine(const at::Tensor& w, const at::Tensor& b) : weight(w), bias(b) {
    if (weight.scalar_type() == bias.scalar_type()) return;
    weight = weight.to(at::kFloat);
    bias = bias.to(at::kFloat);
  }
};

}  // namespace

ResidualNorm layer_norm_modulated(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate,
                                  const at::Tensor& shift, const at::Tensor& scale, double eps) {
  RowNormArgs args;
  args.shift = row_vector_of(shift, x.size(1));
  args.scale = row_vector_of(scale, x.size(1));
  return run(RowNorm::LayerModulated, args, x, y, gate, eps);
}

ResidualNorm layer_norm_affine(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate,
                               const at::Tensor& weight, const at::Tensor& bias, double eps) {
  const Affine affine(weight, bias);
  RowNormArgs args;
  args.weight = affine.weight.const_data_ptr();
  args.bias = affine.bias.const_data_ptr();
  args.weight_is_float = affine.weight.scalar_type() == at::kFloat;
  return run(RowNorm::LayerAffine, args, x, y, gate, eps);
}

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps) {
  RowNormArgs args;
  args.weight = weight.const_data_ptr();
  args.weight_is_float = weight.scalar_type() == at::kFloat;
  return run(RowNorm::Rms, args, x, {}, {}, eps).n;
}

at::Tensor gated_residual(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate) {
  return run(RowNorm::None, {}, x, y, gate, 0).x;
}

void channel_norm(at::Tensor& y, const at::Tensor& x, const at::Tensor& gamma, bool silu) {
  const c10::cuda::CUDAGuard guard(x.device());
  const at::Tensor scale = gamma.contiguous();
  ChannelNormArgs args;
  args.pixels = x.numel() / x.size(1);
  args.channels = static_cast<int>(x.size(1));
  args.x = x.const_data_ptr();
  args.gamma = scale.const_data_ptr();
  args.gamma_is_float = scale.scalar_type() == at::kFloat;
  args.out = y.mutable_data_ptr();
  C10_CUDA_CHECK(launch_channel_norm(element_of(x), silu, args, c10::cuda::getCurrentCUDAStream()));
}

at::Tensor rms_norm_rope(const at::Tensor& x, const at::Tensor& weight, double eps, const at::Tensor& cos,
                         const at::Tensor& sin, int heads) {
  const c10::cuda::CUDAGuard guard(x.device());
  const int width = static_cast<int>(x.size(2));
  at::Tensor out = at::empty({x.size(0), x.size(1), heads, width / heads}, x.options());
  RmsNormRopeArgs args;
  args.batch = x.size(0);
  args.tokens = x.size(1);
  args.width = width;
  args.head_width = width / heads;
  args.eps = static_cast<float>(eps);
  args.x = rows_of(x);
  args.weight = weight.const_data_ptr();
  args.weight_is_float = weight.scalar_type() == at::kFloat;
  args.cos = cos.const_data_ptr<float>();
  args.sin = sin.const_data_ptr<float>();
  args.out = out.mutable_data_ptr();
  C10_CUDA_CHECK(launch_rms_norm_rope(element_of(x), args, c10::cuda::getCurrentCUDAStream()));
  return out;
}

}  // namespace rubato::kernels::cuda
