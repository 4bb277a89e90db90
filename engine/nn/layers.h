// Layers that model families share. x is [..., D] with D contiguous; results keep the leading dimensions.
// A layer does no shape inference: sizes are given to its constructor and checked when it loads.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "engine/nn/module.h"

namespace rubato::nn {

enum class Bias { No, Yes };

// y = x Wᵀ + b. weight [out, in], bias [out].
class Linear : public Module {
 public:
  Linear() = default;
  Linear(std::int64_t in, std::int64_t out, Bias with_bias = Bias::Yes, Precision precision = Precision::Compute)
      : in_(in), out_(out), has_bias_(with_bias == Bias::Yes), precision_(precision) {}
  at::Tensor operator()(const at::Tensor& x) const;
  void declare(Declaration& d) override;

  at::Tensor weight, bias;

 private:
  std::int64_t in_ = 0, out_ = 0;
  bool has_bias_ = true;
  Precision precision_ = Precision::Compute;
};

// Several linear layers over the same input, run as one product: parts of width out each, stacked in order
// ("to_q", "to_k", "to_v"). The result is [..., n * out].
class StackedLinear : public Module {
 public:
  StackedLinear() = default;
  StackedLinear(std::vector<std::string> names, std::int64_t in, std::int64_t out, Bias with_bias = Bias::Yes)
      : names_(std::move(names)), in_(in), out_(out), has_bias_(with_bias == Bias::Yes) {}
  at::Tensor operator()(const at::Tensor& x) const;
  void declare(Declaration& d) override;

  at::Tensor weight, bias;

 private:
  std::vector<std::string> names_;
  std::int64_t in_ = 0, out_ = 0;
  bool has_bias_ = true;
};

// y = (x - mean) / sqrt(var + eps) * weight + bias over the last dimension, in float32.
class LayerNorm : public Module {
 public:
  LayerNorm() = default;
  LayerNorm(std::int64_t width, double eps) : width_(width), eps_(eps) {}
  at::Tensor operator()(const at::Tensor& x) const;
  void declare(Declaration& d) override;

  at::Tensor weight, bias;

 private:
  std::int64_t width_ = 0;
  double eps_ = 1e-6;
};

// y = x / sqrt(mean(x²) + eps) * weight over the last dimension, statistics in float32.
class RmsNorm : public Module {
 public:
  RmsNorm() = default;
  RmsNorm(std::int64_t width, double eps) : width_(width), eps_(eps) {}
  at::Tensor operator()(const at::Tensor& x) const;
  void declare(Declaration& d) override;
  double eps() const { return eps_; }

  at::Tensor weight;

 private:
  std::int64_t width_ = 0;
  double eps_ = 1e-6;
};

}  // namespace rubato::nn
