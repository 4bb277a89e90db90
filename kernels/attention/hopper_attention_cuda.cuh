// Attention over many keys on Hopper, heads of 128: bound by the matrix units and, on a long run, by the power they
// take.
//
// After FlashAttention-3 (Shah et al. 2024, arXiv 2407.08608). A block takes 128 queries of one head and goes over the
// keys in tiles of 128. One thread asks the copy engine for tiles, two stages ahead; two warpgroups of 64 queries each
// compute. A warpgroup has two products under way at a time: the scores of a tile, and the values of the tile before
// weighted by theirs; while those run, it turns into weights the scores that are ready. And the two warpgroups take
// turns at issuing products, so that one has weights to compute while the matrix units work for the other.
//
// What differs from the paper: the queries stay in registers, which spares the matrix units a third of what they read
// for the scores, and their power (some 2 % faster at an H100's limit); a row's results are rescaled only when its
// largest score has grown by a factor of 2^8, not at every growth, as in FlashAttention-4 (the final division makes up
// for any base, and 2^8 is far from where float32 or a 16-bit weight overflows); and a last tile that is not whole
// comes first, so that the loop never masks.
#pragma once

#include "kernels/attention/hopper_attention_cuda.h"
#include "kernels/cuda/hopper.cuh"
#include "kernels/cuda/mma.cuh"

namespace rubato::kernels::cuda {

struct HopperAttention {
  static constexpr int kWidth = 128, kKeys = 128, kStages = 2;
  static constexpr int kGroups = 2, kRowsOfGroup = 64, kRows = kGroups * kRowsOfGroup;
  static constexpr int kThreads = 128 * (1 + kGroups);
  // 128 threads that copy and 256 that compute share 65,536 registers.
  static constexpr int kCopyRegisters = 24, kComputeRegisters = 240;

  // Keys or values as the copy engine writes them: the left 64 columns of all rows, then the right ones.
  template <typename T>
  struct Tile {
    T halves[2][kKeys][kWidth / 2];
  };
  template <typename T>
  struct alignas(1024) Shared {
    Tile<T> k[kStages], v[kStages];
    hopper::Barrier k_full[kStages], k_empty[kStages], v_full[kStages], v_empty[kStages];
  };
  // Shared memory begins on 16 bytes.
  template <typename T>
  static constexpr int kBytes = static_cast<int>(sizeof(Shared<T>)) + 1024;
};

#ifdef RUBATO_SM90A_CODE

// Which tile has its turn (the last, then the first, the second and so on), the stage it lies in, and the parity of the
// phase in which that stage's barriers then are.
struct TileTurn {
  int tile, stage, parity;
  __device__ TileTurn(int turn, int tiles)
      : tile(turn == 0 ? tiles - 1 : turn - 1),
        stage(turn % HopperAttention::kStages),
        parity(turn / HopperAttention::kStages % 2) {}
};

template <typename T>
__device__ inline void copy_tiles(HopperAttention::Shared<T>& s, const CUtensorMap& k, const CUtensorMap& v,
                                  int tiles) {
  using A = HopperAttention;
  const int head = static_cast<int>(blockIdx.y), batch = static_cast<int>(blockIdx.z);
  const auto load = [&](auto& stages, hopper::Barrier* full, hopper::Barrier* empty, const CUtensorMap& map, int turn) {
    const TileTurn t(turn, tiles);
    empty[t.stage].wait(t.parity ^ 1);
    full[t.stage].arrive_and_expect(sizeof(stages[t.stage]));
    for (int half = 0; half < 2; ++half)
      hopper::load_box(stages[t.stage].halves[half], map, full[t.stage], half * 64, t.tile * A::kKeys, head, batch);
  };
  load(s.k, s.k_full, s.k_empty, k, 0);
  for (int turn = 1; turn < tiles; ++turn) {
    load(s.k, s.k_full, s.k_empty, k, turn);
    load(s.v, s.v_full, s.v_empty, v, turn - 1);
  }
  load(s.v, s.v_full, s.v_empty, v, tiles - 1);
}

// The queries of one warpgroup. A thread has two rows of the 64, and of each every fourth pair of columns
// (hopper::Sums64x128).
template <typename T>
class QueryRows {
 public:
  // row: the warpgroup's first. Rows past the end repeat the last one and are not written.
  __device__ QueryRows(const HopperAttentionArgs& a, int row) : scale_(a.scale * kLog2E) {
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32 % 4;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      token_[r] = row + warp * 16 + lane / 4 + 8 * r;
      const auto* pairs = pairs_of(a.q, min(token_[r], a.tokens - 1));
#pragma unroll
      for (int i = 0; i < 16; ++i) query_[i / 2 * 4 + i % 2 * 2 + r] = pairs[4 * i];
    }
#pragma unroll
    for (float& x : out_) x = 0;
  }

