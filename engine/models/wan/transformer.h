// The Wan video transformer (diffusers: WanTransformer3DModel): Wan 2.1 and 2.2 text-to-video, and TI2V-5B.
//
// Use: load; per prompt text_context(); per latent size rope(); per step forward(). All but load() are const and may be
// called from several threads. Guidance in one call: text contexts of both prompts joined, the latent once.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "engine/base/error.h"
#include "engine/models/wan/blocks.h"
#include "engine/models/wan/config.h"
#include "engine/models/wan/rope.h"
#include "engine/nn/layer_stream.h"

namespace rubato::wan {

// What a prompt contributes to every step, computed once: keys and values per block.
struct TextContext {
  std::vector<TextKv> blocks;
};

struct Inputs {
  at::Tensor latent;        // [B,C,F,H,W], or batch 1 for all prompts; any float type
  at::Tensor timestep;      // [B] or [B,G], G one per frame of tokens or one per token (batch 1 for all); any real type
  const TextContext& text;  // B prompts
  const RopeTable& rope;    // of the latent's size
  int step = 0;             // of the run; only policies look at it
};

class Transformer : public nn::Module {
 public:
  explicit Transformer(const Config& config);
  // A transformer folder (config.json and weights; diffusers' or the authors' names).
  static Result<std::unique_ptr<Transformer>> load_folder(
      const std::filesystem::path& folder, at::Device device, at::ScalarType dtype,
      nn::WeightPlacement placement = nn::WeightPlacement::Resident);
  // Reads the configuration of such a folder alone.
  static Result<Config> config_of(const std::filesystem::path& folder);
  // From here on the blocks wait in the host's memory; call it once, on a transformer that was loaded to the CPU.
  void stream_layers(at::Device device);

  // prompt_embeds [B,T,text_width], zeros past the prompt.
  TextContext text_context(const at::Tensor& prompt_embeds) const;
  RopeTable rope(std::int64_t latent_frames, std::int64_t latent_height, std::int64_t latent_width) const;

  // The velocity, [B,C,F,H,W] float32.
  at::Tensor forward(const Inputs& in, AttentionPolicy& policy) const;
  // The same in one call, dense, without anything kept: for tests and single evaluations.
  at::Tensor forward(const at::Tensor& latent, const at::Tensor& timestep, const at::Tensor& prompt_embeds) const;

  const Config& config() const { return config_; }
  at::Device device() const { return scale_shift_table_.device(); }
  at::ScalarType dtype() const { return proj_out_.weight.scalar_type(); }
  void declare(nn::Declaration& d) override;

 private:
  at::Tensor patchify(const at::Tensor& latent) const;                            // [B,C,F,H,W] -> [B,V,C·p]
  at::Tensor unpatchify(const at::Tensor& tokens, const at::Tensor& like) const;  // [B,V,p·C] -> [B,C,F,H,W]

  Config config_;
  nn::Linear proj_out_;
  at::Tensor patch_kernel_, patch_bias_;  // [D,C,pt,ph,pw]
  Conditioning condition_embedder_;
  std::vector<Block> blocks_;
  std::unique_ptr<nn::LayerStream> layers_ = nn::resident_layers();
  at::Tensor scale_shift_table_;  // [1,2,D]
};

}  // namespace rubato::wan
