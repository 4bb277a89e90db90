#include "engine/models/umt5/encoder.h"

#include <torch/types.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/models/component_folder.h"
#include "engine/models/config_reader.h"
#include "engine/nn/tap.h"
#include "kernels/attention/attention.h"

namespace rubato::umt5 {
namespace {

at::Tensor activate(const at::Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::GeluTanh:
      return at::gelu(x, "tanh");
    case Activation::GeluErf:
      return at::gelu(x);
    case Activation::Relu:
      return at::relu(x);
    case Activation::Silu:
      return at::silu(x);
  }
  return x;
}

std::optional<Activation> activation_named(const std::string& name) {
  if (name == "gelu_new" || name == "gelu_pytorch_tanh") return Activation::GeluTanh;
  if (name == "gelu") return Activation::GeluErf;
  if (name == "relu") return Activation::Relu;
  if (name == "silu" || name == "swish") return Activation::Silu;
  return std::nullopt;
}

// Half precision overflows in the deeper layers; like the reference, infinities are pulled back to just under the
// largest half. Wider types pass through.
at::Tensor bounded(const at::Tensor& x) {
  if (x.scalar_type() != at::kHalf) return x;
  constexpr double kLargest = 65504.0, kMargin = 1000.0;
  const at::Tensor overflow = at::isinf(x).any();
  const at::Tensor limit = at::where(overflow, kLargest - kMargin, kLargest).to(x.scalar_type());
  return at::clamp(x, -limit, limit);
}

}  // namespace

Result<Config> Config::from_json(const nlohmann::json& json, const std::string& source) {
  ConfigReader read(json, source);
  read.allow_unknown();  // transformers writes dozens of keys that do not concern an encoder
  read.only("model_type", "umt5");
  read.only("is_decoder", false);
  Config config;
  config.vocab_size = read.integer("vocab_size", config.vocab_size, 1, 1 << 22);
  config.width = read.integer("d_model", config.width, 1, 1 << 16);
  config.head_width = read.integer("d_kv", config.head_width, 1, 1 << 12);
  config.ffn_width = read.integer("d_ff", config.ffn_width, 1, 1 << 18);
  config.layers = read.integer("num_layers", config.layers, 1, 512);
  config.heads = read.integer("num_heads", config.heads, 1, 1024);
  config.buckets = read.integer("relative_attention_num_buckets", config.buckets, 4, 4096);
  config.max_distance = read.integer("relative_attention_max_distance", config.max_distance, 2, 1 << 20);
  config.eps = read.number("layer_norm_epsilon", config.eps);
  // What is written out ("dense_act_fn", "is_gated_act") goes before what feed_forward_proj implies.
  const std::string projection = read.text("feed_forward_proj", "gated-gelu");
  const bool gated = projection.starts_with("gated-");
  const std::string implied = projection == "gated-gelu" ? "gelu_new" : gated ? projection.substr(6) : projection;
  config.gated = read.flag("is_gated_act", gated);
  if (const auto activation = activation_named(read.text("dense_act_fn", implied))) {
    config.activation = *activation;
  } else {
    read.problem("its activation is not one of gelu, gelu_new, gelu_pytorch_tanh, relu, silu (feed_forward_proj " +
                 projection + ")");
  }
  if (config.buckets % 4 != 0) read.problem("relative_attention_num_buckets must be a multiple of 4");
  if (config.max_distance <= config.buckets / 4) read.problem("relative_attention_max_distance is too small");
  RUBATO_OK(read.finish());
  return config;
}

at::Tensor relative_buckets(std::int64_t tokens, std::int64_t buckets, std::int64_t max_distance, at::Device device) {
  const std::int64_t per_side = buckets / 2, exact = per_side / 2;
  const at::Tensor positions = at::arange(tokens, at::TensorOptions().dtype(at::kLong).device(device));
  const at::Tensor offset = positions.unsqueeze(0) - positions.unsqueeze(1);  // key - query
  const at::Tensor distance = offset.abs();
  const double octaves = std::log(static_cast<double>(max_distance) / static_cast<double>(exact));
  at::Tensor far = at::log(distance.to(at::kFloat) / static_cast<double>(exact)) / octaves;
  far = (far * static_cast<double>(per_side - exact)).clamp_min(0).to(at::kLong) + exact;
  const at::Tensor bucket = at::where(distance < exact, distance, far.clamp_max(per_side - 1));
  return bucket + (offset > 0).to(at::kLong) * per_side;
}

SelfAttention::SelfAttention(const Config& config)
    : heads_(config.heads),
      head_width_(config.head_width),
      bucket_count_(config.buckets),
      qkv_({"q", "k", "v"}, config.width, config.heads * config.head_width, nn::Bias::No),
      o_(config.heads * config.head_width, config.width, nn::Bias::No) {}

