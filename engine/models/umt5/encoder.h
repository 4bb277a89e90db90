// UMT5 encoder (transformers: UMT5EncoderModel): T5 v1.1 with a relative position bias in every layer.
//
// Shapes: B batch, T tokens, H heads, D width, d head width.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/nn/layer_stream.h"
#include "engine/nn/layers.h"
#include "engine/nn/module.h"

namespace rubato::umt5 {

enum class Activation { GeluTanh, GeluErf, Relu, Silu };

struct Config {
  std::int64_t vocab_size = 250112, width = 512, head_width = 64, ffn_width = 1024, layers = 8, heads = 6;
  std::int64_t buckets = 32, max_distance = 128;  // of the relative position bias
  double eps = 1e-6;
  Activation activation = Activation::GeluTanh;
  bool gated = true;
  // ModelUnfit names every key that is out of range or asks for something unsupported.
  static Result<Config> from_json(const nlohmann::json& json, const std::string& source = "text_encoder/config.json");
};

class SelfAttention : public nn::Module {
 public:
  explicit SelfAttention(const Config& config);
  // x [B,T,D], buckets [T,T] (int64). mask undefined, or bool [B,1,1,T], false = padding.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& buckets, const at::Tensor& mask) const;
  void declare(nn::Declaration& d) override;

 private:
  std::int64_t heads_, head_width_, bucket_count_;
  nn::StackedLinear qkv_;
  nn::Linear o_;
  at::Tensor relative_bias_;  // [buckets, H]
};

class FeedForward : public nn::Module {
 public:
  explicit FeedForward(const Config& config);
  at::Tensor operator()(const at::Tensor& x) const;
  void declare(nn::Declaration& d) override;

 private:
  bool gated_;
  Activation activation_;
  nn::StackedLinear in_;
  nn::Linear wo_;
};

class Block : public nn::Module {
 public:
  explicit Block(const Config& config);
  at::Tensor operator()(at::Tensor x, const at::Tensor& buckets, const at::Tensor& mask) const;
  void declare(nn::Declaration& d) override;

 private:
  nn::RmsNorm attention_norm_, ffn_norm_;
  SelfAttention attention_;
  FeedForward ffn_;
};

class Encoder : public nn::Module {
 public:
  explicit Encoder(const Config& config);
  // A text_encoder folder. The decoder and heads of a whole T5 model may be there and are left out.
  static Result<std::unique_ptr<Encoder>> load_folder(const std::filesystem::path& folder, at::Device device,
                                                      at::ScalarType dtype,
                                                      nn::WeightPlacement placement = nn::WeightPlacement::Resident);
  // From here on the blocks wait in the host's memory; call it once, on an encoder that was loaded to the CPU.
  void stream_layers(at::Device device);

  // ids [B,T] int64 -> last hidden state [B,T,D]. mask [B,T] bool, false = padding, or undefined: all are seen.
  at::Tensor forward(const at::Tensor& ids, const at::Tensor& mask = {}) const;
  const Config& config() const { return config_; }
  at::Device device() const { return embedding_.device(); }
  void declare(nn::Declaration& d) override;

 private:
  Config config_;
  at::Tensor embedding_;
  std::vector<Block> blocks_;
  std::unique_ptr<nn::LayerStream> layers_ = nn::resident_layers();
  nn::RmsNorm final_norm_;
};

// Bucket of each relative position key - query, [T,T]: half of the buckets per direction, the nearer half of those
// exact, the rest logarithmic up to max_distance (Raffel et al. 2020, section 2.1).
at::Tensor relative_buckets(std::int64_t tokens, std::int64_t buckets, std::int64_t max_distance, at::Device device);

}  // namespace rubato::umt5
