// Module: a tree of layers that loads itself.
//
// A module lists its parameters and children in declare(), under the names they have in the checkpoint; load()
// walks the tree and fills every parameter, or returns ONE error that names all missing, unexpected and misshapen
// tensors. Modules are plain movable values: nothing holds a pointer into them.
//
//   struct Gate : Module {
//     at::Tensor table;  nn::Linear proj;  std::vector<Block> blocks;
//     void declare(Declaration& d) override {
//       d.parameter("table", table, {1, 6, width}, Precision::Full);
//       d.child("proj", proj);
//       d.children("blocks", blocks);   // blocks.0, blocks.1, …
//     }
//   };
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/tensor/state_dict.h"

namespace rubato::nn {

class Module;

// Compute: stored in the dtype the job computes in. Full: float32 whatever that is (norms, modulation, time).
enum class Precision { Compute, Full };

// One parameter made of several checkpoint tensors stacked along their first dimension (fused QKV).
struct Part {
  std::string name;
  std::vector<std::int64_t> shape;
};

// What declare() talks to.
class Declaration {
 public:
  virtual ~Declaration() = default;
  void parameter(std::string name, at::Tensor& slot, std::vector<std::int64_t> shape,
                 Precision precision = Precision::Compute) {
    stacked({{std::move(name), std::move(shape)}}, slot, precision);
  }
  // The same tensor may be stored under any of these names (tied embeddings): the first that is there is used,
  // the others are ignored.
  virtual void alias(std::vector<std::string> names, at::Tensor& slot, std::vector<std::int64_t> shape,
                     Precision precision = Precision::Compute) = 0;
  virtual void stacked(std::vector<Part> parts, at::Tensor& slot, Precision precision = Precision::Compute) = 0;
  virtual void child(std::string_view name, Module& module) = 0;
  // A child whose names carry no prefix of their own (a group of parameters kept as one object).
  void inlined(Module& module) { child("", module); }
  template <typename Modules>
  void children(std::string_view name, Modules& modules) {
    std::size_t i = 0;
    for (auto& module : modules) child(std::string(name) + '.' + std::to_string(i++), module);
  }
};

struct LoadOptions {
  at::Device device{at::kCPU};
  at::ScalarType dtype = at::kFloat;
  // Tensors of the checkpoint that may be left over, as prefixes of names: "decoder.", "lm_head.weight".
  std::vector<std::string> ignore;
};

class Module {
 public:
  virtual ~Module() = default;
  Module() = default;
  Module(Module&&) = default;
  Module& operator=(Module&&) = default;

  // Fills the tree from weights, one tensor at a time, straight into its final dtype and device, so that the
  // peak is the weights plus one tensor. ModelUnfit names everything that does not fit; the tree is then
  // not usable. Throws nothing but what torch throws for lack of memory (see guard()).
  Result<> load(const StateDict& weights, const LoadOptions& options);

  // Bytes that the parameters take as loaded.
  std::uint64_t parameter_bytes();

  // Every parameter of the tree, in the order of declare().
  void each_parameter(const std::function<void(at::Tensor& slot, Precision precision)>& use);

  virtual void declare(Declaration& d) = 0;
  // After this module's parameters and those of its children are filled: repack, precompute.
  virtual void loaded() {}
};

}  // namespace rubato::nn
