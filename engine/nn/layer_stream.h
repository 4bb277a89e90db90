// LayerStream: the blocks of a model in turn, wherever their weights live between turns.
//
// A forward pass says which block comes next and never asks where it is:
//
//   for (std::size_t i = 0; i < blocks_.size(); ++i) {
//     layers_->enter(i);
//     x = blocks_[i](x);
//   }
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "engine/nn/module.h"

namespace rubato::nn {

// Resident: all weights on the device. Streamed: blocks wait in the host's memory, and two of them are on the device.
enum class WeightPlacement { Resident, Streamed };

class LayerStream {
 public:
  virtual ~LayerStream() = default;
  // The weights of block i are usable by work that is queued from now on, until the next call. Blocks may be entered
  // in any order; after i the stream is ready for i + 1 (after the last for the first) without waiting.
  virtual void enter(std::size_t i) = 0;
  // Bytes on the device and in the host's memory.
  virtual std::uint64_t device_bytes() const { return 0; }
  virtual std::uint64_t host_bytes() const { return 0; }
};

// The neutral one: everything is where it is.
std::unique_ptr<LayerStream> resident_layers();

// Takes the parameters of blocks that were loaded to the CPU into its own memory (pinned where the device is a GPU)
// and lends them back, on the device, two blocks at a time: while one computes on the current stream, the next is
// copied on a stream of its own. Parameters of full precision (norms, modulation) are small and asked for ahead of
// their block's turn, so they move to the device at once and stay. The results are those of resident layers, bit for
// bit. `blocks` outlive the stream and are used by one thread at a time. Throws what torch throws for lack of memory.
std::unique_ptr<LayerStream> stream_layers(std::vector<Module*> blocks, at::Device device);

// Moves parameters of a module that are not in `except` to the device.
void move_parameters(Module& module, at::Device device, const std::vector<Module*>& except = {});

}  // namespace rubato::nn
