// Fills a module with random weights where it will run: benches of full-size models need shapes, not checkpoints.
#pragma once

#include <torch/types.h>

#include <cmath>
#include <utility>

#include "engine/nn/module.h"

namespace rubato::bench {

class RandomWeights final : public nn::Declaration {
 public:
  RandomWeights(at::Device device, at::ScalarType dtype) : device_(device), dtype_(dtype) {}

  void fill(nn::Module& module) { child("", module); }

  void alias(std::vector<std::string> names, at::Tensor& slot, std::vector<std::int64_t> shape,
             nn::Precision precision) override {
    stacked({{std::move(names.front()), std::move(shape)}}, slot, precision);
  }

  // Matrices keep the size of what goes through them; vectors stay near one (weights) or zero (biases).
  void stacked(std::vector<nn::Part> parts, at::Tensor& slot, nn::Precision precision) override {
    auto shape = parts.front().shape;
    for (std::size_t i = 1; i < parts.size(); ++i) shape[0] += parts[i].shape[0];
    const auto options = at::TensorOptions(device_).dtype(at::kFloat);
    at::Tensor value = at::randn(shape, options);
    if (shape.size() > 1) {
      std::int64_t inputs = 1;
      for (std::size_t i = 1; i < shape.size(); ++i) inputs *= shape[i];
      value.div_(std::sqrt(static_cast<double>(inputs)));
    } else {
      value.mul_(0.02).add_(parts.front().name.ends_with("bias") ? 0.0 : 1.0);
    }
    slot = value.to(precision == nn::Precision::Full ? at::kFloat : dtype_);
  }

  void child(std::string_view, nn::Module& module) override {
    module.declare(*this);
    module.loaded();
  }

 private:
  at::Device device_;
  at::ScalarType dtype_;
};

}  // namespace rubato::bench
