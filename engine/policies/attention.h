// AttentionPolicy: decides how each self-attention of a diffusion transformer is computed.
//
// A block asks; it never knows which method answers. State (caches, plans) lives in the policy, which is made per job;
// guidance branches that run one after the other have a policy each. DenseAttention is the neutral one.
#pragma once

#include <ATen/core/Tensor.h>

namespace rubato {

// Where in a run a call happens.
struct Site {
  int step = 0;
  int layer = 0;
};

struct Qkv {
  at::Tensor q, k, v;  // [B,V,H,d], positions applied
};

class AttentionPolicy {
 public:
  using Dense = at::Tensor (*)(const Qkv&);
  virtual ~AttentionPolicy() = default;
  // -> [B,V,H·d]. `dense` computes the full attention of this model.
  virtual at::Tensor attend(const Site& at, const Qkv& qkv, Dense dense) = 0;
};

class DenseAttention final : public AttentionPolicy {
 public:
  at::Tensor attend(const Site&, const Qkv& qkv, Dense dense) override { return dense(qkv); }
};

}  // namespace rubato
