// The readers of metadata in MP4, WebM, PNG, WebP and GIF files, and the JSON inside.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>

#include "engine/base/json.h"
#include "pipelines/media/container_tags.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rubato;
  auto source = ByteSource::memory(std::span(data, size));
  const auto tags = container_tags(source);
  if (tags && tags->rubato) (void)parse_json(*tags->rubato, "fuzz");
  // Every reader for every input: the kind is decided by bytes that an input may lack.
  for (const auto read : {&mp4_tags, &matroska_tags, &png_tags, &webp_tags, &gif_tags}) (void)read(source);
  return 0;
}
