// Runs a kernel case on a device and holds its results against a float64 run on the CPU.
#pragma once

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>

#include "kernels/cases/kernel_cases.h"
#include "kernels/device.h"

namespace rubato::kernels {

// Relative rounding of one result in the element type; for float32 that of a sum over some hundred products.
inline double rounding(at::ScalarType element) {
  switch (element) {
    case at::kBFloat16:
      return std::ldexp(1.0, -8);
    case at::kHalf:
      return std::ldexp(1.0, -11);
    default:
      return std::ldexp(1.0, -19);
  }
}

// Of a score, which is a sum of some hundred float32 products: eight roundings of a float32.
inline constexpr double kScoreRounding = 0x1p-21;

inline KernelCase::Tensors in_float64(const KernelCase::Tensors& all) {
  KernelCase::Tensors wide;
  for (const at::Tensor& t : all) wide.push_back(t.to(at::kCPU, at::kDouble));
  return wide;
}

// A result that nothing wrote must show, so the first run's memory, which the second run is likely to get, is poisoned.
inline KernelCase::Tensors run_twice(const KernelCase& kernel_case, const KernelCase::Tensors& inputs) {
  for (at::Tensor& t : kernel_case.run(inputs)) t.fill_(std::nan(""));
  return kernel_case.run(inputs);
}

inline void expect_parity(const KernelCase& kernel_case, at::Device device, at::ScalarType element) {
  const auto inputs = make_inputs(kernel_case, device, element);
  const auto before = in_float64(inputs);
  const auto got = in_float64(run_twice(kernel_case, inputs));
  const auto want = kernel_case.reference ? kernel_case.reference(before, got) : kernel_case.run(before);
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].sizes(), want[i].sizes());
    const at::Tensor unit = want[i].abs() + want[i].square().mean().sqrt();
    const double worst = ((got[i] - want[i]).abs() / unit).max().item<double>();
    const double allowed = kernel_case.slack * rounding(element) + kernel_case.score * kScoreRounding;
    EXPECT_LE(worst, allowed)  // a NaN fails too
        << kernel_case.name() << ", result " << i << ", " << element;
  }
  const auto after = in_float64(inputs);
  for (std::size_t i = 0; i < after.size(); ++i)
    EXPECT_TRUE(at::equal(before[i], after[i])) << "an input was written to";
}

}  // namespace rubato::kernels
