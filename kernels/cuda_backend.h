// What librubato_cuda.so offers to the rest of Rubato: a table of functions. kernels/*.cpp call through it for
// CUDA tensors, after their checks; nothing else should.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/device.h"
#include "kernels/norm/norm.h"

namespace rubato::kernels {

struct CudaBackend {
  int (*device_count)();
  DeviceInfo (*device_info)(int index);
  CudaVersions (*versions)();

  // norm/norm.h, for float32, float16 and bfloat16. An undefined y means no residual, an undefined gate 1.
  ResidualNorm (*layer_norm_modulated)(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate,
                                       const at::Tensor& shift, const at::Tensor& scale, double eps);
  ResidualNorm (*layer_norm_affine)(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate,
                                    const at::Tensor& weight, const at::Tensor& bias, double eps);
  at::Tensor (*rms_norm)(const at::Tensor& x, const at::Tensor& weight, double eps);
  at::Tensor (*gated_residual)(const at::Tensor& x, const at::Tensor& y, const at::Tensor& gate);
  void (*channel_norm)(at::Tensor& y, const at::Tensor& x, const at::Tensor& gamma, bool silu);  // x, y channels-last
  // rope/rope.h
  at::Tensor (*rms_norm_rope)(const at::Tensor& x, const at::Tensor& weight, double eps, const at::Tensor& cos,
                              const at::Tensor& sin, int heads);
  // attention/attention.h; -> [B,S,H,d] contiguous. Over at most most_short_keys(), key_bias [T] float32 or undefined.
  std::int64_t (*most_short_keys)(at::Device device, std::int64_t head_width);
  at::Tensor (*short_attention)(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                const at::Tensor& key_bias, double scale);
  // Over any number of keys, for a head width of 128.
  bool (*hopper_attention_runs)(at::Device device);
  at::Tensor (*hopper_attention)(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale);
};

// Null until load_cuda() succeeded once.
const CudaBackend* cuda_backend();

// Whether a kernel of the backend takes this tensor: it is on a CUDA device, not empty, of an element type that the
// kernels are compiled for. Everything else goes the plain ATen way, on whatever device it is.
bool on_cuda_backend(const at::Tensor& x);

}  // namespace rubato::kernels