  __device__ void issue_scores(const HopperAttention::Tile<T>& k) {
    constexpr int kHalf = sizeof(T) * HopperAttention::kKeys * 64, kSixteenColumns = 16 * sizeof(T);
    const std::uint32_t keys = hopper::shared_address(&k);
    hopper::open_products();
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const std::uint64_t columns = hopper::swizzled_matrix(keys + i / 4 * kHalf + i % 4 * kSixteenColumns);
      hopper::add_product_of_rows<T>(score_, query_ + 4 * i, columns, i > 0);
    }
    hopper::close_products();
  }

  __device__ void issue_values(const HopperAttention::Tile<T>& v) {
    constexpr int kHalf = sizeof(T) * HopperAttention::kKeys * 64, kSixteenRows = 16 * 64 * sizeof(T);
    const std::uint32_t values = hopper::shared_address(&v);
    hopper::open_products();
#pragma unroll
    for (int i = 0; i < 8; ++i)
      hopper::add_product<T>(out_, weight_ + 4 * i, hopper::swizzled_matrix(values + i * kSixteenRows, kHalf));
    hopper::close_products();
  }

  // Scores of the first tile, of which only `seen` keys are there.
  __device__ void begin(int seen) {
    const int column = static_cast<int>(threadIdx.x) % 4 * 2;
    if (seen < HopperAttention::kKeys) {
#pragma unroll
      for (int i = 0; i < 64; ++i)
        if (i / 4 * 8 + column + i % 2 >= seen) score_[i] = -INFINITY;
    }
    find_largest(base_);
    sum_[0] = sum_[1] = 0;
    exponentiate();
  }

  // Scores of a further tile, while values of the tile before are still being added to the results. Returns whether
  // the results need rescale() after that.
  __device__ bool go_on() {
    constexpr float kGrowth = 8;
    float largest[2];
    find_largest(largest);
    bool grown = false;
#pragma unroll
    for (int row = 0; row < 2; ++row) {
      rescaling_[row] = 1;
      if ((largest[row] - base_[row]) * scale_ <= kGrowth) continue;
      rescaling_[row] = power_of_two((base_[row] - largest[row]) * scale_);
      base_[row] = largest[row];
      sum_[row] *= rescaling_[row];
      grown = true;
    }
    exponentiate();
    return __any_sync(0xffffffffu, grown);
  }

  __device__ void rescale() {
#pragma unroll
    for (int i = 0; i < 64; ++i) out_[i] *= rescaling_[i / 2 % 2];
  }

  // What issue_values() multiplies with. Not while it does.
  __device__ void round_weights() {
#pragma unroll
    for (int i = 0; i < 32; ++i) weight_[i] = packed<T>(score_[2 * i], score_[2 * i + 1]);
  }

  __device__ void write(const HopperAttentionArgs& a) {
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      float sum = sum_[r];
      sum += __shfl_xor_sync(0xffffffffu, sum, 1);
      sum += __shfl_xor_sync(0xffffffffu, sum, 2);
      const float inverse = __fdividef(1.0f, sum);
      if (token_[r] >= a.tokens) continue;
      auto* pairs = pairs_of(a.out, token_[r]);
#pragma unroll
      for (int i = 0; i < 16; ++i)
        pairs[4 * i] = packed<T>(out_[4 * i + 2 * r] * inverse, out_[4 * i + 2 * r + 1] * inverse);
    }
  }

 private:
  // The thread's pairs of columns of a row, of which it has every fourth.
  __device__ static std::uint32_t* pairs_of(const HeadRows& rows, int token) {
    T* row = static_cast<T*>(rows.data) + blockIdx.z * rows.batch_stride + token * rows.token_stride +
             blockIdx.y * rows.head_stride;
    return reinterpret_cast<std::uint32_t*>(row) + threadIdx.x % 4;
  }

  __device__ void find_largest(float (&largest)[2]) const {
    largest[0] = largest[1] = -INFINITY;
#pragma unroll
    for (int i = 0; i < 64; ++i) largest[i / 2 % 2] = fmaxf(largest[i / 2 % 2], score_[i]);
#pragma unroll
    for (float& x : largest) {
      x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 1));
      x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 2));
    }
  }

  __device__ void exponentiate() {
    const float base[2] = {base_[0] * scale_, base_[1] * scale_};
#pragma unroll
    for (int i = 0; i < 64; ++i) {
      score_[i] = power_of_two(fmaf(score_[i], scale_, -base[i / 2 % 2]));
      sum_[i / 2 % 2] += score_[i];
    }
  }

  int token_[2];
  std::uint32_t query_[32], weight_[32];
  hopper::Sums64x128 score_, out_;
  float base_[2], sum_[2], rescaling_[2];  // base: a score; sum: of this thread's weights
  float scale_;                            // of scores, to exponents of two
};

