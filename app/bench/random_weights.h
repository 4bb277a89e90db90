// Random weights for a module, under its checkpoint's names: benches of full-size models need shapes, not checkpoints.
#pragma once

#include <torch/types.h>

#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/nn/module.h"

namespace rubato::bench {

// Walks a module and makes a tensor for everything it declares, where it will run.
class RandomWeights final : public nn::Declaration {
 public:
  RandomWeights(at::Device device, at::ScalarType dtype)
      : options_(at::TensorOptions(device).dtype(at::kFloat)), dtype_(dtype) {}

  // The tensors of the module, their names after `prefix`.
  void add(nn::Module& module, const std::string& prefix = "") {
    prefix_ = prefix;
    module.declare(*this);
  }
  StateDict take() { return StateDict::of(std::move(tensors_)); }

  void alias(std::vector<std::string> names, at::Tensor& slot, std::vector<std::int64_t> shape,
             nn::Precision precision) override {
    stacked({{std::move(names.front()), std::move(shape)}}, slot, precision);
  }

  // Matrices keep the size of what goes through them; vectors stay near one (weights) or zero (biases).
  void stacked(std::vector<nn::Part> parts, at::Tensor&, nn::Precision) override {
    for (const auto& [name, shape] : parts) {
      at::Tensor value = at::randn(shape, options_);
      std::int64_t inputs = 1;
      for (std::size_t i = 1; i < shape.size(); ++i) inputs *= shape[i];
      if (inputs > 1) {
        value.div_(std::sqrt(static_cast<double>(inputs)));
      } else {
        value.mul_(0.02).add_(name.ends_with("bias") ? 0.0 : 1.0);
      }
      tensors_[prefix_ + name] = value.to(dtype_);
    }
  }

  void child(std::string_view name, nn::Module& module) override {
    const std::size_t length = prefix_.size();
    if (!name.empty()) prefix_.append(name).append(".");
    module.declare(*this);
    prefix_.resize(length);
  }

 private:
  at::TensorOptions options_;
  at::ScalarType dtype_;
  std::string prefix_;
  std::map<std::string, at::Tensor> tensors_;
};

}  // namespace rubato::bench
