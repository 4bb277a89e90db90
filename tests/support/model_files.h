// Tiny checkpoints and pipeline folders for tests: headers of real shapes over holes, so that they cost no disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/safetensors_bytes.h"
#include "tests/support/temp_folder.h"

namespace rubato::test {

struct ShapeOf {
  std::string name;
  std::vector<std::int64_t> shape;
};

// A safetensors file of float32 tensors with these shapes; the data is a hole in the file.
inline std::filesystem::path write_weights(const TempFolder& dir, std::string_view below,
                                           const std::vector<ShapeOf>& tensors) {
  std::string header = "{";
  std::uint64_t at = 0;
  for (const auto& [name, shape] : tensors) {
    std::uint64_t bytes = 4;
    std::string extents;
    for (const auto n : shape) {
      bytes *= static_cast<std::uint64_t>(n);
      extents += (extents.empty() ? "" : ",") + std::to_string(n);
    }
    header += (header.size() > 1 ? ",\"" : "\"") + name + "\":{\"dtype\":\"F32\",\"shape\":[" + extents +
              "],\"data_offsets\":[" + std::to_string(at) + ',' + std::to_string(at + bytes) + "]}";
    at += bytes;
  }
  const std::string file = safetensors_bytes(header + "}", 0);
  const auto path = dir.write(below, file);
  std::filesystem::resize_file(path, file.size() + at);
  return path;
}

inline constexpr std::string_view kWanIndex =
    R"({"_class_name": "WanPipeline", "_diffusers_version": "0.42.1", "boundary_ratio": 0.875, "expand_timesteps": false,
  "scheduler": ["diffusers", "UniPCMultistepScheduler"], "text_encoder": ["transformers", "UMT5EncoderModel"],
  "tokenizer": ["transformers", "T5TokenizerFast"], "transformer": ["diffusers", "WanTransformer3DModel"], "transformer_2": [null, null],
  "vae": ["diffusers", "AutoencoderKLWan"]})";

// The tensors by which a Wan transformer is known.
inline std::vector<ShapeOf> wan_transformer(std::int64_t width, std::int64_t layers, std::int64_t channels) {
  return {{"patch_embedding.weight", {width, channels, 1, 2, 2}},
          {"blocks.0.attn1.norm_q.weight", {width}},
          {"blocks." + std::to_string(layers - 1) + ".attn1.norm_q.weight", {width}}};
}

// A complete pipeline folder in the shape of Wan 2.1 T2V 1.3B.
inline std::filesystem::path write_pipeline(const TempFolder& dir, const std::string& below) {
  dir.write(below + "/model_index.json", kWanIndex);
  dir.write(below + "/scheduler/scheduler_config.json",
            R"({"_class_name": "UniPCMultistepScheduler", "flow_shift": 3.0})");
  dir.write(below + "/tokenizer/tokenizer_config.json", R"({"tokenizer_class": "T5Tokenizer"})");
  dir.write(below + "/tokenizer/tokenizer.json", "{}");
  for (const auto* part : {"text_encoder", "transformer", "vae"})
    dir.write(below + "/" + part + "/config.json", R"({"_class_name": "x"})");
  write_weights(dir, below + "/text_encoder/model.safetensors", {{"shared.weight", {8, 4}}});
  write_weights(dir, below + "/transformer/diffusion_pytorch_model.safetensors", wan_transformer(1536, 30, 16));
  write_weights(dir, below + "/vae/diffusion_pytorch_model.safetensors",
                {{"post_quant_conv.weight", {16, 16, 1, 1, 1}}, {"decoder.norm_out.gamma", {96, 1, 1, 1}}});
  return dir / below;
}

}  // namespace rubato::test
