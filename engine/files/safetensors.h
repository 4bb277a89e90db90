// Safetensors: a bounded reader over a memory mapping, and an atomic writer.
//
// The format: u64 little-endian length n, n bytes of JSON {name: {dtype, shape, data_offsets}}, then the data.
// The reader trusts nothing: header <= 16 MiB, JSON depth <= 8, <= 200,000 tensors, <= 8 dimensions, every shape
// consistent with its byte range, and the ranges cover the data exactly once. All problems of a file are named in one
// error. Opening costs one mmap and the parsing of the header; no page of the data is touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/files.h"
#include "engine/files/dtype.h"

namespace rubato {

struct TensorInfo {
  DType dtype = DType::F32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;  // absolute offsets in the file, [begin, end)

  std::uint64_t bytes() const { return end - begin; }
};

struct SafetensorsHeader {
  std::map<std::string, TensorInfo> tensors;
  std::map<std::string, std::string> metadata;
  std::uint64_t data_begin = 0;  // where the data starts in the file
};

// Parses the header of a file of file_size bytes; head is the file's beginning, at least up to the end of the
// header (more is fine). `source` names the file in messages. ModelUnfit names all problems at once.
Result<SafetensorsHeader> parse_safetensors_header(std::span<const std::byte> head, std::uint64_t file_size,
                                                   std::string_view source);

// Reads only the header, without mapping the file: for scans.
Result<SafetensorsHeader> read_safetensors_header(const std::filesystem::path& path);

class SafetensorsFile {
 public:
  // CannotRead when the file cannot be opened; ModelUnfit, with advice, when it is a pickle, GGUF, a Git LFS pointer
  // or damaged, whatever its extension says.
  static Result<SafetensorsFile> open(const std::filesystem::path& path);

  const std::map<std::string, TensorInfo>& tensors() const { return header_.tensors; }
  const TensorInfo* find(const std::string& name) const;
  const std::map<std::string, std::string>& metadata() const { return header_.metadata; }
  // The bytes of one of this file's tensors; valid as long as this object (or the moved-to object) lives. Not
  // necessarily aligned to the element size: the format does not promise it (see is_aligned).
  std::span<const std::byte> bytes(const TensorInfo& info) const;
  // Whether bytes(info) may be used in place as an array of its element type.
  bool is_aligned(const TensorInfo& info) const;
  const MappedFile& file() const { return file_; }

 private:
  SafetensorsFile(MappedFile file, SafetensorsHeader header) : file_(std::move(file)), header_(std::move(header)) {}
  MappedFile file_;
  SafetensorsHeader header_;
};

// A tensor to be written; data is borrowed and must be contiguous, little-endian, and of the shape's size.
struct NamedTensor {
  std::string name;
  DType dtype = DType::F32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;
};

// Writes atomically. Tensors are laid out by descending element size, then by name, and the header is padded to
// 8 bytes, so that every tensor lies aligned. Names must be unique and sizes right (RUBATO_CHECK).
Result<> write_safetensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors,
                           const std::map<std::string, std::string>& metadata, Overwrite overwrite);

}  // namespace rubato
