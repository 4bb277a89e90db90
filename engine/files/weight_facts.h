// What a safetensors file holds, told by its tensors' names and shapes.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/files/safetensors.h"
#include "engine/files/weight_kind.h"

namespace rubato {

// Zero or false = no sign of it. The facts of several shards merge into those of the whole.
struct WeightFacts {
  WeightKind kind = WeightKind::Unknown;
  std::string problem;                                           // why the file is refused or damaged; "" = sound
  std::uint64_t bytes = 0;                                       // of tensor data
  std::int64_t wan_width = 0, wan_channels = 0, wan_layers = 0;  // Wan transformer: D, input channels, blocks
  bool wan_image = false;                                        // it takes CLIP image embeddings (2.1 image-to-video)
  std::int64_t wan_vae_channels = 0;                             // Wan VAE: latent channels
  std::int64_t umt5_width = 0;                                   // UMT5 text encoder
  bool tokenizer_inside = false;  // a sentencepiece model stored as a tensor, as ComfyUI does

  void merge(const WeightFacts& other);
};

// Changes whenever describe_weights() learns to see more, so that caches are renewed.
inline constexpr int kWeightFactsVersion = 1;

WeightFacts describe_weights(const SafetensorsHeader& header);
// Reads the header of a file; a refused or damaged one gives facts with a problem.
WeightFacts describe_weight_file(const std::filesystem::path& path);

nlohmann::json to_json(const WeightFacts& facts);
// Tolerant: anything malformed gives facts of kind Unknown.
WeightFacts weight_facts_from_json(const nlohmann::json& value);

// "Wan 2.1 T2V 1.3B" from the sizes of the transformer; two_experts tells 2.2 A14B from 2.1 14B, which look alike.
std::string wan_title(const WeightFacts& facts, bool two_experts);

}  // namespace rubato
