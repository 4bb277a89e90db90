#include "engine/nn/layer_stream.h"

#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/types.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "engine/base/check.h"

namespace rubato::nn {
namespace {

class ResidentLayers final : public LayerStream {
 public:
  void enter(std::size_t) override {}
};

// One parameter of a block: where it sits in the block's bytes.
struct Slot {
  at::Tensor* tensor;
  at::ScalarType dtype;
  std::vector<std::int64_t> shape;
  std::int64_t offset = 0, bytes = 0;
};

// The bytes of a block as they wait. The allocator of pinned memory rounds up to powers of two, so a block is kept in
// pieces of one; only its last piece can waste something.
struct HostBlock {
  std::vector<Slot> slots;
  std::vector<at::Tensor> pieces;  // uint8
  std::int64_t bytes = 0;
};
constexpr std::int64_t kPiece = 64ll << 20;
constexpr std::int64_t kAlignment = 256;  // of every tensor, as cudaMalloc gives

// Puts the pieces side by side into a flat tensor of at least their bytes.
void copy_pieces(const std::vector<at::Tensor>& pieces, const at::Tensor& flat, bool non_blocking) {
  for (std::size_t k = 0; k < pieces.size(); ++k)
    flat.narrow(0, static_cast<std::int64_t>(k) * kPiece, pieces[k].numel()).copy_(pieces[k], non_blocking);
}

// Where copies are queued: a stream of its own on a GPU, the caller's thread on the CPU.
class CopyLane {
 public:
  explicit CopyLane(at::Device device) {
    if (device.is_cpu()) return;
    guard_.emplace(device.type());
    stream_.emplace(guard_->getNewStream(device));
    device_ = device;
  }
  // Queues copy() behind everything that is queued on the current stream now; `copied` tells when it is through.
  template <typename Copy>
  void after_current(std::optional<c10::Event>& copied, Copy&& copy) {
    if (!stream_) return copy();
    c10::Event used(device_.type());
    const c10::Stream current = guard_->getStream(device_);
    used.record(current);
    used.block(*stream_);
    {
      const c10::StreamGuard aside(*stream_);
      copy();
    }
    copied.emplace(device_.type());
    copied->record(*stream_);
  }
  // The current stream waits for it; the host does not.
  void wait(const std::optional<c10::Event>& copied) {
    if (copied) copied->block(guard_->getStream(device_));
  }
  bool on_gpu() const { return stream_.has_value(); }
  // Before the memory that copies read or write goes.
  void drain() {
    if (stream_) stream_->synchronize();
  }

 private:
  std::optional<c10::impl::VirtualGuardImpl> guard_;
  std::optional<c10::Stream> stream_;
  at::Device device_{at::kCPU};
};

class StreamedLayers final : public LayerStream {
 public:
  StreamedLayers(std::vector<Module*> blocks, at::Device device) : lane_(device) {
    std::int64_t largest = 0;
    for (Module* block : blocks) {
      blocks_.push_back(take(*block, device));
      largest = std::max(largest, blocks_.back().bytes);
    }
    RUBATO_CHECK(!blocks_.empty(), "a stream of no layers");
    for (auto& buffer : buffers_) buffer.bytes = at::empty({largest}, at::TensorOptions(device).dtype(at::kByte));
  }

  ~StreamedLayers() override { lane_.drain(); }

  void enter(std::size_t i) override {
    RUBATO_CHECK(i < blocks_.size(), "block ", i, " of ", blocks_.size());
    if (entered_ == i) return;
    if (entered_) release(blocks_[*entered_]);
    entered_ = i;
    Buffer* here = find(i);
    if (here == nullptr) here = &bring(i, buffers_[0].holds ? buffers_[1] : buffers_[0]);
    lane_.wait(here->copied);
    lend(blocks_[i], here->bytes);
    const std::size_t next = (i + 1) % blocks_.size();
    // The other buffer was last read by work that is queued already, so its next copy goes behind that.
    if (find(next) == nullptr) bring(next, here == &buffers_[0] ? buffers_[1] : buffers_[0]);
  }

  std::uint64_t device_bytes() const override { return buffers_[0].bytes.nbytes() + buffers_[1].bytes.nbytes(); }
  std::uint64_t host_bytes() const override {
    std::uint64_t sum = 0;
    for (const auto& block : blocks_) sum += static_cast<std::uint64_t>(block.bytes);
    return sum;
  }

 private:
  struct Buffer {
    at::Tensor bytes;                  // uint8, as long as the largest block
    std::optional<std::size_t> holds;  // block
    std::optional<c10::Event> copied;
  };

  // Moves a block's parameters into pieces of host memory, one block at a time, and leaves its slots empty.
  HostBlock take(Module& module, at::Device device) {
    HostBlock block;
    std::vector<at::Tensor> values;
    module.each_parameter([&](at::Tensor& slot, Precision precision) {
      if (precision == Precision::Full) {
        slot = slot.to(device);
        return;
      }
      block.slots.push_back(
          {&slot, slot.scalar_type(), slot.sizes().vec(), block.bytes, static_cast<std::int64_t>(slot.nbytes())});
      block.bytes += (block.slots.back().bytes + kAlignment - 1) / kAlignment * kAlignment;
      values.push_back(std::move(slot));
      slot = at::Tensor();
    });
    const at::Tensor flat = at::zeros({block.bytes}, at::kByte);
    for (std::size_t k = 0; k < values.size(); ++k)
      flat.narrow(0, block.slots[k].offset, block.slots[k].bytes)
          .copy_(values[k].contiguous().view({-1}).view(at::kByte));
    for (std::int64_t at = 0; at < block.bytes; at += kPiece) {
      const auto length = std::min(kPiece, block.bytes - at);
      const auto options = at::TensorOptions().dtype(at::kByte).pinned_memory(lane_.on_gpu());
      block.pieces.push_back(at::empty({length}, options).copy_(flat.narrow(0, at, length)));
    }
    return block;
  }

  Buffer* find(std::size_t block) {
    for (auto& buffer : buffers_)
      if (buffer.holds == block) return &buffer;
    return nullptr;
  }

  Buffer& bring(std::size_t block, Buffer& into) {
    into.holds = block;
    lane_.after_current(into.copied, [&] { copy_pieces(blocks_[block].pieces, into.bytes, lane_.on_gpu()); });
    return into;
  }

  static void lend(const HostBlock& block, const at::Tensor& bytes) {
    for (const auto& slot : block.slots)
      *slot.tensor = bytes.narrow(0, slot.offset, slot.bytes).view(slot.dtype).view(slot.shape);
  }
  static void release(const HostBlock& block) {
    for (const auto& slot : block.slots) *slot.tensor = at::Tensor();
  }

  CopyLane lane_;
  std::vector<HostBlock> blocks_;
  std::array<Buffer, 2> buffers_;
  std::optional<std::size_t> entered_;
};

}  // namespace

std::unique_ptr<LayerStream> resident_layers() { return std::make_unique<ResidentLayers>(); }

std::unique_ptr<LayerStream> stream_layers(std::vector<Module*> blocks, at::Device device) {
  const at::InferenceMode inference;
  return std::make_unique<StreamedLayers>(std::move(blocks), device);
}

void move_parameters(Module& module, at::Device device, const std::vector<Module*>& except) {
  const at::InferenceMode inference;
  std::set<at::Tensor*> stay;
  for (Module* block : except) block->each_parameter([&](at::Tensor& slot, Precision) { stay.insert(&slot); });
  module.each_parameter([&](at::Tensor& slot, Precision) {
    if (!stay.contains(&slot)) slot = slot.to(device);
  });
}

}  // namespace rubato::nn
