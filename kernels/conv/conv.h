// Convolutions over video in channels-last memory: [B,F,H,W,C] contiguous in, [B,F',H',W',O] contiguous out.
//
// B batch, F frames, C and O channels. One sample's pixels are rows of C numbers, which is what the fast
// convolutions of oneDNN and cuDNN want, so nothing is reordered between layers.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <vector>

namespace rubato::kernels {

struct ConvSteps {
  std::array<std::int64_t, 3> stride{1, 1, 1};   // F, H, W
  std::array<std::int64_t, 3> padding{0, 0, 0};  // zeros on both sides
};

// The weights of one convolution, laid out once for the device they are on. A value; copies share the weights.
// Safe from several threads.
class PackedConv {
 public:
  PackedConv() = default;
  // weight [O,C,kF,kH,kW], bias [O]; both on the device and in the dtype that the inputs will have.
  PackedConv(const at::Tensor& weight, const at::Tensor& bias, const ConvSteps& steps = {});

  // x [B,F,H,W,C] contiguous. InternalError when it does not fit the weights.
  at::Tensor operator()(const at::Tensor& x) const;
  // sum += conv(x); sum has the shape of the result and is contiguous.
  void add_to(at::Tensor& sum, const at::Tensor& x) const;

 private:
  // How a convolution runs. OneDnn: weights in oneDNN's own blocked layout. Library: at::convolution, which picks
  // cuDNN on a GPU.
  enum class Path { OneDnn, Library };
  static Path fastest(const at::Tensor& weight);
  at::Tensor view(const at::Tensor& x) const;  // as the library wants it: channels second, strides unchanged
  at::Tensor restored(const at::Tensor& y, const at::Tensor& x) const;  // and back

  at::Tensor weight_, bias_;
  std::vector<std::int64_t> stride_, padding_, dilation_;
  std::int64_t in_channels_ = 0, out_channels_ = 0;
  bool planar_ = false;  // kernel and stride 1 in time: frames are a batch of pictures
  Path path_ = Path::Library;
};

}  // namespace rubato::kernels
