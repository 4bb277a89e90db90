#include "kernels/gemm/linear.h"

#include "engine/base/check.h"
#include "kernels/cpu/fused.h"

namespace rubato::kernels {
namespace {

void check_linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b) {
  RUBATO_CHECK(w.dim() == 2 && x.dim() >= 2 && x.size(-1) == w.size(1), "linear: weight ", w.sizes(),
               " does not fit x ", x.sizes());
  RUBATO_CHECK(!b.defined() || (b.dim() == 1 && b.size(0) == w.size(0)), "linear: bias ", b.sizes(),
               " does not fit weight ", w.sizes());
}

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b) {
  check_linear(x, w, b);
  return at::linear(x, w, b.defined() ? std::optional<at::Tensor>(b) : std::nullopt);
}

at::Tensor linear_gelu_tanh(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b) {
  check_linear(x, w, b);
  if (x.is_cuda() && b.defined()) {
    std::vector<std::int64_t> shape = x.sizes().vec();
    shape.back() = w.size(0);
    // On CUDA this is cuBLASLt's GELU epilogue, which is the tanh form. (On the CPU it would be the erf form.)
    return at::_addmm_activation(b, x.reshape({-1, x.size(-1)}), w.t(), 1, 1, /*use_gelu=*/true).view(shape);
  }
  at::Tensor y = linear(x, w, b);
  if (!cpu::takes(y)) return at::gelu_(y, "tanh");
  cpu::gelu_tanh_(y);
  return y;
}

}  // namespace rubato::kernels
