#include "engine/nn/layers.h"

#include <torch/types.h>

#include <utility>

namespace rubato::nn {

at::Tensor Linear::operator()(const at::Tensor& x) const { return at::linear(x, weight, bias); }

void Linear::declare(Declaration& d) {
  d.parameter("weight", weight, {out_, in_}, precision_);
  if (has_bias_) d.parameter("bias", bias, {out_}, precision_);
}

at::Tensor StackedLinear::operator()(const at::Tensor& x) const { return at::linear(x, weight, bias); }

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
  return at::layer_norm(x.to(at::kFloat), {width_}, weight, bias, eps_).to(x.scalar_type());
}

void LayerNorm::declare(Declaration& d) {
  d.parameter("weight", weight, {width_}, Precision::Full);
  d.parameter("bias", bias, {width_}, Precision::Full);
}

at::Tensor RmsNorm::operator()(const at::Tensor& x) const {
  return at::rms_norm(x.to(at::kFloat), {width_}, weight.to(at::kFloat), eps_).to(x.scalar_type());
}

void RmsNorm::declare(Declaration& d) { d.parameter("weight", weight, {width_}, Precision::Full); }

}  // namespace rubato::nn
