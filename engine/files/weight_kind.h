// What a weight file really is, decided by its first bytes and never by its extension.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "engine/base/error.h"

namespace rubato {

enum class WeightKind {
  Safetensors,  // has the beginning of a safetensors file; the header may still be damaged
  Pickle,       // Python pickle, bare or in torch's old format: loading it would run code
  Zip,          // a zip archive: torch.save's present format, also a pickle inside
  Gguf,
  LfsPointer,  // the text that Git LFS leaves where the weights were not fetched
  WebPage,     // an HTML page saved by a failed download
  Empty,
  Unknown,
};

// head: the first bytes of the file, 512 are enough.
WeightKind sniff_weights(std::span<const std::byte> head);
// Reads the first bytes of a file.
Result<WeightKind> sniff_weight_file(const std::filesystem::path& path);

// Why a file of this kind is not loaded, and what to do instead; ModelUnfit. Not for Safetensors.
Error refuse_weights(WeightKind kind, const std::filesystem::path& path);

}  // namespace rubato
