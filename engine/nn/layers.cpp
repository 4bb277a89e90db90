#include "engine/nn/layers.h"

#include <torch/types.h>

#include <utility>

#include "kernels/gemm/linear.h"
#include "kernels/norm/norm.h"

namespace rubato::nn {

at::Tensor Linear::operator()(const at::Tensor& x) const { return kernels::linear(x, weight, bias); }

void Linear::declare(Declaration& d) {
  d.parameter("weight", weight, {out_, in_}, precision_);
  if (has_bias_) d.parameter("bias", bias, {out_}, precision_);
}

at::Tensor StackedLinear::operator()(const at::Tensor& x) const { return kernels::linear(x, weight, bias); }

void StackedLinear::declare(Declaration& d) {
  std::vector<Part> weights, biases;
  for (const auto& name : names_) {
    weights.push_back({name + ".weight", {out_, in_}});
    biases.push_back({name + ".bias", {out_}});
  }
  d.stacked(std::move(weights), weight);
  if (has_bias_) d.stacked(std::move(biases), bias);
}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
  return kernels::layer_norm_affine(x, weight, bias, eps_);
}

void LayerNorm::declare(Declaration& d) {
  d.parameter("weight", weight, {width_}, Precision::Full);
  d.parameter("bias", bias, {width_}, Precision::Full);
}

at::Tensor RmsNorm::operator()(const at::Tensor& x) const { return kernels::rms_norm(x, weight, eps_); }

void RmsNorm::declare(Declaration& d) { d.parameter("weight", weight, {width_}, Precision::Full); }

}  // namespace rubato::nn