at::Tensor SelfAttention::operator()(const at::Tensor& x, const at::Tensor& buckets, const at::Tensor& mask) const {
  const at::Tensor qkv = qkv_(x).unflatten(-1, {3, heads_, head_width_});                    // [B,T,3,H,d]
  at::Tensor bias = at::embedding(relative_bias_, buckets).permute({2, 0, 1}).unsqueeze(0);  // [1,H,T,T]
  if (mask.defined()) bias = bias.masked_fill(mask.logical_not(), -std::numeric_limits<float>::infinity());
  const auto mixed = kernels::attention(qkv.select(2, 0), qkv.select(2, 1), qkv.select(2, 2),
                                        {.scale = 1.0, .bias = bias});  // T5 does not scale its scores
  return o_(mixed);
}

void SelfAttention::declare(nn::Declaration& d) {
  d.inlined(qkv_);
  d.child("o", o_);
  d.parameter("relative_attention_bias.weight", relative_bias_, {bucket_count_, heads_});
}

FeedForward::FeedForward(const Config& config)
    : gated_(config.gated),
      activation_(config.activation),
      in_(config.gated ? std::vector<std::string>{"wi_0", "wi_1"} : std::vector<std::string>{"wi"}, config.width,
          config.ffn_width, nn::Bias::No),
      wo_(config.ffn_width, config.width, nn::Bias::No) {}

at::Tensor FeedForward::operator()(const at::Tensor& x) const {
  const at::Tensor wide = in_(x);
  if (!gated_) return wo_(activate(wide, activation_));
  const auto halves = wide.chunk(2, -1);
  return wo_(activate(halves[0], activation_) * halves[1]);
}

void FeedForward::declare(nn::Declaration& d) {
  d.inlined(in_);
  d.child("wo", wo_);
}

Block::Block(const Config& config)
    : attention_norm_(config.width, config.eps),
      ffn_norm_(config.width, config.eps),
      attention_(config),
      ffn_(config) {}

at::Tensor Block::operator()(at::Tensor x, const at::Tensor& buckets, const at::Tensor& mask) const {
  x = bounded(x + attention_(attention_norm_(x), buckets, mask));
  return bounded(x + ffn_(ffn_norm_(x)));
}

void Block::declare(nn::Declaration& d) {
  d.child("layer.0.SelfAttention", attention_);
  d.child("layer.0.layer_norm", attention_norm_);
  d.child("layer.1.DenseReluDense", ffn_);
  d.child("layer.1.layer_norm", ffn_norm_);
}

Encoder::Encoder(const Config& config) : config_(config), final_norm_(config.width, config.eps) {
  for (std::int64_t i = 0; i < config.layers; ++i) blocks_.emplace_back(config);
}

void Encoder::declare(nn::Declaration& d) {
  d.alias({"shared.weight", "encoder.embed_tokens.weight"}, embedding_, {config_.vocab_size, config_.width});
  d.children("encoder.block", blocks_);
  d.child("encoder.final_layer_norm", final_norm_);
}

Result<std::unique_ptr<Encoder>> Encoder::load_folder(const std::filesystem::path& folder, at::Device device,
                                                      at::ScalarType dtype, nn::WeightPlacement placement) {
  RUBATO_TRY(component, open_component_folder<Config>(folder));
  auto encoder = std::make_unique<Encoder>(component.config);
  const bool streamed = placement == nn::WeightPlacement::Streamed;
  const auto home = streamed ? at::Device(at::kCPU) : device;
  RUBATO_OK(encoder->load(component.weights, {home, dtype, {"decoder.", "lm_head.weight"}}));
  if (streamed) encoder->stream_layers(device);
  return encoder;
}

void Encoder::stream_layers(at::Device device) {
  std::vector<nn::Module*> blocks;
  for (auto& block : blocks_) blocks.push_back(&block);
  nn::move_parameters(*this, device, blocks);
  layers_ = nn::stream_layers(std::move(blocks), device);
}

at::Tensor Encoder::forward(const at::Tensor& ids, const at::Tensor& mask) const {
  const at::Tensor buckets = relative_buckets(ids.size(1), config_.buckets, config_.max_distance, device());
  const at::Tensor seen = mask.defined() ? mask.to(at::kBool).unsqueeze(1).unsqueeze(1) : mask;
  at::Tensor x = at::embedding(embedding_, ids);  // [B,T,D]
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    layers_->enter(i);
    x = blocks_[i](x, buckets, seen);
    nn::tap("encoder.block", static_cast<std::int64_t>(i), "", x);
  }
  return final_norm_(x);
}

}  // namespace rubato::umt5
