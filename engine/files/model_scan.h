// Finds models in any number of read-only folders: diffusers folders, Hugging Face hub caches (symbolic links into
// blobs), and loose safetensors as ComfyUI keeps them. Parts are recognised by content: tensor names, shapes, and
// configurations; what is missing is named.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"

namespace rubato {

struct ModelPart {
  std::string name;                // "transformer", "vae", "text_encoder", "tokenizer"
  std::filesystem::path path;      // component folder or file; empty when missing
  std::string missing;             // "" when it is there; else "expected …" or "FILE is missing"
  std::uint64_t weight_bytes = 0;  // bytes of weights, which is what loading it costs

  // What is wrong with a part that is missing, as a sentence: "vae: FILE is missing", "vae missing: expected …".
  std::string lack() const;
};

struct ModelEntry {
  enum class Form { PipelineFolder, LooseFiles };

  std::string name;    // unique within a scan; what resolve_model() takes
  std::string title;   // "Wan 2.1 T2V 1.3B"
  std::string family;  // "wan", or the pipeline's class where Rubato does not know it
  std::string kind;    // "video", "image", "other"
  Form form = Form::PipelineFolder;
  std::filesystem::path root;  // the folder, or the transformer's file for loose files
  std::vector<ModelPart> parts;
  std::vector<std::string> problems;  // damaged or refused files, a sentence each
  std::uint64_t bytes = 0;            // sum of weight_bytes
  bool practice = false;

  bool complete() const;
  // "Wan 2.1 T2V 1.3B: transformer yes, vae yes, text_encoder missing: expected …"
  std::string summary() const;
};

struct ModelScan {
  std::vector<ModelEntry> models;     // by name
  std::vector<std::string> problems;  // folders that cannot be read, files that belong to no model and are damaged
  std::size_t files = 0;              // files seen
  std::size_t headers_read = 0;       // headers that the cache did not know
};

// Scans folders and everything below; each real folder is visited once, so loops of symbolic links end. `cache_folder`
// keeps what was learned from each file under (path, size, mtime in ns, inode), empty = no cache. An unreadable
// folder is a problem of the scan and not a failure; so are pipes that are called weights, and folders and weights
// whose name is no line of text (they could not be shown or written down).
ModelScan scan_models(std::span<const std::filesystem::path> folders, const std::filesystem::path& cache_folder);

// Where Rubato looks for models.
struct ModelFolders {
  std::vector<std::filesystem::path> folders;  // to scan
  std::filesystem::path practice;              // resources/practice: holds practice-video as `video`; may be empty
  std::filesystem::path cache;                 // UserFolders::cache
};

// The scanned model of that name; an incomplete one too. Case and the organisation ("Wan-AI/") may be left out where
// that is unambiguous.
Result<ModelEntry> find_model(std::string_view name, const ModelFolders& where);

// The folder of a model given by a path or by the name that a scan shows. Paths win: anything that exists is taken
// as it is. "practice-video" is always known where the resources are. ModelMissing names the nearest known name,
// or says what an incomplete model lacks; ModelUnfit for a model of loose files, which has no folder.
Result<std::filesystem::path> resolve_model(std::string_view name_or_path, const ModelFolders& where);

}  // namespace rubato
