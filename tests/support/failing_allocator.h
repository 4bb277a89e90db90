// An allocator for CPU tensors that runs out of memory when a test says so.
#pragma once

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>

#include <atomic>
#include <cstddef>

namespace rubato::test {

// Installed while it lives; passes everything on to the allocator that was there.
class FailingAllocator final : public c10::Allocator {
 public:
  FailingAllocator() : usual_(c10::GetCPUAllocator()) { c10::SetCPUAllocator(this, 255); }
  ~FailingAllocator() override { c10::SetCPUAllocator(usual_, 255); }
  FailingAllocator(const FailingAllocator&) = delete;

  // The next `times` allocations of at least `bytes` fail as those of libtorch do.
  void fail(int times, std::size_t bytes = 1) {
    least_ = bytes;
    left_ = times;
  }
  int left() const { return left_; }

  c10::DataPtr allocate(std::size_t bytes) override {
    if (bytes >= least_ && left_ > 0) {
      --left_;
      TORCH_CHECK_WITH(OutOfMemoryError, false, "out of memory: a test asked for it");
    }
    return usual_->allocate(bytes);
  }
  c10::DeleterFnPtr raw_deleter() const override { return usual_->raw_deleter(); }  // it made the pointers
  void copy_data(void* to, const void* from, std::size_t bytes) const override { default_copy_data(to, from, bytes); }

 private:
  c10::Allocator* usual_;
  std::atomic<std::size_t> least_{1};
  std::atomic<int> left_{0};
};

}  // namespace rubato::test
