#include "kernels/rope/rope.h"

#include "engine/base/check.h"
#include "kernels/cpu/fused.h"
#include "kernels/cuda_backend.h"
#include "kernels/norm/norm.h"

namespace rubato::kernels {
namespace {

namespace ref {

// A pair is a complex number and the rotation a product with cos + i·sin.
at::Tensor rms_norm_rope(const at::Tensor& x, const at::Tensor& weight, double eps, const at::Tensor& cos,
                         const at::Tensor& sin, int heads) {
  const std::int64_t batch = x.size(0), tokens = x.size(1), pairs = cos.size(1);
  const at::Tensor wide = x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
  at::Tensor n = rms_norm(wide, weight.to(wide.scalar_type()), eps);  // ours alone: rotated in place
  at::view_as_complex(n.view({batch, tokens, heads, pairs, 2})).mul_(at::complex(cos, sin).unsqueeze(1));
  return n.view({batch, tokens, heads, 2 * pairs}).to(x.scalar_type());
}

}  // namespace ref
}  // namespace

at::Tensor rms_norm_rope(const at::Tensor& x, const at::Tensor& weight, double eps, const at::Tensor& cos,
                         const at::Tensor& sin, int heads) {
  RUBATO_CHECK(x.dim() == 3 && x.stride(2) == 1, "rms_norm_rope: x must be [B,S,H*d] with contiguous rows, got ",
               x.sizes());
  RUBATO_CHECK(heads > 0 && x.size(2) % (2 * heads) == 0, "rms_norm_rope: ", heads, " heads do not divide ", x.size(2));
  const auto table = x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  for (const at::Tensor& t : {cos, sin}) {
    const bool fits = t.dim() == 2 && t.size(0) == x.size(1) && t.size(1) == x.size(2) / heads / 2 && t.is_contiguous();
    RUBATO_CHECK(fits && t.scalar_type() == table && t.device() == x.device(), "rms_norm_rope: table ", t.sizes(),
                 " of ", t.scalar_type(), " does not fit x ", x.sizes(), " with ", heads, " heads");
  }
  RUBATO_CHECK(weight.dim() == 1 && weight.size(0) == x.size(2) && weight.device() == x.device(),
               "rms_norm_rope: weight ", weight.sizes(), " does not fit x ", x.sizes());
  const bool type_fits = weight.scalar_type() == x.scalar_type() || weight.scalar_type() == at::kFloat;
  RUBATO_CHECK(type_fits && weight.is_contiguous(), "rms_norm_rope: weight is ", weight.scalar_type(), " for x of ",
               x.scalar_type());
  if (on_cuda_backend(x)) return cuda_backend()->rms_norm_rope(x, weight, eps, cos, sin, heads);
  if (cpu::takes(x)) return cpu::rms_norm_rope(x, weight, eps, cos, sin, heads);
  return ref::rms_norm_rope(x, weight, eps, cos, sin, heads);
}

}  // namespace rubato::kernels