template <typename T>
__device__ inline void attend(HopperAttention::Shared<T>& s, const HopperAttentionArgs& a, int tiles) {
  using A = HopperAttention;
  const int group = static_cast<int>(threadIdx.x) / 128 - 1;
  const bool signals = threadIdx.x % 128 == 0;  // for the warpgroup, that it is through with a stage
  // Numbered barriers at which each warpgroup waits for its turn to issue products.
  constexpr int kTurn = 1;
  QueryRows<T> rows(a, static_cast<int>(blockIdx.x) * A::kRows + group * A::kRowsOfGroup);

  s.k_full[0].wait(0);
  rows.issue_scores(s.k[0]);
  hopper::wait_for_products<0>();
  if (signals) s.k_empty[0].arrive();
  rows.begin(a.keys - (tiles - 1) * A::kKeys);
  rows.round_weights();

  if (group == 0 && tiles > 1) hopper::arrive_at(kTurn, 256);
  for (int turn = 1; turn < tiles; ++turn) {
    const TileTurn scored(turn, tiles), valued(turn - 1, tiles);
    s.k_full[scored.stage].wait(scored.parity);
    hopper::wait_at(kTurn + group, 256);
    rows.issue_scores(s.k[scored.stage]);
    s.v_full[valued.stage].wait(valued.parity);
    rows.issue_values(s.v[valued.stage]);
    if (group == 0 || turn + 1 < tiles) hopper::arrive_at(kTurn + 1 - group, 256);
    hopper::wait_for_products<1>();
    if (signals) s.k_empty[scored.stage].arrive();
    const bool rescale = rows.go_on();
    hopper::wait_for_products<0>();
    if (signals) s.v_empty[valued.stage].arrive();
    if (rescale) rows.rescale();
    rows.round_weights();
  }
  const TileTurn last(tiles - 1, tiles);
  s.v_full[last.stage].wait(last.parity);
  rows.issue_values(s.v[last.stage]);
  hopper::wait_for_products<0>();
  rows.write(a);
}

#endif  // RUBATO_SM90A_CODE

// Grid: 128 queries, heads, samples.
template <typename T>
__global__ void __launch_bounds__(HopperAttention::kThreads, 1)
    hopper_attention_kernel(const __grid_constant__ CUtensorMap k, const __grid_constant__ CUtensorMap v,
                            const __grid_constant__ HopperAttentionArgs a) {
#ifdef RUBATO_SM90A_CODE
  using A = HopperAttention;
  extern __shared__ char bytes[];
  auto& s = *reinterpret_cast<A::Shared<T>*>((reinterpret_cast<std::uintptr_t>(bytes) + 1023) / 1024 * 1024);
  const int tiles = (a.keys + A::kKeys - 1) / A::kKeys;
  if (threadIdx.x == 0) {
    for (int i = 0; i < A::kStages; ++i) {
      s.k_full[i].init(1);
      s.v_full[i].init(1);
      s.k_empty[i].init(A::kGroups);
      s.v_empty[i].init(A::kGroups);
    }
    hopper::publish_barriers();
  }
  __syncthreads();
  if (threadIdx.x < 128) {
    hopper::shrink_registers_to<A::kCopyRegisters>();
    if (threadIdx.x == 0) copy_tiles<T>(s, k, v, tiles);
  } else {
    hopper::grow_registers_to<A::kComputeRegisters>();
    attend<T>(s, a, tiles);
  }
#else
  __trap();  // hopper_attention_runs() said no
#endif
}

}  // namespace rubato::kernels::cuda
