#include "engine/files/name_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace rubato {
namespace {

// The authors call a block's norms in the order norm1, norm3, norm2; diffusers numbers them by use.
constexpr NameRule kWanTransformer[] = {
    {"patch_embedding.*", "patch_embedding.*"},
    {"text_embedding.0.*", "condition_embedder.text_embedder.linear_1.*"},
    {"text_embedding.2.*", "condition_embedder.text_embedder.linear_2.*"},
    {"time_embedding.0.*", "condition_embedder.time_embedder.linear_1.*"},
    {"time_embedding.2.*", "condition_embedder.time_embedder.linear_2.*"},
    {"time_projection.1.*", "condition_embedder.time_proj.*"},
    {"blocks.{n}.modulation", "blocks.{n}.scale_shift_table"},
    {"blocks.{n}.norm3.*", "blocks.{n}.norm2.*"},
    {"blocks.{n}.norm2.*", "blocks.{n}.norm3.*"},
    {"blocks.{n}.self_attn.q.*", "blocks.{n}.attn1.to_q.*"},
    {"blocks.{n}.self_attn.k.*", "blocks.{n}.attn1.to_k.*"},
    {"blocks.{n}.self_attn.v.*", "blocks.{n}.attn1.to_v.*"},
    {"blocks.{n}.self_attn.o.*", "blocks.{n}.attn1.to_out.0.*"},
    {"blocks.{n}.self_attn.*", "blocks.{n}.attn1.*"},
    {"blocks.{n}.cross_attn.q.*", "blocks.{n}.attn2.to_q.*"},
    {"blocks.{n}.cross_attn.k.*", "blocks.{n}.attn2.to_k.*"},
    {"blocks.{n}.cross_attn.v.*", "blocks.{n}.attn2.to_v.*"},
    {"blocks.{n}.cross_attn.o.*", "blocks.{n}.attn2.to_out.0.*"},
    {"blocks.{n}.cross_attn.k_img.*", "blocks.{n}.attn2.add_k_proj.*"},
    {"blocks.{n}.cross_attn.v_img.*", "blocks.{n}.attn2.add_v_proj.*"},
    {"blocks.{n}.cross_attn.norm_k_img.*", "blocks.{n}.attn2.norm_added_k.*"},
    {"blocks.{n}.cross_attn.*", "blocks.{n}.attn2.*"},
    {"blocks.{n}.ffn.0.*", "blocks.{n}.ffn.net.0.proj.*"},
    {"blocks.{n}.ffn.2.*", "blocks.{n}.ffn.net.2.*"},
    {"head.modulation", "scale_shift_table"},
    {"head.head.*", "proj_out.*"},
    {"img_emb.proj.0.*", "condition_embedder.image_embedder.norm1.*"},
    {"img_emb.proj.1.*", "condition_embedder.image_embedder.ff.net.0.proj.*"},
    {"img_emb.proj.3.*", "condition_embedder.image_embedder.ff.net.2.*"},
    {"img_emb.proj.4.*", "condition_embedder.image_embedder.norm2.*"},
    {"img_emb.emb_pos", "condition_embedder.image_embedder.pos_embed"},
};

// Shared by both VAEs: everything but the down and up paths. `{c}` is encoder or decoder.
#define RUBATO_WAN_VAE_ENDS                                                                                 \
  {"conv1.*", "quant_conv.*"}, {"conv2.*", "post_quant_conv.*"}, {"{c}.conv1.*", "{c}.conv_in.*"},          \
      {"{c}.middle.0.residual.0.*", "{c}.mid_block.resnets.0.norm1.*"},                                     \
      {"{c}.middle.0.residual.2.*", "{c}.mid_block.resnets.0.conv1.*"},                                     \
      {"{c}.middle.0.residual.3.*", "{c}.mid_block.resnets.0.norm2.*"},                                     \
      {"{c}.middle.0.residual.6.*", "{c}.mid_block.resnets.0.conv2.*"},                                     \
      {"{c}.middle.1.*", "{c}.mid_block.attentions.0.*"},                                                   \
      {"{c}.middle.2.residual.0.*", "{c}.mid_block.resnets.1.norm1.*"},                                     \
      {"{c}.middle.2.residual.2.*", "{c}.mid_block.resnets.1.conv1.*"},                                     \
      {"{c}.middle.2.residual.3.*", "{c}.mid_block.resnets.1.norm2.*"},                                     \
      {"{c}.middle.2.residual.6.*", "{c}.mid_block.resnets.1.conv2.*"}, {"{c}.head.0.*", "{c}.norm_out.*"}, \
      {"{c}.head.2.*", "{c}.conv_out.*"}

// The authors number the layers of the 2.1 paths through. diffusers keeps that for the encoder and groups the decoder
// by level: three residual blocks, then an upsampler, so layer n is block n/4, place n%4.
constexpr NameRule kWanVae21[] = {
    RUBATO_WAN_VAE_ENDS,
    {"encoder.downsamples.{n}.residual.0.*", "encoder.down_blocks.{n}.norm1.*"},
    {"encoder.downsamples.{n}.residual.2.*", "encoder.down_blocks.{n}.conv1.*"},
    {"encoder.downsamples.{n}.residual.3.*", "encoder.down_blocks.{n}.norm2.*"},
    {"encoder.downsamples.{n}.residual.6.*", "encoder.down_blocks.{n}.conv2.*"},
    {"encoder.downsamples.{n}.shortcut.*", "encoder.down_blocks.{n}.conv_shortcut.*"},
    {"encoder.downsamples.{n}.*", "encoder.down_blocks.{n}.*"},
    {"decoder.upsamples.{n}.residual.0.*", "decoder.up_blocks.{n/4}.resnets.{n%4}.norm1.*"},
    {"decoder.upsamples.{n}.residual.2.*", "decoder.up_blocks.{n/4}.resnets.{n%4}.conv1.*"},
    {"decoder.upsamples.{n}.residual.3.*", "decoder.up_blocks.{n/4}.resnets.{n%4}.norm2.*"},
    {"decoder.upsamples.{n}.residual.6.*", "decoder.up_blocks.{n/4}.resnets.{n%4}.conv2.*"},
    {"decoder.upsamples.{n}.shortcut.*", "decoder.up_blocks.{n/4}.resnets.{n%4}.conv_shortcut.*"},
    {"decoder.upsamples.{n}.*", "decoder.up_blocks.{n/4}.upsamplers.0.*"},
};

// The 2.2 paths are nested already: a level holds residual blocks and, last, its resampler.
constexpr NameRule kWanVae22[] = {
    RUBATO_WAN_VAE_ENDS,
    {"encoder.downsamples.{n}.downsamples.{m}.residual.0.*", "encoder.down_blocks.{n}.resnets.{m}.norm1.*"},
    {"encoder.downsamples.{n}.downsamples.{m}.residual.2.*", "encoder.down_blocks.{n}.resnets.{m}.conv1.*"},
    {"encoder.downsamples.{n}.downsamples.{m}.residual.3.*", "encoder.down_blocks.{n}.resnets.{m}.norm2.*"},
    {"encoder.downsamples.{n}.downsamples.{m}.residual.6.*", "encoder.down_blocks.{n}.resnets.{m}.conv2.*"},
    {"encoder.downsamples.{n}.downsamples.{m}.shortcut.*", "encoder.down_blocks.{n}.resnets.{m}.conv_shortcut.*"},
    {"encoder.downsamples.{n}.downsamples.{m}.*", "encoder.down_blocks.{n}.downsampler.*"},
    {"decoder.upsamples.{n}.upsamples.{m}.residual.0.*", "decoder.up_blocks.{n}.resnets.{m}.norm1.*"},
    {"decoder.upsamples.{n}.upsamples.{m}.residual.2.*", "decoder.up_blocks.{n}.resnets.{m}.conv1.*"},
    {"decoder.upsamples.{n}.upsamples.{m}.residual.3.*", "decoder.up_blocks.{n}.resnets.{m}.norm2.*"},
    {"decoder.upsamples.{n}.upsamples.{m}.residual.6.*", "decoder.up_blocks.{n}.resnets.{m}.conv2.*"},
    {"decoder.upsamples.{n}.upsamples.{m}.shortcut.*", "decoder.up_blocks.{n}.resnets.{m}.conv_shortcut.*"},
    {"decoder.upsamples.{n}.upsamples.{m}.*", "decoder.up_blocks.{n}.upsampler.*"},
};
#undef RUBATO_WAN_VAE_ENDS

constexpr NameRule kUmt5[] = {
    {"token_embedding.*", "shared.*"},
    {"blocks.{n}.norm1.*", "encoder.block.{n}.layer.0.layer_norm.*"},
    {"blocks.{n}.attn.*", "encoder.block.{n}.layer.0.SelfAttention.*"},
    {"blocks.{n}.pos_embedding.embedding.*", "encoder.block.{n}.layer.0.SelfAttention.relative_attention_bias.*"},
    {"blocks.{n}.norm2.*", "encoder.block.{n}.layer.1.layer_norm.*"},
    {"blocks.{n}.ffn.gate.0.*", "encoder.block.{n}.layer.1.DenseReluDense.wi_0.*"},
    {"blocks.{n}.ffn.fc1.*", "encoder.block.{n}.layer.1.DenseReluDense.wi_1.*"},
    {"blocks.{n}.ffn.fc2.*", "encoder.block.{n}.layer.1.DenseReluDense.wo.*"},
    {"norm.*", "encoder.final_layer_norm.*"},
};

// What single-file exports put before every name.
constexpr std::string_view kPrefixes[] = {"model.diffusion_model.", "first_stage_model.", "vae."};

std::string_view next_segment(std::string_view& rest) {
  const auto dot = rest.find('.');
  const std::string_view segment = rest.substr(0, dot);
  rest = dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1);
  return segment;
}

