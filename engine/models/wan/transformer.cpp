#include "engine/models/wan/transformer.h"

#include <torch/types.h>

#include <nlohmann/json.hpp>

#include "engine/base/check.h"
#include "engine/models/component_folder.h"
#include "engine/nn/tap.h"
#include "kernels/gemm/linear.h"

namespace rubato::wan {

Transformer::Transformer(const Config& config)
    : config_(config),
      proj_out_(config.width(), config.out_channels * config.patch_volume()),
      condition_embedder_(config) {
  for (std::int64_t i = 0; i < config.layers; ++i) blocks_.emplace_back(config);
}

void Transformer::declare(nn::Declaration& d) {
  const auto [pt, ph, pw] = config_.patch;
  d.parameter("patch_embedding.weight", patch_kernel_, {config_.width(), config_.in_channels, pt, ph, pw});
  d.parameter("patch_embedding.bias", patch_bias_, {config_.width()});
  d.child("condition_embedder", condition_embedder_);
  d.children("blocks", blocks_);
  d.child("proj_out", proj_out_);
  d.parameter("scale_shift_table", scale_shift_table_, {1, 2, config_.width()}, nn::Precision::Full);
}

Result<Config> Transformer::config_of(const std::filesystem::path& folder) { return component_config<Config>(folder); }

Result<std::unique_ptr<Transformer>> Transformer::load_folder(const std::filesystem::path& folder, at::Device device,
                                                              at::ScalarType dtype, nn::WeightPlacement placement) {
  RUBATO_TRY(component, open_component_folder<Config>(folder));
  auto transformer = std::make_unique<Transformer>(component.config);
  // norm_added_q is in some published files and belongs to nothing; diffusers skips it too.
  std::vector<std::string> ignore;
  for (std::int64_t i = 0; i < component.config.layers; ++i)
    ignore.push_back("blocks." + std::to_string(i) + ".attn2.norm_added_q");
  const bool streamed = placement == nn::WeightPlacement::Streamed;
  const auto home = streamed ? at::Device(at::kCPU) : device;
  RUBATO_OK(transformer->load(component.weights, {home, dtype, std::move(ignore)}));
  if (streamed) transformer->stream_layers(device);
  return transformer;
}

void Transformer::stream_layers(at::Device device) {
  std::vector<nn::Module*> blocks;
  for (auto& block : blocks_) blocks.push_back(&block);
  nn::move_parameters(*this, device, blocks);
  layers_ = nn::stream_layers(std::move(blocks), device);
}

TextContext Transformer::text_context(const at::Tensor& prompt_embeds) const {
  const at::InferenceMode inference;
  const Text text = condition_embedder_.text(prompt_embeds.to(device()));
  nn::tap("text_embedding", text.tokens);
  TextContext context;
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    layers_->enter(i);
    context.blocks.push_back(blocks_[i].text_kv(text));
  }
  return context;
}

RopeTable Transformer::rope(std::int64_t latent_frames, std::int64_t latent_height, std::int64_t latent_width) const {
  return rope_table(config_, latent_frames, latent_height, latent_width, device());
}

at::Tensor Transformer::forward(const Inputs& in, AttentionPolicy& policy) const {
  const at::InferenceMode inference;
  RUBATO_CHECK(in.latent.dim() == 5 && in.latent.size(1) == config_.in_channels, "latent ", in.latent.sizes());
  RUBATO_CHECK(in.text.blocks.size() == blocks_.size(), "text context of another model");

  const at::Tensor timestep = in.timestep.dim() == 1 ? in.timestep.unsqueeze(1) : in.timestep;  // [B,G]
  const auto [time, modulation] = condition_embedder_.time(timestep.to(device()));
  const at::Tensor x = kernels::linear(patchify(in.latent), patch_kernel_.flatten(1), patch_bias_);  // [B,V,D]
  nn::tap("patch_embedding", x);

  const auto last = (scale_shift_table_ + time.unsqueeze(2)).unbind(2);  // shift, scale: [B,G,D]
  Modulation now = blocks_.front().modulation(modulation);
  kernels::ResidualNorm stream{x,
                               kernels::layer_norm_modulated(x, now.attention.shift, now.attention.scale, config_.eps)};
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const bool more = i + 1 < blocks_.size();
    const Modulation following =
        more ? blocks_[i + 1].modulation(modulation) : Modulation{{last[0], last[1]}, {}, {}, {}};
    const Site site{in.step, static_cast<int>(i)};
    layers_->enter(i);
    stream = blocks_[i](stream, now, following.attention, in.text.blocks[i], in.rope, site, policy);
    nn::tap("blocks", site.layer, "", stream.x);
    now = following;
  }
  return unpatchify(proj_out_(stream.n), in.latent);
}

at::Tensor Transformer::forward(const at::Tensor& latent, const at::Tensor& timestep,
                                const at::Tensor& prompt_embeds) const {
  DenseAttention dense;
  const TextContext text = text_context(prompt_embeds);
  const RopeTable table = rope(latent.size(2), latent.size(3), latent.size(4));
  return forward({latent, timestep, text, table}, dense);
}

at::Tensor Transformer::patchify(const at::Tensor& latent) const {
  const auto [pt, ph, pw] = config_.patch;
  const auto cut = latent.to(device(), dtype())
                       .unflatten(4, {-1, pw})
                       .unflatten(3, {-1, ph})
                       .unflatten(2, {-1, pt});               // [B,C,F,pt,H,ph,W,pw]
  const auto tokens = cut.permute({0, 2, 4, 6, 1, 3, 5, 7});  // [B,F,H,W,C,pt,ph,pw]
  return tokens.flatten(4, 7).flatten(1, 3);
}

at::Tensor Transformer::unpatchify(const at::Tensor& tokens, const at::Tensor& like) const {
  const auto [pt, ph, pw] = config_.patch;
  const auto grid = tokens.to(at::kFloat)
                        .view({tokens.size(0), like.size(2) / pt, like.size(3) / ph, like.size(4) / pw, pt, ph, pw,
                               config_.out_channels});
  return grid.permute({0, 7, 1, 4, 2, 5, 3, 6}).flatten(6, 7).flatten(4, 5).flatten(2, 3);
}

}  // namespace rubato::wan
