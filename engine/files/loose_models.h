// Groups loose weight files (ComfyUI folders, the authors' own layout) into models, by what the files hold.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/files/model_scan.h"
#include "engine/files/weight_facts.h"

namespace rubato {

// A weight file, or a set of shards, that belongs to no pipeline folder.
struct LooseWeights {
  std::filesystem::path path;  // the file, or the index of the shards
  WeightFacts facts;
};

// One entry for each Wan transformer (or pair of experts), with the VAE, text encoder and tokenizer that fit it taken
// from anywhere in the scan, nearest folder first. Refused files beside a transformer (the authors publish VAE and
// text encoder as pickles) become problems of its entry.
std::vector<ModelEntry> group_loose_models(std::span<const LooseWeights> weights,
                                           std::span<const std::filesystem::path> tokenizers);

}  // namespace rubato