std::optional<int> as_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

struct Match {
  int n = 0, m = 0;
  std::string_view coder, tail;
};

bool matches(std::string_view pattern, std::string_view name, Match& match) {
  while (!pattern.empty()) {
    const std::string_view want = next_segment(pattern);
    if (name.empty()) return false;
    if (want == "*") {
      match.tail = name;
      return true;
    }
    const std::string_view have = next_segment(name);
    if (want == "{n}" || want == "{m}") {
      const auto number = as_number(have);
      if (!number) return false;
      (want == "{n}" ? match.n : match.m) = *number;
    } else if (want == "{c}") {
      if (have != "encoder" && have != "decoder") return false;
      match.coder = have;
    } else if (want != have) {
      return false;
    }
  }
  return name.empty();
}

std::string filled(std::string_view target, const Match& match) {
  std::string out;
  while (!target.empty()) {
    const std::string_view part = next_segment(target);
    if (!out.empty()) out += '.';
    if (part == "*") {
      out += match.tail;
    } else if (part == "{n}") {
      out += std::to_string(match.n);
    } else if (part == "{n/4}") {
      out += std::to_string(match.n / 4);
    } else if (part == "{n%4}") {
      out += std::to_string(match.n % 4);
    } else if (part == "{m}") {
      out += std::to_string(match.m);
    } else if (part == "{c}") {
      out += match.coder;
    } else {
      out += part;
    }
  }
  return out;
}

