// Rotary position embedding, fused with the norm that stands before it.
#pragma once

#include <ATen/core/Tensor.h>

namespace rubato::kernels {

// RMS norm of queries or keys over all heads together, then rotation of each head's pairs (Wan: "rms_norm_across_heads"
// and interleaved RoPE): with n = rms_norm(x, weight, eps), position s and pair i of a head
//   out[2i]   = n[2i]·cos[s,i] − n[2i+1]·sin[s,i]
//   out[2i+1] = n[2i]·sin[s,i] + n[2i+1]·cos[s,i].
// x [B,S,H·d] with a contiguous last dimension (a slice of a fused projection will do); weight [H·d] in x's dtype or
// float32; cos, sin [S,d/2] float32 (float64 with a float64 x). Result [B,S,H,d] in x's dtype, computed in float32.
at::Tensor rms_norm_rope(const at::Tensor& x, const at::Tensor& weight, double eps, const at::Tensor& cos,
                         const at::Tensor& sin, int heads);

}  // namespace rubato::kernels
