// Tables that rename the tensors of a checkpoint in its authors' layout to the names that diffusers and transformers
// use. The tables are data (name_table.cpp); the layouts differ in names only, never in the tensors' contents.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rubato {

// One rule: a pattern of dot-separated segments. "{n}" matches a number, "{m}" a second one, "{c}" the word encoder or
// decoder, a last "*" the rest of the name (at least one segment). The target may use {n}, {n/4}, {n%4}, {m}, {c}, "*".
struct NameRule {
  std::string_view from, to;
};

// Renames names; a default-constructed table leaves them alone. Copying is cheap: the rules are constants.
class NameTable {
 public:
  NameTable() = default;
  NameTable(std::string_view id, std::span<const NameRule> rules) : id_(id), rules_(rules) {}

  std::string_view id() const { return id_; }  // "wan-transformer-original"; "" = leaves names alone
  // The new name; a name that no rule matches stays as it is (after a known prefix was taken off).
  std::string apply(std::string_view name) const;

 private:
  std::string_view id_;
  std::span<const NameRule> rules_;
};

NameTable wan_transformer_names();  // Wan-Video layout, with or without "model.diffusion_model." before it
NameTable wan_vae21_names();        // Wan2.1_VAE
NameTable wan_vae22_names();        // Wan2.2_VAE
NameTable umt5_names();             // Wan's own UMT5 encoder -> transformers

// Recognises the layout from the names of a checkpoint's tensors; the identity for diffusers' own layout.
NameTable detect_name_table(std::span<const std::string> names);

}  // namespace rubato