std::string_view without_prefix(std::string_view name) {
  for (const auto prefix : kPrefixes)
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  return name;
}

}  // namespace

std::string NameTable::apply(std::string_view name) const {
  if (rules_.empty()) return std::string(name);
  name = without_prefix(name);
  for (const auto& rule : rules_) {
    Match match;
    if (matches(rule.from, name, match)) return filled(rule.to, match);
  }
  return std::string(name);
}

NameTable wan_transformer_names() { return {"wan-transformer-original", kWanTransformer}; }
NameTable wan_vae21_names() { return {"wan-vae-2.1-original", kWanVae21}; }
NameTable wan_vae22_names() { return {"wan-vae-2.2-original", kWanVae22}; }
NameTable umt5_names() { return {"umt5-original", kUmt5}; }

NameTable detect_name_table(std::span<const std::string> names) {
  // One telling tensor for each layout; diffusers has none of these names.
  struct Sign {
    std::string_view name;
    NameTable (*table)();
  };
  constexpr std::array kSigns{
      Sign{"blocks.0.self_attn.q.weight", wan_transformer_names},
      Sign{"encoder.downsamples.0.downsamples.0.residual.2.weight", wan_vae22_names},
      Sign{"decoder.upsamples.0.upsamples.0.residual.2.weight", wan_vae22_names},
      Sign{"encoder.downsamples.0.residual.2.weight", wan_vae21_names},
      Sign{"decoder.upsamples.0.residual.2.weight", wan_vae21_names},
      Sign{"blocks.0.ffn.gate.0.weight", umt5_names},
  };
  for (const auto& sign : kSigns)
    for (const auto& name : names)
      if (without_prefix(name) == sign.name) return sign.table();
  return {};
}

}  // namespace rubato
