// The weights of one component: a single safetensors file, or shards listed by an index, seen as one set of tensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/files/safetensors.h"

namespace rubato {

// The files that hold a component's weights, before any is opened.
struct WeightFiles {
  std::filesystem::path index;                    // the *.safetensors.index.json; empty for a single file
  std::vector<std::filesystem::path> files;       // the single file, or the shards in order of name
  std::map<std::string, std::string> weight_map;  // tensor -> shard file name; empty for a single file
  std::uint64_t bytes = 0;                        // on disk
};

// Finds them by the names that diffusers (diffusion_pytorch_model*) and transformers (model*) use: index first, then
// the plain file, then a variant such as .fp16 if it is the only one, then the only safetensors file of the folder.
// A path to a file or to an index is taken as it is. ModelMissing names every file that is not there; a folder with
// nothing but pickles is refused with advice.
Result<WeightFiles> find_weights(const std::filesystem::path& file_or_component_folder);

struct PipelineFolder;
// Opens and checks the weights of every component by their headers, which takes moments: what is cut off or damaged is
// named before anything is loaded.
Result<> check_weight_files(const PipelineFolder& pipeline);

class WeightSet {
 public:
  struct Entry {
    std::shared_ptr<const SafetensorsFile> file;
    TensorInfo info;
    std::span<const std::byte> bytes() const { return file->bytes(info); }
  };

  // Opens and checks every file. All problems (damaged shards, tensors that the index promises and no shard holds)
  // are named at once.
  static Result<WeightSet> open(const std::filesystem::path& file_or_component_folder);

  const std::map<std::string, Entry>& entries() const { return entries_; }
  const Entry* find(const std::string& name) const;
  // Bytes of tensor data, which is what the mapped weights can cost in memory.
  std::uint64_t total_bytes() const { return total_bytes_; }
  const std::vector<std::shared_ptr<const SafetensorsFile>>& files() const { return files_; }

 private:
  WeightSet() = default;
  std::map<std::string, Entry> entries_;
  std::vector<std::shared_ptr<const SafetensorsFile>> files_;
  std::uint64_t total_bytes_ = 0;
};

}  // namespace rubato
