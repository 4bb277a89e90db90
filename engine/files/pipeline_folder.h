// A diffusers pipeline folder: model_index.json and one sub-folder a component.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"

namespace rubato {

struct PipelineFolder {
  struct Component {
    std::string name;        // "transformer"
    std::string library;     // "diffusers"
    std::string class_name;  // "WanTransformer3DModel"
    std::filesystem::path folder;

    // The file with the component's configuration: config.json, scheduler_config.json, tokenizer_config.json or
    // preprocessor_config.json, by its class.
    std::filesystem::path config_path() const;
    bool has_weights() const;  // a model, not a scheduler, tokenizer or processor
  };

  std::filesystem::path root;
  std::string class_name;                       // "WanPipeline"
  std::map<std::string, Component> components;  // without those that the pipeline declares as null
  nlohmann::json index;                         // the whole model_index.json (boundary_ratio, expand_timesteps, …)

  // Opens a folder (or its model_index.json) and checks that every part is there: ModelMissing names all missing
  // files at once, with their paths. Weights are looked for and not opened.
  static Result<PipelineFolder> open(const std::filesystem::path& root);

  struct Missing {
    std::string component;
    std::string what;  // "/models/x/vae/config.json is missing"
  };
  // The same for a folder that need not be complete: what is missing goes to `missing`.
  static Result<PipelineFolder> open_incomplete(const std::filesystem::path& root, std::vector<Missing>& missing);

  // The configuration of a component, an object.
  Result<nlohmann::json> config(std::string_view component) const;

  const Component* find(std::string_view name) const;

  // Bytes of the component's weight files; 0 for one without weights.
  Result<std::uint64_t> weight_bytes(std::string_view component) const;
};

}  // namespace rubato
