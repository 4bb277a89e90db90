// A component of a pipeline as diffusers and transformers lay it out: config.json and weights in one folder.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/base/error.h"
#include "engine/tensor/state_dict.h"

namespace rubato {

// config.json of a component folder. CannotRead, or ModelUnfit when it is no JSON.
Result<nlohmann::json> read_component_config(const std::filesystem::path& file);

// The same as a struct that has `from_json(json, file name)`.
template <typename Config>
Result<Config> component_config(const std::filesystem::path& folder) {
  const auto file = folder / "config.json";
  RUBATO_TRY(json, read_component_config(file));
  return Config::from_json(json, file.string());
}

template <typename Config>
struct ComponentFolder {
  Config config;
  StateDict weights;
};

// Reads the configuration and opens the weights.
template <typename Config>
Result<ComponentFolder<Config>> open_component_folder(const std::filesystem::path& folder) {
  RUBATO_TRY(config, component_config<Config>(folder));
  RUBATO_TRY(weights, StateDict::open(folder));
  return ComponentFolder<Config>{std::move(config), std::move(weights)};
}

}  // namespace rubato
