#include "engine/files/loose_models.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <set>

namespace rubato {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kXxlWidth = 4096;

std::string lower_name(const fs::path& path) {
  std::string name = path.filename().string();
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

// How many leading folders two paths share: the parts of one model lie close together.
std::ptrdiff_t closeness(const fs::path& a, const fs::path& b) {
  return std::distance(a.begin(), std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first);
}

enum class Noise { Neither, High, Low };

// The experts of Wan 2.2 have the same tensors; only their file names tell them apart.
Noise noise_of(const fs::path& path) {
  const std::string name = lower_name(path);
  if (name.find("high_noise") != std::string::npos || name.find("high-noise") != std::string::npos ||
      name.find("highnoise") != std::string::npos)
    return Noise::High;
  if (name.find("low_noise") != std::string::npos || name.find("low-noise") != std::string::npos ||
      name.find("lownoise") != std::string::npos)
    return Noise::Low;
  return Noise::Neither;
}

// The same name with the words for the other expert, for finding the partner.
std::string neutral_name(const fs::path& path) {
  std::string name = lower_name(path);
  for (const std::string word : {"high", "low"})
    if (const auto at = name.find(word); at != std::string::npos) name.replace(at, word.size(), "*");
  return name;
}

// "wan2.2_t2v_14B_fp16" from wan2.2_t2v_high_noise_14B_fp16.safetensors; the folder's name where the file has the name
// that every diffusers component has.
std::string model_name(const fs::path& file) {
  std::string name = file.filename().string();
  name = name.substr(0, name.find(".safetensors"));
  if (name.starts_with("diffusion_pytorch_model") || name == "model") name = file.parent_path().filename().string();
  for (const std::string_view word : {"high_noise", "low_noise", "high-noise", "low-noise", "HighNoise", "LowNoise"}) {
    const auto at = name.find(word);
    if (at == std::string::npos || at == 0) continue;
    name.erase(at - 1, word.size() + 1);  // with the separator before it
    break;
  }
  return name;
}

class Grouping {
 public:
  Grouping(std::span<const LooseWeights> weights, std::span<const fs::path> tokenizers)
      : weights_(weights), tokenizers_(tokenizers) {}

  std::vector<ModelEntry> run() {
    std::vector<ModelEntry> models;
    std::set<const LooseWeights*> paired;
    for (const auto& file : weights_) {
      if (file.facts.wan_width == 0 || !file.facts.problem.empty() || paired.contains(&file)) continue;
      const LooseWeights* partner = noise_of(file.path) == Noise::Neither ? nullptr : find_partner(file);
      if (partner != nullptr) paired.insert(partner);
      models.push_back(entry_of(file, partner));
    }
    return models;
  }

 private:
  const LooseWeights* find_partner(const LooseWeights& file) const {
    for (const auto& other : weights_)
      if (&other != &file && other.facts.wan_width == file.facts.wan_width && noise_of(other.path) != Noise::Neither &&
          noise_of(other.path) != noise_of(file.path) && neutral_name(other.path) == neutral_name(file.path) &&
          other.path.parent_path() == file.path.parent_path())
        return &other;
    return nullptr;
  }

  const LooseWeights* nearest(const fs::path& to, const std::function<bool(const WeightFacts&)>& fits) const {
    const LooseWeights* best = nullptr;
    for (const auto& file : weights_)
      if (file.facts.problem.empty() && fits(file.facts) &&
          (best == nullptr || closeness(file.path, to) > closeness(best->path, to)))
        best = &file;
    return best;
  }

  static ModelPart part(std::string name, const LooseWeights* file, const std::string& expected) {
    if (file == nullptr) return {std::move(name), {}, "expected " + expected, 0};
    return {std::move(name), file->path, "", file->facts.bytes};
  }

  ModelEntry entry_of(const LooseWeights& file, const LooseWeights* partner) const {
    const bool expert = noise_of(file.path) != Noise::Neither;
    const LooseWeights* high = noise_of(file.path) == Noise::Low ? partner : &file;
    const LooseWeights* low = noise_of(file.path) == Noise::Low ? &file : partner;

    ModelEntry model;
    model.title = wan_title(file.facts, expert);
    model.family = "wan";
    model.kind = "video";
    model.form = ModelEntry::Form::LooseFiles;
    model.root = high != nullptr ? high->path : file.path;
    model.name = model_name(model.root);

    model.parts.push_back(
        part("transformer", high, "the high-noise expert, a safetensors file with high_noise in its name"));
    if (expert)
      model.parts.push_back(
          part("transformer_2", low, "the low-noise expert, a safetensors file with low_noise in its name"));
    const std::int64_t latent = file.facts.wan_channels == 48 ? 48 : 16;
    model.parts.push_back(part("vae",
                               nearest(file.path, [&](const WeightFacts& f) { return f.wan_vae_channels == latent; }),
                               latent == 48 ? "a Wan 2.2 VAE of 48 channels such as wan2.2_vae.safetensors"
                                            : "a Wan 2.1 VAE of 16 channels such as wan_2.1_vae.safetensors"));
    const LooseWeights* text =
        nearest(file.path, [](const WeightFacts& f) { return f.umt5_width == kXxlWidth || f.umt5_width == 1; });
    model.parts.push_back(part("text_encoder", text, "a UMT5-XXL encoder such as umt5_xxl_fp16.safetensors"));
    ModelPart tokenizer{"tokenizer", {}, "expected the UMT5 tokenizer, tokenizer.json or spiece.model", 0};
    if (text != nullptr && text->facts.tokenizer_inside) tokenizer = {"tokenizer", text->path, "", 0};
    for (const auto& folder : tokenizers_)
      if (tokenizer.path.empty() || closeness(folder, file.path) > closeness(tokenizer.path, file.path))
        tokenizer = {"tokenizer", folder, "", 0};
    model.parts.push_back(std::move(tokenizer));

    for (const auto& found : model.parts) model.bytes += found.weight_bytes;
    for (const auto& other : weights_)
      if (!other.facts.problem.empty() && other.path.parent_path() == file.path.parent_path())
        model.problems.push_back(other.facts.problem);
    return model;
  }

  std::span<const LooseWeights> weights_;
  std::span<const fs::path> tokenizers_;
};

}  // namespace

std::vector<ModelEntry> group_loose_models(std::span<const LooseWeights> weights,
                                           std::span<const fs::path> tokenizers) {
  return Grouping(weights, tokenizers).run();
}

}  // namespace rubato
