// Hopper's instructions for kernels of their own: barriers in shared memory, copies of tiles by the copy engine, and
// products by four warps at once. They exist in code for sm_90a alone; a kernel that uses them guards its body with
// RUBATO_SM90A_CODE.
//
// Names as in the PTX manual: mbarrier, cp.async.bulk.tensor, wgmma, setmaxnreg.
#pragma once

#include <cuda.h>

#include <cstdint>
#include <type_traits>

#include "kernels/cuda/vector.cuh"

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define RUBATO_SM90A_CODE 1
#endif

namespace rubato::kernels::cuda::hopper {

__device__ inline std::uint32_t shared_address(const void* p) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(p));
}

// A barrier in shared memory, complete when `arrivals` threads have arrived and all bytes promised have come in. Its
// phases are told apart by parity: the first one is 0, and before it, phase 1 counts as complete.
class Barrier {
 public:
  __device__ void init(int arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(address()), "r"(arrivals));
  }
  __device__ void arrive() { asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(address()) : "memory"); }
  __device__ void arrive_and_expect(int bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(address()), "r"(bytes) : "memory");
  }
  __device__ void wait(int parity) {
    asm volatile(
        "{\n.reg .pred complete;\n"
        "WAIT_%=:\nmbarrier.try_wait.parity.shared::cta.b64 complete, [%0], %1;\n"
        "@complete bra DONE_%=;\nbra WAIT_%=;\nDONE_%=:\n}" ::"r"(address()),
        "r"(parity)
        : "memory");
  }
  __device__ std::uint32_t address() const { return shared_address(&state_); }

 private:
  std::uint64_t state_;
};
// After init() by one thread, before the threads' __syncthreads().
__device__ inline void publish_barriers() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }

// One thread asks the copy engine for the box of a tensor map whose first element is (c0, c1, c2, c3). Elements outside
// the tensor come as zeros and count as bytes.
__device__ inline void load_box(void* to, const CUtensorMap& map, Barrier& barrier, int c0, int c1, int c2, int c3) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5, %6}], "
      "[%2];" ::"r"(shared_address(to)),
      "l"(&map), "r"(barrier.address()), "r"(c0), "r"(c1), "r"(c2), "r"(c3)
      : "memory");
}

// How a product finds a matrix of 16-bit elements in shared memory that the copy engine wrote in rows of 128 bytes with
// its 128-byte swizzle; 8 rows make a group of 1,024 bytes. column_bytes: distance between neighbouring 64 columns
// where the product runs over the rows.
__device__ inline std::uint64_t swizzled_matrix(std::uint32_t address, std::uint32_t column_bytes = 16) {
  constexpr std::uint64_t kGroupBytes = 1024, kSwizzle128 = 1;
  return (address & 0x3FFFF) >> 4 | static_cast<std::uint64_t>(column_bytes >> 4) << 16 | kGroupBytes >> 4 << 32 |
         kSwizzle128 << 62;
}

// Products are asynchronous: open_products() before the first of a batch, close_products() after its last; then
// wait_for_products<n>() until at most the n latest batches are under way. Until then nobody may touch their registers.
__device__ inline void open_products() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ inline void close_products() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int kPending>
__device__ inline void wait_for_products() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}

// Sums of a 64x128 product as the 128 threads of four warps hold them: warp w has rows 16w to 16w+15, and of those
// thread l has rows l/4 (elements 4j, 4j+1) and l/4 + 8 (elements 4j+2, 4j+3), columns 8j + 2(l%4) and the next.
using Sums64x128 = float[64];

#define RUBATO_EIGHT(d, i)                                                                                    \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), \
      "+f"(d[i + 7])
#define RUBATO_SIXTY_FOUR(d)                                                                             \
  RUBATO_EIGHT(d, 0), RUBATO_EIGHT(d, 8), RUBATO_EIGHT(d, 16), RUBATO_EIGHT(d, 24), RUBATO_EIGHT(d, 32), \
      RUBATO_EIGHT(d, 40), RUBATO_EIGHT(d, 48), RUBATO_EIGHT(d, 56)
#define RUBATO_WGMMA(type)                                                                     \
  "wgmma.mma_async.sync.aligned.m64n128k16.f32." type "." type                                 \
  " {%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, "    \
  "%19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, " \
  "%37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, " \
  "%55, %56, %57, %58, %59, %60, %61, %62, %63}, "
// order: 0 where b's rows are the product's columns, 1 where its columns are.
#define RUBATO_PRODUCT(type, order)                                            \
  asm volatile("{\n.reg .pred add;\nsetp.ne.b32 add, %69, 0;\n" RUBATO_WGMMA(  \
                   type) "{%64, %65, %66, %67}, %68, add, 1, 1, " order ";\n}" \
               : RUBATO_SIXTY_FOUR(sums)                                       \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(static_cast<int>(add)))

// sums = (add ? sums : 0) + a·bᵀ for 16 columns of a [64 rows] and of b [128 rows]. a lies in registers like 16 columns
// of Sums64x128, in pairs: row l/4, row l/4 + 8, and both again 8 columns on.
template <typename T>
__device__ inline void add_product_of_rows(Sums64x128& sums, const std::uint32_t* a, std::uint64_t b, bool add) {
  if constexpr (std::is_same_v<T, __half>) {
    RUBATO_PRODUCT("f16", "0");
  } else {
    RUBATO_PRODUCT("bf16", "0");
  }
}

// sums += a·b for 16 columns of a, as before, and 16 rows of b [128 columns].
template <typename T>
__device__ inline void add_product(Sums64x128& sums, const std::uint32_t* a, std::uint64_t b) {
  constexpr bool add = true;
  if constexpr (std::is_same_v<T, __half>) {
    RUBATO_PRODUCT("f16", "1");
  } else {
    RUBATO_PRODUCT("bf16", "1");
  }
}

#undef RUBATO_EIGHT
#undef RUBATO_SIXTY_FOUR
#undef RUBATO_WGMMA
#undef RUBATO_PRODUCT

// Registers per thread of a warpgroup from here on; the block's sum must stay within the multiprocessor's.
template <int kRegisters>
__device__ inline void shrink_registers_to() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
template <int kRegisters>
__device__ inline void grow_registers_to() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
}

// One of the block's 16 numbered barriers (0 is __syncthreads()): complete when `threads` have arrived or wait.
__device__ inline void wait_at(int barrier, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
}
__device__ inline void arrive_at(int barrier, int threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
}

}  // namespace rubato::kernels::cuda::hopper
