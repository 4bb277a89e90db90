#include "app/cli/model_shapes.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

namespace rubato::cli {
namespace {

using nlohmann::json;
using Shape = std::vector<std::int64_t>;

// Values of a configuration that comes from outside: a missing or odd one makes every shape with it unknown (-1).
class Config {
 public:
  explicit Config(const json& object) : object_(object) {}
  std::int64_t operator()(const char* key, std::int64_t otherwise = -1) const {
    if (!object_.is_object() || !object_.contains(key) || object_[key].is_null()) return otherwise;
    return bounded(object_[key]);
  }
  std::int64_t item(const char* key, std::size_t index, std::int64_t otherwise) const {
    if (!object_.is_object() || !object_.contains(key) || !object_[key].is_array() || object_[key].size() <= index)
      return otherwise;
    return bounded(object_[key][index]);
  }
  bool flag(const char* key, bool otherwise) const {
    return object_.is_object() && object_.contains(key) && object_[key].is_boolean() ? object_[key].get<bool>()
                                                                                     : otherwise;
  }

 private:
  static std::int64_t bounded(const json& value) {
    constexpr std::int64_t kMost = 1 << 24;  // products of two stay far from overflow
    if (!value.is_number_integer()) return -1;
    const auto number = value.get<std::int64_t>();
    return number >= 0 && number <= kMost ? number : -1;
  }
  const json& object_;
};

class Checker {
 public:
  explicit Checker(const WeightSet& weights) : weights_(weights) {}

  void expect(const std::string& name, const Shape& shape) {
    for (const auto d : shape)
      if (d < 0) return;  // the configuration does not say
    const auto* entry = weights_.find(name);
    if (entry == nullptr)
      problems.push_back(fmt::format("{} is missing", name));
    else if (entry->info.shape != shape)
      problems.push_back(fmt::format("{} is [{}], config.json makes it [{}]", name, fmt::join(entry->info.shape, ", "),
                                     fmt::join(shape, ", ")));
  }

  // More layers in the file than the configuration knows of.
  void refuse(const std::string& name) {
    if (weights_.find(name) != nullptr) problems.push_back(fmt::format("{} is more than config.json knows of", name));
  }

  std::vector<std::string> problems;

 private:
  const WeightSet& weights_;
};

void wan_transformer(const Config& c, Checker& check) {
  const auto heads = c("num_attention_heads", 40), head = c("attention_head_dim", 128),
             wide = heads < 0 || head < 0 ? -1 : heads * head;
  const auto ffn = c("ffn_dim", 13824), layers = c("num_layers", 40);
  const Shape patch{c.item("patch_size", 0, 1), c.item("patch_size", 1, 2), c.item("patch_size", 2, 2)};
  check.expect("patch_embedding.weight", {wide, c("in_channels", 16), patch[0], patch[1], patch[2]});
  check.expect("condition_embedder.text_embedder.linear_1.weight", {wide, c("text_dim", 4096)});
  check.expect("condition_embedder.time_embedder.linear_1.weight", {wide, c("freq_dim", 256)});
  check.expect("condition_embedder.time_proj.weight", {wide < 0 ? -1 : 6 * wide, wide});
  check.expect("scale_shift_table", {1, 2, wide});
  const auto out = c("out_channels", 16);
  check.expect("proj_out.weight", {out < 0 ? -1 : out * patch[0] * patch[1] * patch[2], wide});
  if (layers > 1000) return;
  for (std::int64_t i = 0; i < layers; ++i) {
    const auto block = fmt::format("blocks.{}.", i);
    check.expect(block + "scale_shift_table", {1, 6, wide});
    for (const auto* attention : {"attn1", "attn2"}) {
      for (const auto* linear : {"to_q", "to_k", "to_v", "to_out.0"})
        check.expect(fmt::format("{}{}.{}.weight", block, attention, linear), {wide, wide});
      for (const auto* norm : {"norm_q", "norm_k"})
        check.expect(fmt::format("{}{}.{}.weight", block, attention, norm), {wide});
    }
    if (c.flag("cross_attn_norm", true)) check.expect(block + "norm2.weight", {wide});
    check.expect(block + "ffn.net.0.proj.weight", {ffn, wide});
    check.expect(block + "ffn.net.2.weight", {wide, ffn});
  }
  if (layers >= 0) check.refuse(fmt::format("blocks.{}.scale_shift_table", layers));
}

void umt5(const Config& c, Checker& check) {
  const auto wide = c("d_model", 512), ffn = c("d_ff", 1024), heads = c("num_heads", 6), head = c("d_kv", 64),
             layers = c("num_layers", 8);
  const auto inner = heads < 0 || head < 0 ? -1 : heads * head;
  check.expect("shared.weight", {c("vocab_size", 250112), wide});
  check.expect("encoder.final_layer_norm.weight", {wide});
  if (layers > 1000) return;
  for (std::int64_t i = 0; i < layers; ++i) {
    const auto attention = fmt::format("encoder.block.{}.layer.0.SelfAttention.", i),
               dense = fmt::format("encoder.block.{}.layer.1.DenseReluDense.", i);
    for (const auto* linear : {"q", "k", "v"})
      check.expect(fmt::format("{}{}.weight", attention, linear), {inner, wide});
    check.expect(attention + "o.weight", {wide, inner});
    check.expect(attention + "relative_attention_bias.weight", {c("relative_attention_num_buckets", 32), heads});
    check.expect(dense + "wi_0.weight", {ffn, wide});
    check.expect(dense + "wi_1.weight", {ffn, wide});
    check.expect(dense + "wo.weight", {wide, ffn});
  }
  if (layers >= 0) check.refuse(fmt::format("encoder.block.{}.layer.0.SelfAttention.q.weight", layers));
}

void wan_vae(const Config& c, Checker& check) {
  const auto z = c("z_dim", 16), base = c("base_dim", 96);
  auto decoder_base = c("decoder_base_dim");
  if (decoder_base < 0) decoder_base = base;
  check.expect("quant_conv.weight", {z < 0 ? -1 : 2 * z, z < 0 ? -1 : 2 * z, 1, 1, 1});
  check.expect("post_quant_conv.weight", {z, z, 1, 1, 1});
  check.expect("encoder.conv_in.weight", {base, c("in_channels", 3), 3, 3, 3});
  check.expect("decoder.conv_out.weight", {c("out_channels", 3), decoder_base, 3, 3, 3});
}

}  // namespace

std::vector<std::string> check_shapes(std::string_view class_name, const json& config, const WeightSet& weights,
                                      bool& known) {
  Checker check(weights);
  const Config c(config);
  known = true;
  if (class_name == "WanTransformer3DModel")
    wan_transformer(c, check);
  else if (class_name == "UMT5EncoderModel")
    umt5(c, check);
  else if (class_name == "AutoencoderKLWan")
    wan_vae(c, check);
  else
    known = false;
  return std::move(check.problems);
}

}  // namespace rubato::cli
