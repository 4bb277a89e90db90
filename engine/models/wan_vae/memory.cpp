#include "engine/models/wan_vae/memory.h"

namespace rubato {

WanVaeShape shape_of(const WanVaeConfig& config) {
  return {.decoder_base_dim = config.decoder_base_dim,
          .z_dim = config.z_dim,
          .num_res_blocks = config.num_res_blocks,
          .patch_size = config.patch_size,
          .dim_mult = config.dim_mult,
          .temporal_downsample = config.temporal_downsample,
          .is_residual = config.is_residual};
}

}  // namespace rubato
