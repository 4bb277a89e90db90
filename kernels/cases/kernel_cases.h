// One table of cases for every kernel: the parity tests run them against a float64 CPU run, the bench times them.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

namespace rubato::kernels {

struct KernelCase {
  enum class Use { Parity, Bench };  // Parity: small and awkward; Bench: as large as a real model's
  // Statistics, modulation and rotation tables stay float32 whatever the element type is (float64 in the reference
  // run).
  enum class Kind { Element, Wide };
  struct Input {
    at::Tensor value;
    Kind kind = Kind::Element;
  };
  using Tensors = std::vector<at::Tensor>;

  std::string kernel;  // "rms_norm_rope"
  std::string shape;   // "1x32760x1536 12 heads"
  Use use = Use::Parity;
  double slack = 1;  // tolerance in units of the element type's rounding
  double score = 0;  // largest logarithm of a weight: its float32 rounding counts in full, whatever the element type
  bool half_only = false;
  double flops = 0;  // multiply-adds counted as two; 0: the kernel is bound by memory
  std::function<std::vector<Input>(const at::TensorOptions&)> inputs;  // random
  std::function<Tensors(const Tensors& inputs)> run;
  // What a float64 run gives, where it is more than run() on float64 inputs: it may start from results of the run
  // under test, so that one rounding is not counted as an error of what follows it.
  std::function<Tensors(const Tensors& inputs, const Tensors& results)> reference;

  std::string name() const { return kernel + " " + shape; }
};

const std::vector<KernelCase>& kernel_cases();

// Inputs of a case on a device in an element type.
KernelCase::Tensors make_inputs(const KernelCase& kernel_case, at::Device device, at::ScalarType element);

// Fewest bytes the kernel can move: each input read once, each result written once.
double fewest_bytes(const KernelCase::Tensors& inputs, const KernelCase::Tensors& results);

}  // namespace rubato::kernels
