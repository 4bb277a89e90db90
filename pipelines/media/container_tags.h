// Bounded readers of the metadata inside files, without FFmpeg: small enough to read, and fuzzed. Internal to
// pipelines/media.
//
// Each walks the container's boxes, chunks or elements by their sizes and copies only what stands under `rubato` and
// `comment`. Sizes that leave the file, texts beyond the bounds of metadata.h and broken checksums are Corrupt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/error.h"

namespace rubato {

// Bytes at any offset of a file or of memory, with a small window so that walking is cheap.
class ByteSource {
 public:
  // Reads exactly `out.size()` bytes at `offset`; false if it cannot.
  using Read = std::function<bool(std::uint64_t offset, std::span<std::uint8_t> out)>;
  ByteSource(std::uint64_t size, Read read) : size_(size), read_(std::move(read)) {}
  static ByteSource memory(std::span<const std::uint8_t> bytes);
  static ByteSource descriptor(int fd, std::uint64_t size);

  std::uint64_t size() const { return size_; }
  bool get(std::uint64_t offset, std::span<std::uint8_t> out);
  std::optional<std::string> text(std::uint64_t offset, std::uint64_t length, std::uint64_t max_length);
  std::optional<std::uint8_t> u8(std::uint64_t offset);
  std::optional<std::uint32_t> u32_be(std::uint64_t offset);
  std::optional<std::uint32_t> u32_le(std::uint64_t offset);
  std::optional<std::uint64_t> u64_be(std::uint64_t offset);

 private:
  std::uint64_t size_;
  Read read_;
  std::uint64_t window_at_ = 0;
  std::vector<std::uint8_t> window_;
};

struct ContainerTags {
  std::optional<std::string> rubato;  // the JSON text, not yet parsed
  std::string comment;
};

enum class FileKind { Unknown, Mp4, Matroska, Png, Jpeg, WebP, Gif, Avi };
// By the first bytes.
FileKind file_kind(ByteSource& source);

Result<ContainerTags> mp4_tags(ByteSource& source);
Result<ContainerTags> matroska_tags(ByteSource& source);
Result<ContainerTags> png_tags(ByteSource& source);
Result<ContainerTags> webp_tags(ByteSource& source);
Result<ContainerTags> gif_tags(ByteSource& source);
// By kind; kinds without a place for metadata give none.
Result<ContainerTags> container_tags(ByteSource& source);

}  // namespace rubato
