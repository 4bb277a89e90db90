// rubato.json beside model_index.json: what Rubato knows about a model beyond its weights. Every field is optional,
// unknown keys are kept and ignored, so that an older Rubato reads a newer card.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"

namespace rubato {

struct ModelCard {
  // Values that a job takes where it leaves them open.
  struct Defaults {
    std::optional<int> width, height;  // "size": "WxH", pixels
    std::optional<int> frames, fps, steps, max_sequence_length;
    std::optional<double> guidance, guidance_2;
    std::optional<std::string> negative_prompt;
    nlohmann::json all = nlohmann::json::object();  // the object as written, for keys not listed here
  };
  // A linear map from a latent to RGB for previews: rgb = bias + sum over channels c of latent[c] * matrix[c], on the
  // latent as the sampler sees it (normalised); rgb in 0..1.
  struct Preview {
    std::vector<std::array<double, 3>> matrix;  // [C][3]
    std::array<double, 3> bias{};
    // For the first latent frame, which stands for one frame where the others stand for several and is coded otherwise;
    // an empty matrix: like the others.
    std::vector<std::array<double, 3>> first_matrix;
    std::array<double, 3> first_bias{};
  };

  int version = 1;
  std::string name;   // "practice-video"
  std::string title;  // "Practice video"
  std::string description;
  std::vector<std::string> limits;   // what it cannot do, a sentence each
  std::vector<std::string> prompts;  // prompts that work
  std::vector<std::string> words;    // every word that a prompt may use; empty = it knows words that no list holds
  // "trained": what the model has seen; other sizes and lengths run and look worse. Empty = not said.
  std::vector<std::string> trained_sizes;  // "128x128", pixels
  std::vector<int> trained_frames;
  Defaults defaults;
  std::optional<Preview> preview;
  nlohmann::json grammar;                        // words a prompt may use, for completion; null if none
  std::map<std::string, std::string> checksums;  // path relative to the folder -> SHA-256, hexadecimal
  bool practice = false;                         // a small model for practice; say so wherever it shows

  static constexpr std::string_view kFileName = "rubato.json";

  // The card of a model folder; nothing when there is none. ModelUnfit names everything that is malformed.
  static Result<std::optional<ModelCard>> load(const std::filesystem::path& model_folder);
  static Result<ModelCard> parse(std::string_view text, std::string_view source);

  // Compares every file named in `checksums`; one line for each that is missing or differs, empty when all agree.
  std::vector<std::string> verify_checksums(const std::filesystem::path& model_folder) const;
};

}  // namespace rubato
