#include "engine/files/weight_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

namespace rubato {
using nlohmann::json;
namespace {

// The number after the first "blocks." of a name ("blocks.12.ffn.0.weight"), else -1.
std::int64_t block_number(std::string_view name) {
  if (!name.starts_with("blocks.")) return -1;
  name.remove_prefix(7);
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
  return error == std::errc() && end != name.data() + name.size() && *end == '.' ? value : -1;
}

std::string_view without_prefix(std::string_view name) {
  for (const std::string_view prefix : {"model.diffusion_model.", "first_stage_model.", "vae."})
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  return name;
}

}  // namespace

void WeightFacts::merge(const WeightFacts& other) {
  if (kind == WeightKind::Unknown) kind = other.kind;
  if (problem.empty()) problem = other.problem;
  bytes += other.bytes;
  wan_width = std::max(wan_width, other.wan_width);
  wan_channels = std::max(wan_channels, other.wan_channels);
  wan_layers = std::max(wan_layers, other.wan_layers);
  wan_image |= other.wan_image;
  wan_vae_channels = std::max(wan_vae_channels, other.wan_vae_channels);
  umt5_width = std::max(umt5_width, other.umt5_width);
  tokenizer_inside |= other.tokenizer_inside;
}

WeightFacts describe_weights(const SafetensorsHeader& header) {
  WeightFacts facts;
  facts.kind = WeightKind::Safetensors;
  std::int64_t layers = 0, width = 0;
  bool wan_attention = false;
  for (const auto& [full, info] : header.tensors) {
    facts.bytes += info.bytes();
    const std::string_view name = without_prefix(full);
    const auto& shape = info.shape;
    layers = std::max(layers, block_number(name) + 1);
    if (name == "patch_embedding.weight" && shape.size() == 5) {
      width = shape[0];
      facts.wan_channels = shape[1];
    } else if (name.ends_with(".self_attn.norm_q.weight") || name.ends_with(".attn1.norm_q.weight")) {
      wan_attention = true;
    } else if (name.starts_with("img_emb.") || name.starts_with("condition_embedder.image_embedder.")) {
      facts.wan_image = true;
    } else if ((name == "conv2.weight" || name == "post_quant_conv.weight") && shape.size() == 5) {
      facts.wan_vae_channels = shape[0];
    } else if (name == "spiece_model") {
      facts.tokenizer_inside = true;
    } else if (name == "encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight" ||
               name == "blocks.1.pos_embedding.embedding.weight") {
      facts.umt5_width = std::max<std::int64_t>(facts.umt5_width, 1);  // T5 has this table in its first block only
    }
  }
  // A shard without the patch embedding still counts its blocks; the merged facts decide.
  if (width > 0 || wan_attention) {
    facts.wan_width = width;
    facts.wan_layers = layers;
  }
  if (facts.umt5_width > 0) {
    for (const auto* name : {"shared.weight", "encoder.embed_tokens.weight", "token_embedding.weight"})
      if (const auto at = header.tensors.find(name); at != header.tensors.end() && at->second.shape.size() == 2)
        facts.umt5_width = at->second.shape[1];
  }
  // The VAE of Wan normalises by `gamma`; other video VAEs with a post_quant_conv do not.
  if (facts.wan_vae_channels > 0) {
    const bool gamma = std::any_of(header.tensors.begin(), header.tensors.end(),
                                   [](const auto& row) { return row.first.ends_with(".gamma"); });
    if (!gamma) facts.wan_vae_channels = 0;
  }
  return facts;
}

WeightFacts describe_weight_file(const std::filesystem::path& path) {
  auto header = read_safetensors_header(path);
  if (header.ok()) return describe_weights(*header);
  WeightFacts facts;
  const auto kind = sniff_weight_file(path);
  facts.kind = kind.ok() ? *kind : WeightKind::Unknown;
  facts.problem = header.error().message;
  return facts;
}

json to_json(const WeightFacts& facts) {
  json out{{"kind", static_cast<int>(facts.kind)}, {"bytes", facts.bytes}};
  const auto put = [&](const char* key, const auto& value, const auto& none) {
    if (value != none) out[key] = value;
  };
  put("problem", facts.problem, std::string());
  put("wan_width", facts.wan_width, 0);
  put("wan_channels", facts.wan_channels, 0);
  put("wan_layers", facts.wan_layers, 0);
  put("wan_image", facts.wan_image, false);
  put("wan_vae_channels", facts.wan_vae_channels, 0);
  put("umt5_width", facts.umt5_width, 0);
  put("tokenizer_inside", facts.tokenizer_inside, false);
  return out;
}

WeightFacts weight_facts_from_json(const json& value) {
  WeightFacts facts;
  if (!value.is_object()) return facts;
  const auto number = [&](const char* key) -> std::int64_t {
    const auto at = value.find(key);
    return at != value.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0;
  };
  const auto flag = [&](const char* key) {
    const auto at = value.find(key);
    return at != value.end() && at->is_boolean() && at->get<bool>();
  };
  const auto kind = number("kind");
  facts.kind =
      kind >= 0 && kind <= static_cast<int>(WeightKind::Unknown) ? static_cast<WeightKind>(kind) : WeightKind::Unknown;
  facts.bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(0, number("bytes")));
  if (const auto at = value.find("problem"); at != value.end() && at->is_string())
    facts.problem = at->get<std::string>();
  facts.wan_width = number("wan_width");
  facts.wan_channels = number("wan_channels");
  facts.wan_layers = number("wan_layers");
  facts.wan_image = flag("wan_image");
  facts.wan_vae_channels = number("wan_vae_channels");
  facts.umt5_width = number("umt5_width");
  facts.tokenizer_inside = flag("tokenizer_inside");
  return facts;
}

std::string wan_title(const WeightFacts& facts, bool two_experts) {
  struct Row {
    std::int64_t width, layers, channels;
    bool image, two_experts;
    std::string_view title;
  };
  constexpr Row kRows[] = {
      {1536, 30, 16, false, false, "Wan 2.1 T2V 1.3B"}, {5120, 40, 16, false, false, "Wan 2.1 T2V 14B"},
      {5120, 40, 36, true, false, "Wan 2.1 I2V 14B"},   {5120, 40, 16, false, true, "Wan 2.2 T2V A14B"},
      {5120, 40, 36, false, true, "Wan 2.2 I2V A14B"},  {3072, 30, 48, false, false, "Wan 2.2 TI2V 5B"},
  };
  for (const auto& row : kRows)
    if (row.width == facts.wan_width && row.layers == facts.wan_layers && row.channels == facts.wan_channels &&
        row.image == facts.wan_image && row.two_experts == two_experts)
      return std::string(row.title);
  return fmt::format("Wan, {} layers of width {}", facts.wan_layers, facts.wan_width);
}

}  // namespace rubato
