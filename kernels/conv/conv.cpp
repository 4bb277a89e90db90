#include "kernels/conv/conv.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/types.h>

#include "engine/base/check.h"

namespace rubato::kernels {
namespace {

// libtorch's oneDNN convolution with weights in oneDNN's own layout. It has no C++ header; its signatures are
// registered with the dispatcher.
using Scalars = c10::List<std::optional<at::Scalar>>;
using Conv = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, at::IntArrayRef,
                        at::IntArrayRef, at::IntArrayRef, std::int64_t, std::string_view, Scalars,
                        std::optional<std::string_view>);
using ConvInto = at::Tensor&(at::Tensor&, const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                             at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, std::int64_t, std::string_view,
                             std::optional<at::Scalar>, std::optional<std::string_view>, Scalars,
                             std::optional<std::string_view>);

template <typename Signature>
c10::TypedOperatorHandle<Signature> found(const char* name, const char* overload) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).typed<Signature>();
}

}  // namespace

// The measured rule, in one place. float32 on the CPU: oneDNN with packed weights, 300 to 490 GFLOP/s on two
// AVX-512 cores at 24 to 96 channels whatever the size, where at::conv3d reaches 15 to 200 for small chunks and
// reorders the weights at each call. Everything else: the library's own choice on channels-last memory.
PackedConv::Path PackedConv::fastest(const at::Tensor& weight) {
  const bool packable = weight.is_cpu() && weight.scalar_type() == at::kFloat && at::hasMKLDNN();
  return packable ? Path::OneDnn : Path::Library;
}

PackedConv::PackedConv(const at::Tensor& weight, const at::Tensor& bias, const ConvSteps& steps)
    : bias_(bias.contiguous()),
      stride_(steps.stride.begin(), steps.stride.end()),
      padding_(steps.padding.begin(), steps.padding.end()),
      in_channels_(weight.size(1)),
      out_channels_(weight.size(0)) {
  RUBATO_CHECK(weight.dim() == 5 && bias.dim() == 1 && bias.size(0) == weight.size(0), "conv: weight ", weight.sizes(),
               " with bias ", bias.sizes());
  planar_ = weight.size(2) == 1 && steps.stride[0] == 1 && steps.padding[0] == 0;
  if (planar_) {
    stride_.erase(stride_.begin());
    padding_.erase(padding_.begin());
  }
  dilation_.assign(stride_.size(), 1);
  weight_ = planar_ ? weight.squeeze(2) : weight;
  path_ = fastest(weight);
  if (path_ == Path::OneDnn) {
    const at::Tensor opaque = weight_.contiguous().to_mkldnn();
    weight_ = planar_ ? at::mkldnn_reorder_conv2d_weight(opaque, padding_, stride_, dilation_)
                      : at::mkldnn_reorder_conv3d_weight(opaque, padding_, stride_, dilation_);
  } else {
    weight_ = weight_.contiguous(planar_ ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::ChannelsLast3d);
  }
}

at::Tensor PackedConv::view(const at::Tensor& x) const {
  RUBATO_CHECK(x.dim() == 5 && x.is_contiguous() && x.size(4) == in_channels_, "conv: x ", x.sizes(),
               " must be [B,F,H,W,C] contiguous with ", in_channels_, " channels");
  return planar_ ? x.flatten(0, 1).permute({0, 3, 1, 2}) : x.permute({0, 4, 1, 2, 3});
}

at::Tensor PackedConv::restored(const at::Tensor& y, const at::Tensor& x) const {
  if (!planar_) return y.permute({0, 2, 3, 4, 1}).contiguous();
  return y.permute({0, 2, 3, 1}).contiguous().unflatten(0, {x.size(0), x.size(1)});
}

at::Tensor PackedConv::operator()(const at::Tensor& x) const {
  if (path_ == Path::Library) {
    return restored(at::convolution(view(x), weight_, bias_, stride_, padding_, dilation_, /*transposed=*/false,
                                    std::vector<std::int64_t>(stride_.size(), 0), /*groups=*/1),
                    x);
  }
  static const auto run = found<Conv>("mkldnn::_convolution_pointwise", "");
  return restored(run.call(view(x), weight_, bias_, padding_, stride_, dilation_, /*groups=*/1, "none", Scalars(), ""),
                  x);
}

void PackedConv::add_to(at::Tensor& sum, const at::Tensor& x) const {
  RUBATO_CHECK(sum.is_contiguous() && sum.size(-1) == out_channels_, "conv: sum ", sum.sizes(), " does not fit");
  if (path_ == Path::Library) {
    sum.add_((*this)(x));
    return;
  }
  static const auto run = found<ConvInto>("mkldnn::_convolution_pointwise_", "binary");
  at::Tensor target = planar_ ? sum.flatten(0, 1).permute({0, 3, 1, 2}) : sum.permute({0, 4, 1, 2, 3});
  run.call(target, view(x), weight_, bias_, padding_, stride_, dilation_, /*groups=*/1, "add", at::Scalar(1.0),
           std::nullopt, Scalars(), std::nullopt);
}

}  // namespace rubato::kernels
