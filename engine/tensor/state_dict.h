// StateDict: the weights of one component by name, as they lie on disk.
//
// get() gives a tensor that looks straight into the memory-mapped file: nothing is read until its bytes are
// used, and the mapping lives as long as any such tensor. Such a tensor is read-only by contract: writing to it
// faults. Tensors whose bytes are not aligned for their type are copied instead.
// Copies of a StateDict share everything; all members are safe from several threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/files.h"

namespace rubato {

class NameTable;
class WeightSet;

class StateDict {
 public:
  // A safetensors file, or a component folder of the diffusers or transformers layout (single or sharded).
  // Checkpoints in their authors' own layout are recognised by their names, which are rewritten to diffusers'.
  static Result<StateDict> open(const std::filesystem::path& file_or_folder);
  // Names are rewritten by the given table. ModelUnfit when two tensors end up with one name.
  static Result<StateDict> from(const WeightSet& weights, const NameTable& names, std::string source);
  // From tensors in memory: for tests and for weights that were computed.
  static StateDict of(std::map<std::string, at::Tensor> tensors);

  // The part of the names that start with prefix, without it ("blocks.3.").
  StateDict sub(std::string_view prefix) const;

  std::vector<std::string> names() const;  // sorted
  bool has(std::string_view name) const;
  // Without touching the data. RUBATO_CHECK: the name is there.
  std::vector<std::int64_t> shape(std::string_view name) const;
  at::ScalarType dtype(std::string_view name) const;
  at::Tensor get(std::string_view name) const;
  // Tells the system that a tensor's pages were used and may go, so that loading holds one copy only.
  void forget(std::string_view name) const;
  std::uint64_t bytes() const;
  // The file or folder, for messages; "memory" for of().
  const std::string& source() const;

 private:
  struct Contents;
  StateDict(std::shared_ptr<const Contents> contents, std::string prefix)
      : contents_(std::move(contents)), prefix_(std::move(prefix)) {}

  std::shared_ptr<const Contents> contents_;
  std::string prefix_;
};

// A safetensors file as tensors in memory (copies), and back: traces, latents, reference tensors.
Result<std::map<std::string, at::Tensor>> read_tensors(const std::filesystem::path& file);
// Writes tensors of any device atomically.
Result<> write_tensors(const std::filesystem::path& file, const std::map<std::string, at::Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata, Overwrite overwrite);

}  // namespace rubato
